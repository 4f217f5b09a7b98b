// Package demo serves three directories on this machine, one for each server type, so that Rollcall can be tried with
// nothing to connect to. They behave like the products as far as an import can tell. They listen on loopback only, and
// their certificate authority can sign for nothing else.
package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
	"rollcall/shared/settings"
)

//go:generate go run ./generate data

//go:embed data/*.ldif
var data embed.FS

// folder is where a data directory keeps the demo's authority and request bodies.
const folder = "demo"

// Connection is a directory's connection as the API takes it. Unlike settings.Connection it shows its password: the
// demo's are no secrets.
type Connection struct {
	ServerType       settings.ServerType `json:"serverType"`
	Host             string              `json:"host"`
	Port             int                 `json:"port"`
	UseSSL           bool                `json:"useSSL"`
	Username         string              `json:"username"`
	Password         string              `json:"password"`
	CACertificate    string              `json:"caCertificate"`
	AllowUnencrypted bool                `json:"allowUnencrypted"`
}

// Directory is one running demo directory.
type Directory struct {
	// Name is the product it stands for.
	Name       string
	Connection Connection
	// SettingsFile is a JSON file with {"connection":…}, ready to be the body of POST /v1/previews.
	SettingsFile string
	// CAFile has the certificate of the demo's authority as PEM.
	CAFile string
}

// LDIF returns the entries of a server type's demo directory as a file (RFC 2849).
func LDIF(t settings.ServerType) ([]byte, error) {
	b, err := data.ReadFile("data/" + string(t) + ".ldif")
	if err != nil {
		return nil, fmt.Errorf("open the demo directory %q: %w", t, err)
	}
	return b, nil
}

// Start serves the demo directories until the context ends or stop is called; both may happen. It keeps the authority
// and the request bodies in dir/demo, and takes the ports of the last start again where they are free.
func Start(ctx context.Context, dir string, log *slog.Logger) (directories []Directory, stop func() error, err error) {
	home := filepath.Join(dir, folder)
	ca, err := authority.Load(home, authority.Config{Name: "Rollcall demo CA", LoopbackOnly: true})
	if err != nil {
		return nil, nil, fmt.Errorf("prepare the demo directories: %w", err)
	}
	var servers []*ldapd.Server
	stopAll := func() error {
		var all error
		for _, s := range servers {
			all = errors.Join(all, s.Close())
		}
		return all
	}
	for _, p := range products() {
		d, server, err := p.start(ctx, home, ca, log)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("start the demo directory %s: %w", p.name, err), stopAll())
		}
		servers = append(servers, server)
		directories = append(directories, d)
	}
	cancel := context.AfterFunc(ctx, func() {
		if err := stopAll(); err != nil {
			log.Error("stopping the demo directories failed", "error", err)
		}
	})
	return directories, func() error { cancel(); return stopAll() }, nil
}

// start serves one product and writes its request body.
func (p product) start(
	ctx context.Context, home string, ca *authority.Authority, log *slog.Logger,
) (Directory, *ldapd.Server, error) {
	d := Directory{Name: p.name, SettingsFile: filepath.Join(home, string(p.serverType)+".json"),
		CAFile: filepath.Join(home, authority.CertificateFile)}
	config, err := p.config(ca, log)
	if err != nil {
		return d, nil, err
	}
	server, err := ldapd.New(config)
	if err != nil {
		return d, nil, err
	}
	listeners, port, err := listen(ctx, d.lastPort(), p.port)
	if err != nil {
		return d, nil, err
	}
	if port != p.port {
		log.Info("the demo directory uses another port than usual", "directory", p.name, "port", port, "usual", p.port)
	}
	for _, l := range listeners {
		server.Serve(l)
	}
	d.Connection = Connection{
		ServerType: p.serverType, Host: "localhost", Port: port, Username: p.username, Password: p.account.Password,
		CACertificate: ca.PEM(),
	}
	if err := d.write(); err != nil {
		return d, nil, errors.Join(err, server.Close())
	}
	return d, server, nil
}

