// Package authority is a small certificate authority for servers on this machine: the demo directories and the real
// servers that the end-to-end tests start. It exists so that TLS is verified there like anywhere else.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// ErrUnusable means that the stored authority cannot sign any more: its files do not belong together, do not parse,
// or it is about to expire.
var ErrUnusable = errors.New("the stored certificate authority cannot be used")

// File names of a stored authority.
const (
	CertificateFile = "ca.pem"
	keyFile         = "ca-key.pem"
)

// Lifetimes. A server gets a new certificate at each start.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 90 * 24 * time.Hour
	// clockSkew is how long before now a certificate starts to be valid.
	clockSkew = 5 * time.Minute
)

// Config says what authority to make.
type Config struct {
	// Name is the common name.
	Name string
	// LoopbackOnly limits the authority to localhost and loopback addresses by name constraints (RFC 5280,
	// 4.2.1.10), so that somebody who trusts it trusts it for nothing else.
	LoopbackOnly bool
	// Now is the clock; time.Now where it is nil.
	Now func() time.Time
}

// Authority signs server certificates.
type Authority struct {
	config      Config
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// New makes an authority with a new key (P-256).
func New(c Config) (*Authority, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	template, err := c.template()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	return fromDER(c, der, key)
}

func (c Config) template() (*x509.Certificate, error) {
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	now := c.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: c.Name},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if c.LoopbackOnly {
		template.PermittedDNSDomainsCritical = true
		template.PermittedDNSDomains = []string{"localhost"}
		template.PermittedIPRanges = []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		}
	}
	return template, nil
}

func fromDER(c Config, der []byte, key *ecdsa.PrivateKey) (*Authority, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &Authority{config: c, certificate: certificate, key: key, pem: encoded}, nil
}

// Load returns the authority that dir holds, or makes one there: ca.pem and ca-key.pem (mode 0600). One that can no
// longer sign is replaced.
func Load(dir string, c Config) (*Authority, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a, err := read(dir, c)
	if err == nil {
		return a, nil
	}
	if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, ErrUnusable) {
		return nil, err
	}
	if a, err = New(c); err != nil {
		return nil, err
	}
	return a, a.write(dir)
}

func read(dir string, c Config) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, CertificateFile), filepath.Join(dir, keyFile))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: its key is a %T", ErrUnusable, pair.PrivateKey)
	}
	a, err := fromDER(c, pair.Certificate[0], key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnusable, err)
	}
	if c.Now().Add(serverLife).After(a.certificate.NotAfter) {
		return nil, fmt.Errorf("%w: it ends on %s", ErrUnusable, a.certificate.NotAfter.Format(time.DateOnly))
	}
	return a, nil
}

func (a *Authority) write(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the authority's folder: %w", err)
	}
	key, err := encodeKey(a.key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), key, 0o600); err != nil {
		return fmt.Errorf("keep the authority's key: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, CertificateFile), a.pem, 0o600); err != nil {
		return fmt.Errorf("keep the authority's certificate: %w", err)
	}
	return nil
}

// PEM returns the authority's certificate, to be trusted by clients.
func (a *Authority) PEM() string { return string(a.pem) }

// Issue signs a server certificate for host names and IP addresses and returns it with its new key, both PEM. The
// first name is also the common name.
func (a *Authority) Issue(names ...string) (certificate, key []byte, err error) {
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a server's key: %w", err)
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, nil, err
	}
	now := a.config.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(serverLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for i, name := range names {
		if i == 0 {
			template.Subject.CommonName = name
		}
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &serverKey.PublicKey, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign a certificate for %v: %w", names, err)
	}
	key, err = encodeKey(serverKey)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key, err
}

// ServerTLS issues a certificate as Issue does and returns a TLS configuration that presents it.
func (a *Authority) ServerTLS(names ...string) (*tls.Config, error) {
	certificate, key, err := a.Issue(names...)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("pair a server's certificate with its key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// serialNumber returns 128 random bits (RFC 5280, 4.1.2.2: unique and at most 20 octets).
func serialNumber() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, fmt.Errorf("choose a serial number: %w", err)
	}
	return n, nil
}
