// Package smtpserver runs a real SMTP server, aiosmtpd, for tests of what is sent by mail.
package smtpserver

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/servers"
)

//go:embed server.py
var script string

// python is Debian's own, which finds Debian's packages.
const python = "/usr/bin/python3"

// patience is how long a mail may take to come.
const patience = 20 * time.Second

// Mail is a mail that was taken.
type Mail struct {
	From          string
	To            []string
	Encrypted     bool
	Authenticated bool
	// Data is the mail as it came over the wire.
	Data string
}

// Server is a running server.
type Server struct {
	// Addr is host:port.
	Addr  string
	t     testing.TB
	mails chan Mail
}

// Start starts a server that ends with the test. With a certificate and key, files of PEM, it wants TLS and a sign-in
// as rollcall with the password secret.
func Start(t testing.TB, pem ...string) *Server {
	t.Helper()
	servers.Need(t)
	file := filepath.Join(t.TempDir(), "server.py")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(python, append([]string{file}, pem...)...)
	stdin, inErr := command.StdinPipe()
	stdout, outErr := command.StdoutPipe()
	command.Stderr = os.Stderr
	if inErr != nil || outErr != nil {
		t.Fatal(inErr, outErr)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start an SMTP server (package python3-aiosmtpd; make servers installs it): %v", err)
	}
	s := &Server{t: t, mails: make(chan Mail, 100)}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		t.Fatal("the SMTP server ended before it listened (package python3-aiosmtpd; make servers installs it)")
	}
	s.Addr = net.JoinHostPort("127.0.0.1", strings.TrimSpace(lines.Text()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines.Scan() {
			var m Mail
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Errorf("the SMTP server printed %q: %v", lines.Text(), err)
			}
			s.mails <- m
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		<-done
		command.Wait()
	})
	return s
}

// Next waits for the next mail.
func (s *Server) Next() Mail {
	s.t.Helper()
	select {
	case m := <-s.mails:
		return m
	case <-time.After(patience):
		s.t.Fatal("no mail came")
		return Mail{}
	}
}
