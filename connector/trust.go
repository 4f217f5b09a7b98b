package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// connection returns how a job's read reaches the target: as was set on site, with what the job narrows. A job that
// asks for less protection, or for another target, is refused with a *directory.Error.
func (l *local) connection(job settings.Connection) (settings.Connection, *directory.Trust, error) {
	asked := connector.TargetOf(job)
	t, found := l.find(asked)
	if !found {
		return job, nil, noPassword(asked)
	}
	job = job.Normalised()
	switch {
	case strength(job.Mode()) < strength(t.Encryption):
		return job, nil, refused("asks for encryption %s, and on site it is %s (password -encryption)", job.Mode(),
			t.Encryption)
	case job.OldTLS && !t.OldTLS:
		return job, nil, refused("asks for old TLS, which was not allowed on site (password -oldTLS)")
	case job.TrustedCertificate != "" && !slices.Contains(t.Certificates, strings.TrimPrefix(job.TrustedCertificate,
		"sha256:")):
		return job, nil, refused("trusts a certificate that was not trusted on site (password -trustedCertificate)")
	}
	password, err := t.password()
	if err != nil {
		return job, nil, &directory.Error{Code: connector.CodeNoPassword, Step: directory.StepBind, Err: err,
			Message: "The connector cannot read its password: " + err.Error() + "."}
	}
	return t.connection(job, password), t.trust(), nil
}

// connection applies what was set on site.
func (t *target) connection(to settings.Connection, password string) settings.Connection {
	to.Host, to.Port, to.Username, to.Password = t.Host, t.Port, t.Username, secret.New(password)
	to.UseSSL, to.OldTLS, to.AllowUnencrypted, to.Encryption = t.UseSSL, t.OldTLS, false, t.Encryption
	return to.Normalised()
}

// trust is what the target's certificates are checked against.
func (t *target) trust() *directory.Trust {
	trust := &directory.Trust{Roots: x509.NewCertPool(), Certificates: t.Certificates}
	trust.Roots.AppendCertsFromPEM([]byte(t.Roots))
	return trust
}

// strength orders the ways of encryption.
func strength(e settings.Encryption) int {
	return slices.Index([]settings.Encryption{settings.None, settings.Preferred, settings.Required}, e)
}

func noPassword(t connector.Target) error {
	return &directory.Error{Code: connector.CodeNoPassword, Step: directory.StepBind, Message: fmt.Sprintf(
		"The connector holds no password of %q for %s, port %d. On its machine run: rollcall-connector password -host "+
			"%q -port %d -username %q", t.Username, t.Host, t.Port, t.Host, t.Port, t.Username)}
}

func refused(format string, args ...any) error {
	return &directory.Error{Code: connector.CodeRefused, Step: directory.StepBind,
		Message: "The connector refuses the job: it " + fmt.Sprintf(format, args...) + "."}
}

// pinner finds out, when a password is entered, what a target's servers will be recognised by.
type pinner struct {
	target   target
	password string
	// anyTLS is set where nobody said whether TLS begins with the first byte.
	anyTLS bool
	out    io.Writer
}

// pin signs in at each of the target's servers and keeps what their certificates lead to. One has to answer.
func (p *pinner) pin(ctx context.Context, ca string, trusted string) error {
	p.target.Roots, p.target.Certificates = ca, nil
	if trusted != "" {
		p.target.Certificates = []string{strings.TrimPrefix(strings.ToLower(trusted), "sha256:")}
	}
	learn := ca == "" && trusted == ""
	var failures []error
	hosts := settings.Connection{Host: p.target.Host}.Hosts()
	for _, host := range hosts {
		err := p.signIn(ctx, host, learn)
		var failed *directory.Error
		if errors.As(err, &failed) && failed.Refused {
			// A second try could lock the account.
			return err
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", host, err))
		}
	}
	if len(failures) == len(hosts) {
		return errors.Join(failures...)
	}
	for _, err := range failures {
		fmt.Fprintf(p.out, "Not every server could be tried. One with a certificate of its own will be refused: %v\n",
			err)
	}
	return nil
}

// signIn signs in at one server. Where it may learn, a server's authority is pinned; without one that this machine
// knows, the very certificate is.
func (p *pinner) signIn(ctx context.Context, host string, learn bool) error {
	trust := p.target.trust()
	if learn {
		trust.Roots = nil
	}
	err := p.try(ctx, host, trust)
	var failed *directory.Error
	if errors.As(err, &failed) && p.anyTLS && p.target.Encryption == settings.Required && noSTARTTLS(failed) {
		p.target.UseSSL = true
		if err = p.try(ctx, host, trust); err != nil {
			p.target.UseSSL = false
		}
	}
	return err
}

// noSTARTTLS reports whether a server may be one that speaks TLS from the first byte. Nothing but STARTTLS was sent.
func noSTARTTLS(e *directory.Error) bool {
	return e.Step == directory.StepTLS && slices.Contains([]string{directory.CodeStartTLSRefused,
		directory.CodeTLSFailed, directory.CodeProtocol, directory.CodeTimeout}, e.Code)
}

func (p *pinner) try(ctx context.Context, host string, trust *directory.Trust) error {
	to := p.target.connection(settings.Connection{ServerType: settings.Exchange}, p.password)
	to.Host = host
	var unknown []*run.Certificate
	onStep := func(s run.Step) {
		if s.Step == directory.StepTLS && !s.OK && s.Certificate != nil {
			unknown = append(unknown, s.Certificate)
		}
		fmt.Fprintf(p.out, "  %-8s %s\n", s.Step, s.Detail)
	}
	if trust.Roots == nil {
		trust.Saw = func(_, root *x509.Certificate) { p.keep(root) }
	}
	err := directory.New(directory.Config{Trust: trust}).SignIn(ctx, to, onStep)
	var failed *directory.Error
	if trust.Roots != nil || len(unknown) == 0 || !errors.As(err, &failed) ||
		failed.Code != directory.CodeTLSAuthority {
		return err
	}
	for _, c := range unknown {
		fmt.Fprintf(p.out, "This machine knows no authority that signed the certificate of %q. From now on exactly "+
			"this certificate is taken, so compare it with the server's own, or give its CA certificate with -ca "+
			"FILE:\n  sha256:%s\n", c.Subject, c.SHA256)
		p.target.Certificates = append(p.target.Certificates, c.SHA256)
	}
	return p.try(ctx, host, p.target.trust())
}

// keep pins an authority.
func (p *pinner) keep(root *x509.Certificate) {
	if root == nil {
		return
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	if !strings.Contains(p.target.Roots, text) {
		p.target.Roots += text
	}
}

// anchors says what a target's servers are recognised by.
func (t *target) anchors() string {
	var parts []string
	for _, c := range t.Certificates {
		parts = append(parts, "the certificate sha256:"+c)
	}
	for rest := []byte(t.Roots); ; {
		var block *pem.Block
		if block, rest = pem.Decode(bytes.TrimSpace(rest)); block == nil {
			break
		}
		sum := sha256.Sum256(block.Bytes)
		name := "?"
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			name = c.Subject.String()
		}
		parts = append(parts, fmt.Sprintf("the authority %q (sha256:%s)", name, hex.EncodeToString(sum[:])))
	}
	if len(parts) == 0 {
		return "nothing: it is not encrypted"
	}
	return strings.Join(parts, ", ")
}
