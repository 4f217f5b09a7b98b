package directory_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// serverCertificate returns a certificate for loopback, which is its own authority, and its PEM.
func serverCertificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return config, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestNothingFollowsTheAnswerToSTARTTLSInTheClear sends bytes right after the answer, where somebody on the way could
// put answers of their own (CVE-2011-0411).
func TestNothingFollowsTheAnswerToSTARTTLSInTheClear(t *testing.T) {
	t.Parallel()
	config, ca := serverCertificate(t)
	for name, clear := range map[string][]byte{
		"nothing":               nil,
		"the answer to a bind":  {0x30, 0x0c, 0x02, 0x01, 0x01, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00},
		"the start of one":      {0x30},
		"a warning as of TLS":   {0x15, 0x03, 0x01, 0x00, 0x02, 0x01, 0x5a},
		"a message of no bytes": {0x30, 0x00},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: offersPaging, tls: config, clear: clear,
				search: func(c *session, _ int, _ search) bool { c.person("a"); c.page(""); return true }}
			g := read(t, s, directory.Config{}, func(c *settings.Connection, _ *directory.Query) {
				c.Encryption, c.CACertificate = "", ca
			})
			if clear == nil {
				if g.err != nil || len(g.entries) != 1 {
					t.Errorf("%d entries, error %v; want one entry", len(g.entries), g.err)
				}
				return
			}
			var e *directory.Error
			if !errors.As(g.err, &e) || e.Step != directory.StepTLS {
				t.Errorf("error %v, want one of step %s", g.err, directory.StepTLS)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, op := range s.ops {
				if op == ldap.ApplicationBindRequest {
					t.Error("the password was sent all the same")
				}
			}
		})
	}
}
