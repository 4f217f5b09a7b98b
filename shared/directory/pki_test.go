package directory_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// holder is a certificate of the laboratory with its key.
type holder struct {
	*x509.Certificate
	key crypto.Signer
}

// rsaKey is the one RSA key: to make one takes long, and it is as good for all.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// issue makes a certificate for loopback, signed by another, or by itself where there is none.
func issue(t *testing.T, by *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issueFor(t, key, by, change)
}

// issueRSA is issue with an RSA key.
func issueRSA(t *testing.T, by *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	return issueFor(t, rsaKey(), by, change)
}

func issueFor(t *testing.T, key crypto.Signer, by *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	if by == nil {
		by = &holder{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{made, key}
}

// authority makes the template one of a CA.
func authority(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.IPAddresses, c.ExtKeyUsage = pkix.Name{CommonName: name}, nil, nil
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
}

func (h *holder) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Raw}))
}

func (h *holder) hash() string {
	sum := sha256.Sum256(h.Raw)
	return hex.EncodeToString(sum[:])
}

func (h *holder) trusted() string { return "sha256:" + h.hash() }

// server is the configuration of a server with this certificate, which sends the given ones beside it.
func (h *holder) server(beside ...*holder) *tls.Config {
	c := tls.Certificate{Certificate: [][]byte{h.Raw}, PrivateKey: h.key}
	for _, other := range beside {
		c.Certificate = append(c.Certificate, other.Raw)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS10}
}
