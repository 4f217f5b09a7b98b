package smtp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/servers/smtpserver"
	"rollcall/shared/adapters/smtp"
	"rollcall/shared/ports/mail"
)

func message(to string) mail.Message {
	return mail.Message{
		ID: "0123456789abcdef", To: to, Subject: "Anaïs: " + strings.Repeat("ein langer Betreff ", 8),
		Text: "Grüße\n.\nA line with a dot alone, and one that is long: " + strings.Repeat("x", 2000) + "\n",
		Date: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Page: "https://page.example.com/#/notifications",
	}
}

// TestAMailArrivesAsItWasWritten sends through a real server and reads what arrived as a mail program would.
func TestAMailArrivesAsItWasWritten(t *testing.T) {
	t.Parallel()
	server := smtpserver.Start(t)
	sender := smtp.Sender{Addr: server.Addr, From: "rollcall@example.com"}
	sent := message("ann@example.com")
	if err := sender.Send(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	got := server.Next()
	if got.From != "rollcall@example.com" || len(got.To) != 1 || got.To[0] != "ann@example.com" {
		t.Errorf("the envelope is from %s to %v", got.From, got.To)
	}
	for _, line := range strings.Split(got.Data, "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	read, err := netmail.ReadMessage(strings.NewReader(got.Data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
	if err != nil || subject != sent.Subject {
		t.Errorf("subject %q, error %v", subject, err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(read.Body))
	if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != sent.Text {
		t.Errorf("text %q, error %v", text, err)
	}
	if date, err := read.Header.Date(); err != nil || !date.Equal(sent.Date) {
		t.Errorf("date %s, error %v", date, err)
	}
	for name, want := range map[string]string{
		"From": `"Rollcall" <rollcall@example.com>`, "To": "<ann@example.com>", "Auto-Submitted": "auto-generated",
		"Message-ID": "<0123456789abcdef@example.com>", "Content-Type": "text/plain; charset=utf-8",
		"List-Unsubscribe": "<https://page.example.com/#/notifications>", "MIME-Version": "1.0",
	} {
		if read.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, read.Header.Get(name), want)
		}
	}
}

func TestRefusalsAreFinalAndDelaysAreNot(t *testing.T) {
	t.Parallel()
	server := smtpserver.Start(t)
	sender := smtp.Sender{Addr: server.Addr, From: "rollcall@example.com"}
	if err := sender.Send(t.Context(), message("gone@example.com")); !errors.Is(err, mail.ErrRefused) ||
		!strings.Contains(err.Error(), "no such user") {
		t.Errorf("an address that is gone: %v", err)
	}
	if err := sender.Send(t.Context(), message("later@example.com")); err == nil || errors.Is(err, mail.ErrRefused) ||
		!strings.Contains(err.Error(), "greylisted") {
		t.Errorf("an address for later: %v", err)
	}
	injected := message("ann@example.com")
	injected.To = "ann@example.com>\r\nRCPT TO:<all@example.com"
	if err := sender.Send(t.Context(), injected); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("an address with a line break: %v", err)
	}
}

func TestAServerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = smtp.Sender{Addr: silent.Addr().String(), From: "rollcall@example.com"}.Send(ctx, message("ann@example.com"))
	if err == nil || errors.Is(err, mail.ErrRefused) {
		t.Errorf("error %v", err)
	}
}

// TestTheSessionIsEncryptedBeforeItSignsIn has a server that wants both.
func TestTheSessionIsEncryptedBeforeItSignsIn(t *testing.T) {
	t.Parallel()
	certificate, key, roots := certificate(t)
	server := smtpserver.Start(t, certificate, key)
	sender := smtp.Sender{
		Addr: server.Addr, From: "rollcall@example.com", Username: "rollcall", Password: "secret",
		TLS: &tls.Config{RootCAs: roots},
	}
	if err := sender.Send(t.Context(), message("ann@example.com")); err != nil {
		t.Fatal(err)
	}
	if got := server.Next(); !got.Encrypted || !got.Authenticated {
		t.Errorf("encrypted %t, signed in %t", got.Encrypted, got.Authenticated)
	}
	for name, wrong := range map[string]func(*smtp.Sender){
		"a wrong password":     func(s *smtp.Sender) { s.Password = "other" },
		"an unknown authority": func(s *smtp.Sender) { s.TLS = &tls.Config{RootCAs: x509.NewCertPool()} },
	} {
		s := sender
		wrong(&s)
		if err := s.Send(t.Context(), message("ann@example.com")); err == nil || errors.Is(err, mail.ErrRefused) {
			t.Errorf("%s: error %v, want one that may pass", name, err)
		}
	}
}

// certificate makes a certificate of 127.0.0.1 and returns the names of its files.
func certificate(t *testing.T) (certificate, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{{127, 0, 0, 1}},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	dir := t.TempDir()
	for kind, content := range map[string][]byte{"CERTIFICATE": der, "PRIVATE KEY": encoded} {
		block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
		if err := os.WriteFile(filepath.Join(dir, kind), block, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "CERTIFICATE"), filepath.Join(dir, "PRIVATE KEY"), roots
}
