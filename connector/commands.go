package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

func enrolFlags(flags *flag.FlagSet) func(context.Context, *state, streams) error {
	url := flags.String("url", "", "the portal's URL, such as https://portal.example.com")
	code := flags.String("code", "", "the code from the page, which works once, for 15 minutes")
	ca := flags.String("ca", "", "a file with CA certificates (PEM) to trust for the portal besides the system's")
	return func(ctx context.Context, s *state, std streams) error {
		set, err := s.load()
		if err != nil {
			return err
		}
		if set.URL, err = checkURL(*url); err != nil {
			return err
		}
		if set.CA, err = certificates(*ca); err != nil {
			return err
		}
		// A new key each time: an old one stays with the connector that it was enrolled for, and in use until the cloud
		// has taken this one.
		public, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		c, err := newClient(set, key)
		if err != nil {
			return err
		}
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find this machine's name: %w", err)
		}
		enrol := connector.Enrol{Code: strings.TrimSpace(*code), PublicKey: public, Name: host, Version: version}
		var enrolled connector.Enrolled
		if err := c.call(ctx, connector.PathEnrol, enrol, &enrolled); err != nil {
			return fmt.Errorf("enrol: %w", err)
		}
		set.ConnectorID, set.ConnectorName = enrolled.ConnectorID, enrolled.ConnectorName
		if err := errors.Join(s.keep(key), s.save(set),
			s.note(connector.ChangeEnrolled, "%s was enrolled with %s.", host, set.URL)); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "This machine is an instance of the connector %q of %s. "+
			"Next: rollcall-connector password\n", set.ConnectorName, set.URL)
		return nil
	}
}

// certificates returns the CA certificates of a file; none without one.
func certificates(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the CA certificate: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if err := directory.CheckCertificate(text); err != nil {
		return "", fmt.Errorf("%s %w", file, err)
	}
	if text == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return text + "\n", nil
}

// whose are the flags that name a directory and its account.
type whose struct {
	host, username string
	port           int
}

func (w *whose) add(flags *flag.FlagSet) {
	flags.StringVar(&w.host, "host", "", "the directory's servers, as on the page: names with commas between")
	flags.IntVar(&w.port, "port", 389, "their port, as on the page")
	flags.StringVar(&w.username, "username", "", "the account, as on the page; without it the read is anonymous")
}

func (w *whose) target() connector.Target {
	return connector.TargetOf(settings.Connection{Host: w.host, Port: w.port, Username: w.username})
}

// maxInput bounds what is read from standard input, in bytes.
const maxInput = 64 << 10

func passwordFlags(flags *flag.FlagSet) func(context.Context, *state, streams) error {
	var to whose
	to.add(flags)
	encryption := flags.String("encryption", string(settings.Required), "required, preferred or none")
	ssl := flags.String("ssl", "", "true: TLS from the first byte; false: STARTTLS; left out, what the server speaks")
	oldTLS := flags.Bool("oldTLS", false, "allow TLS 1.0 and 1.1 and old cipher suites")
	trusted := flags.String("trustedCertificate", "", "sha256: and the hash of the one certificate to take as it is")
	ca := flags.String("ca", "", "a file with the CA certificates (PEM) that the servers' have to come from")
	credential := flags.String("credential", "",
		"keep no password, but read it at run from this one of systemd's credentials (install -credential)")
	return func(ctx context.Context, s *state, std streams) error {
		set, err := s.load()
		if err != nil {
			return err
		}
		p := &pinner{out: std.out, anyTLS: *ssl == "", target: target{Target: to.target(), Credential: *credential,
			Encryption: settings.Encryption(*encryption), OldTLS: *oldTLS,
			UseSSL: *ssl == "true" || *ssl == "" && (to.port == 636 || to.port == 3269)}}
		if to.username != "" {
			input, err := io.ReadAll(io.LimitReader(std.in, maxInput))
			if err != nil {
				return fmt.Errorf("read the password from standard input: %w", err)
			}
			p.password = withoutNewline(string(input))
		}
		check := p.target.connection(settings.Connection{ServerType: settings.Exchange, TrustedCertificate: *trusted},
			p.password)
		if wrong := check.Validate(); len(wrong) > 0 {
			return fmt.Errorf("%s %s", strings.TrimPrefix(wrong[0].Field, "connection."), wrong[0].Message)
		}
		if to.username != "" && p.password == "" {
			return errors.New("the password is missing: it is read from standard input")
		}
		authority, err := certificates(*ca)
		if err != nil {
			return err
		}
		if err := p.pin(ctx, authority, *trusted); err != nil {
			return fmt.Errorf("nothing was stored: %w", err)
		}
		return s.store(set, p, std.out)
	}
}

// store keeps a target in place of an earlier one.
func (s *state) store(set local, p *pinner, out io.Writer) error {
	t := p.target
	if t.Credential == "" {
		t.Password = p.password
	}
	set.Targets = append(slices.DeleteFunc(set.Targets, func(have target) bool { return have.Target == t.Target }), t)
	if err := errors.Join(s.save(set), s.note(connector.ChangePassword,
		"The password of %q for %s, port %d, was stored (encryption %s); the servers are recognised by %s.", t.Username,
		t.Host, t.Port, t.Encryption, t.anchors())); err != nil {
		return err
	}
	fmt.Fprintf(out, "Stored for %q at %s, port %d. The servers are recognised by %s.\n", t.Username, t.Host, t.Port,
		t.anchors())
	return nil
}

func runFlags(*flag.FlagSet) func(context.Context, *state, streams) error {
	return func(ctx context.Context, s *state, std streams) error {
		key, err := s.key()
		if err != nil {
			return err
		}
		r := &runner{state: s, key: key, log: slog.New(slog.NewTextHandler(std.err, nil))}
		return asService(ctx, r.run)
	}
}

func allowFlags(*flag.FlagSet) func(context.Context, *state, streams) error {
	return func(_ context.Context, s *state, std streams) error {
		if len(std.args) != 1 {
			return errors.New("usage: rollcall-connector allow NAME [-state DIR]")
		}
		name := std.args[0]
		if wrong := (settings.Attributes{ID: name}).Validate(); len(wrong) > 0 {
			return errors.New(wrong[0].Message)
		}
		set, err := s.load()
		if err != nil {
			return err
		}
		if !set.allowed().Has(name) {
			set.Attributes = append(set.Attributes, name)
			if err := errors.Join(s.save(set), s.note(connector.ChangeAttribute,
				"The attribute %s was allowed.", name)); err != nil {
				return err
			}
		}
		fmt.Fprintf(std.out, "Hands over: %s\n", strings.Join(set.allowed(), ", "))
		return nil
	}
}