// config puts a product's server together.
func (p product) config(ca *authority.Authority, log *slog.Logger) (ldapd.Config, error) {
	raw, err := LDIF(p.serverType)
	if err != nil {
		return ldapd.Config{}, err
	}
	entries, err := ldif.Read(bytes.NewReader(raw))
	if err != nil {
		return ldapd.Config{}, err
	}
	serverTLS, err := ca.ServerTLS("localhost", "127.0.0.1", "::1")
	if err != nil {
		return ldapd.Config{}, err
	}
	return ldapd.Config{
		Entries: entries, RootDSE: p.rootDSE(), Accounts: []ldapd.Account{p.account},
		ReferenceBase: p.referenceBase, References: p.references, Behaviour: p.behaviour,
		TLS: serverTLS, Log: log.With("directory", p.name),
	}, nil
}

// listen takes the first of the ports that is free on 127.0.0.1, else any; on ::1 too where there is IPv6, because
// localhost may mean either. A port of 0 is passed over.
func listen(ctx context.Context, ports ...int) ([]net.Listener, int, error) {
	var config net.ListenConfig
	for _, port := range ports {
		if port == 0 {
			continue
		}
		l, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			listeners, port := withIPv6(ctx, l)
			return listeners, port, nil
		}
	}
	l, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, 0, fmt.Errorf("listen on loopback: %w", err)
	}
	listeners, port := withIPv6(ctx, l)
	return listeners, port, nil
}

func withIPv6(ctx context.Context, l net.Listener) ([]net.Listener, int) {
	port := l.Addr().(*net.TCPAddr).Port
	var config net.ListenConfig
	six, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	if err != nil { // no IPv6 here, or the port is taken there: IPv4 serves
		return []net.Listener{l}, port
	}
	return []net.Listener{l, six}, port
}

// requestBody is what SettingsFile holds.
type requestBody struct {
	Connection Connection `json:"connection"`
}

// lastPort returns the port of the last start, 0 where there was none.
func (d Directory) lastPort() int {
	raw, err := os.ReadFile(d.SettingsFile)
	if err != nil {
		return 0
	}
	var body requestBody
	if json.Unmarshal(raw, &body) != nil || body.Connection.Port < 1 || body.Connection.Port > 65535 {
		return 0
	}
	return body.Connection.Port
}

func (d Directory) write() error {
	raw, err := json.MarshalIndent(requestBody{d.Connection}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", d.SettingsFile, err)
	}
	if err := os.Remove(d.SettingsFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the request body: %w", err)
	}
	if err := os.WriteFile(d.SettingsFile, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the request body: %w", err)
	}
	return nil
}

// Handler serves the connections to directories for the page to fill in, by server type.
func Handler(directories []Directory) http.Handler {
	connections := make(map[settings.ServerType]Connection)
	for _, d := range directories {
		connections[d.Connection.ServerType] = d.Connection
	}
	// A Connection has no type that json cannot marshal.
	body, _ := json.Marshal(connections) //nolint:gosec // the demo's passwords are no secrets
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		// A broken connection is all that can fail here.
		_, _ = w.Write(body)
	})
}

// Print writes the connection settings for a person at a terminal.
func Print(w io.Writer, directories []Directory) error {
	for _, d := range directories {
		c := d.Connection
		_, err := fmt.Fprintf(w, "  %-22s %s:%d  %s  password %s\n  %-22s {\"connection\":…} ready in %s\n",
			d.Name, c.Host, c.Port, c.Username, c.Password, "", d.SettingsFile)
		if err != nil {
			return fmt.Errorf("print the demo directories: %w", err)
		}
	}
	if len(directories) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "  %-22s %s\n", "Their CA certificate", directories[0].CAFile); err != nil {
		return fmt.Errorf("print the demo directories: %w", err)
	}
	return nil
}
