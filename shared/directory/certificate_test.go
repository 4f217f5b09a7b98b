package directory_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"rollcall/shared/directory"
)

// pemOf makes a PEM block, a certificate's where the kind says so.
func pemOf(t *testing.T, kind string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	certificate := pemOf(t, "CERTIFICATE")
	for name, test := range map[string]struct{ text, says string }{
		"none":                     {"", ""},
		"a certificate":            {certificate, ""},
		"two certificates":         {certificate + "\n" + certificate, ""},
		"no PEM":                   {"MIIB", "BEGIN CERTIFICATE"},
		"a key":                    {pemOf(t, "PRIVATE KEY"), "never a key"},
		"key behind a certificate": {certificate + pemOf(t, "EC PRIVATE KEY"), "never a key"},
		"too long":                 {strings.Repeat("x", 64<<10+1), "longer than 65536"},
		"nonsense": {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
			"cannot be read"},
		// Whoever pastes a chain and loses its end must hear of it now, not when the server's certificate is not
		// trusted.
		"second certificate cut off": {certificate + certificate[:200], "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := directory.CheckCertificate(test.text)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
}
