package authority_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollcall/local/demo/authority"
)

func parse(t *testing.T, encoded []byte) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(encoded)
	if block == nil || len(rest) > 0 {
		t.Fatalf("not one PEM block: %q", encoded)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssuedCertificateVerifies(t *testing.T) {
	for _, c := range []struct {
		name         string
		loopbackOnly bool
		issueFor     string
		dial         string
		wantErr      any
	}{
		{"its own name", true, "localhost", "localhost", nil},
		{"an address", true, "127.0.0.1", "127.0.0.1", nil},
		{"IPv6 loopback", true, "::1", "::1", nil},
		{"another name", false, "wrong.example.com", "localhost", new(x509.HostnameError)},
		{"a name outside the constraints", true, "dc1.example.com", "dc1.example.com",
			new(x509.CertificateInvalidError)},
		{"a free authority signs any name", false, "dc1.example.com", "dc1.example.com", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := authority.New(authority.Config{Name: "test CA", LoopbackOnly: c.loopbackOnly})
			if err != nil {
				t.Fatal(err)
			}
			certificate, _, err := a.Issue(c.issueFor)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM([]byte(a.PEM())) {
				t.Fatal("the authority's PEM holds no certificate")
			}
			_, err = parse(t, certificate).Verify(x509.VerifyOptions{Roots: roots, DNSName: c.dial})
			switch {
			case c.wantErr == nil && err != nil:
				t.Errorf("verify: %v", err)
			case c.wantErr != nil && !errors.As(err, c.wantErr):
				t.Errorf("verify = %v, want a %T", err, c.wantErr)
			}
		})
	}
}

func TestLoadKeepsTheAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	now := time.Now()
	load := func() string {
		t.Helper()
		a, err := authority.Load(dir, authority.Config{Name: "test CA", Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return a.PEM()
	}
	first := load()
	if load() != first {
		t.Error("a second load made another authority")
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info.Mode(), err)
	}
	now = now.AddDate(10, 0, 0)
	renewed := load()
	if renewed == first {
		t.Error("an authority at its end was kept")
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if load() == renewed {
		t.Error("a damaged authority was kept")
	}
}
