// Package ldapserver starts real directory servers for tests, from Debian's packages: OpenLDAP, Samba AD and 389
// Directory Server. They listen on loopback, keep everything in a folder of the caller's, and leave nothing behind. It
// exists because a fake directory only has the manners its author thought of.
package ldapserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers"
	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldif"
)

// ErrMissingPackage means that a program of a Debian package is not there. The tests fail on it: a test that skips
// proves nothing.
var ErrMissingPackage = errors.New("a Debian package is missing; install it with e2e/install/debian.sh")

// startLimit is how long a server may take until it answers, and how long it may take to stop before it is killed.
const startLimit = 60 * time.Second

// Server is a running directory.
type Server struct {
	// Host is a loopback address, which the certificate names unless another name was asked for.
	Host string
	// Port speaks LDAP and STARTTLS, SSLPort TLS from the first byte.
	Port, SSLPort int
	// GlobalCatalogPort and GlobalCatalogSSLPort are 0 where there is no global catalog.
	GlobalCatalogPort, GlobalCatalogSSLPort int
	BaseDN                                  string
	// Username may read everything, as an ordinary account that limits apply to.
	Username, Password string
	// AdminUsername may also write.
	AdminUsername, AdminPassword string
	// CACertificate is PEM.
	CACertificate string

	process *process
}

// Stop ends the server and waits for it. Stopping twice is no error.
func (s *Server) Stop() error { return s.process.stop() }

// PID is the id of the server's process, which may have children.
func (s *Server) PID() int { return s.process.command.Process.Pid }

// run starts a server for a test and stops it when the test ends; what goes wrong fails the test.
func run[C any](t testing.TB, start func(context.Context, string, C) (*Server, error), config C) *Server {
	t.Helper()
	servers.Need(t)
	began := time.Now()
	// Not t.TempDir: it holds the test's name, and Samba's sockets have short paths or none.
	dir, err := os.MkdirTemp("", "ldap-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := start(t.Context(), dir, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("started in %s on %s", time.Since(began).Round(time.Millisecond),
		net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	return s
}

// find returns the path of a program. Debian keeps servers in /usr/sbin, which an ordinary user's PATH lacks.
func find(program, debianPackage string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, folder := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w (no %s, of package %s)", ErrMissingPackage, program, debianPackage)
}

// execute runs a program to its end; an error carries what it wrote.
func execute(ctx context.Context, input io.Reader, path string, args ...string) error {
	command := exec.CommandContext(ctx, path, args...) //nolint:gosec // a program that find found
	command.Stdin = input
	command.Env = plainEnvironment()
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, tail(output))
	}
	return nil
}

// plainEnvironment is this process's, with messages in English.
func plainEnvironment() []string { return append(os.Environ(), "LC_ALL=C.UTF-8") }

// tail keeps the end of a program's output, where the reason stands.
func tail(output []byte) string {
	const most = 4 << 10
	if len(output) > most {
		output = output[len(output)-most:]
	}
	return strings.TrimSpace(string(output))
}

// process is a running server program.
type process struct {
	name    string
	command *exec.Cmd
	stdin   io.WriteCloser
	log     string
	exited  chan struct{}
}

// launch starts a program in the foreground with its output in a file. It outlives ctx: stop ends it.
func launch(logFile, path string, args ...string) (*process, error) {
	log, err := os.Create(logFile) //nolint:gosec // in the caller's folder
	if err != nil {
		return nil, fmt.Errorf("make a log file: %w", err)
	}
	defer log.Close()                                                   // the child has its own
	command := exec.CommandContext(context.Background(), path, args...) //nolint:gosec // a program that find found
	command.Stdout, command.Stderr = log, log
	command.Env = plainEnvironment()
	// Samba ends when its input does, so it cannot outlive a test process that was killed.
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", filepath.Base(path), err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(path), err)
	}
	p := &process{name: filepath.Base(path), command: command, stdin: stdin, log: logFile, exited: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(p.exited)
	}()
	return p, nil
}

// ready waits until every address takes connections. Where that fails it stops the program and says what it wrote.
func (p *process) ready(ctx context.Context, addresses ...string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, address := range addresses {
		if err := p.waitFor(ctx, address); err != nil {
			output, _ := os.ReadFile(p.log)
			return errors.Join(fmt.Errorf("%s does not listen on %s: %w\n%s", p.name, address, err, tail(output)),
				p.stop())
		}
	}
	return nil
}

func (p *process) waitFor(ctx context.Context, address string) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.exited:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) stop() error {
	p.stdin.Close()
	_ = p.command.Process.Signal(syscall.SIGTERM) // an error means that it is gone already
	select {
	case <-p.exited:
		return nil
	case <-time.After(startLimit):
	}
	_ = p.command.Process.Kill()
	<-p.exited
	return fmt.Errorf("%s did not stop within %s and was killed", p.name, startLimit)
}

// writeAll writes entries as LDIF.
func writeAll(out io.Writer, entries iter.Seq[*ldif.Entry]) error {
	w := ldif.NewWriter(out)
	for e := range entries {
		if err := w.Write(e); err != nil {
			return err
		}
	}
	return w.Flush()
}

// with yields the entries, which may be nil, and last one more.
func with(entries iter.Seq[*ldif.Entry], last *ldif.Entry) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		if entries != nil {
			for e := range entries {
				if !yield(e) {
					return
				}
			}
		}
		yield(last)
	}
}

// credentials writes a new authority's certificate and a server certificate for the names, and their key (mode 0600),
// into dir. It returns the authority's PEM.
func credentials(dir string, names ...string) (ca string, err error) {
	a, err := authority.New(authority.Config{Name: "Rollcall test CA"})
	if err != nil {
		return "", err
	}
	certificate, key, err := a.Issue(names...)
	if err != nil {
		return "", err
	}
	for name, content := range map[string][]byte{"ca.pem": []byte(a.PEM()), "server.pem": certificate,
		"server-key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return "", fmt.Errorf("write the server's certificate: %w", err)
		}
	}
	return a.PEM(), nil
}
