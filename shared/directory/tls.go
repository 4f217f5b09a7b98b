package directory

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/run"
)

// errNotTrusted means that a server has another certificate than the one that is trusted.
var errNotTrusted = errors.New("the certificate is not the trusted one")

// handshake is what a TLS handshake showed.
type handshake struct {
	// chain is what the server sent, its own certificate first; it may be empty.
	chain []*x509.Certificate
	// roots and cas are what the chain is checked against: all of it, and what the settings add to the system's.
	roots *x509.CertPool
	cas   []*x509.Certificate
	// asked is set where the server asked for a client's certificate.
	asked bool
}

// tlsConfig returns how TLS is set up, with a record of what it shows.
func (s *session) tlsConfig(h *handshake) (*tls.Config, error) {
	var err error
	if h.roots, err = x509.SystemCertPool(); err != nil {
		h.roots = x509.NewCertPool()
	}
	if s.to.CACertificate != "" && !h.roots.AppendCertsFromPEM([]byte(s.to.CACertificate)) {
		return nil, &Error{Code: CodeTLSFailed, Step: StepTLS,
			Message: "The CA certificate in the settings cannot be read: it must be PEM, starting with -----BEGIN " +
				"CERTIFICATE-----."}
	}
	h.cas = certificatesIn(s.to.CACertificate)
	config := &tls.Config{ServerName: s.tlsName(), RootCAs: h.roots, MinVersion: tls.VersionTLS12,
		VerifyConnection: func(state tls.ConnectionState) error {
			h.chain = state.PeerCertificates
			if trusted := s.to.TrustedCertificate; trusted != "" && trusted != "sha256:"+fingerprint(h.chain[0]) {
				return errNotTrusted
			}
			return nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			h.asked = true
			return new(tls.Certificate), nil
		},
		// VerifyConnection compares the certificate with the one that is trusted.
		InsecureSkipVerify: s.to.TrustedCertificate != "", //nolint:gosec // as said
	}
	if s.to.OldTLS {
		config.MinVersion = tls.VersionTLS10
		for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	return config, nil
}

// tlsName is the name that a certificate must be for. That it is a name has been found out when it was looked up.
func (s *session) tlsName() string {
	name, _ := asciiHost(s.to.Host)
	return name
}

// sees takes the chain out of an error of the handshake.
func (h *handshake) sees(err error) {
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		h.chain = verification.UnverifiedCertificates
	}
}

// probe asks a server for its rootDSE. In TLS 1.3 a server judges the client's certificate after the client's handshake
// is over: its next answer tells what it thinks.
func (s *session) probe(ctx context.Context) error {
	conn, giveBack := s.ldapConn()
	_, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	giveBack()
	s.rearm(ctx)
	var e *ldap.Error
	if errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork {
		return nil
	}
	return err
}

// The most that is told of a certificate, which a run keeps in its record: each text in bytes, and the names.
const (
	maxCertificateText  = 256
	maxCertificateNames = 20
)

// certificate describes the server's own certificate, nil where none was seen.
func (h *handshake) certificate() *run.Certificate {
	if len(h.chain) == 0 {
		return nil
	}
	leaf := h.chain[0]
	out := &run.Certificate{
		Subject: shorten(leaf.Subject.String(), maxCertificateText), Names: []string{},
		Issuer: shorten(leaf.Issuer.String(), maxCertificateText), SHA256: fingerprint(leaf),
		NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(),
	}
	for _, name := range namesOf(leaf) {
		if len(out.Names) == maxCertificateNames {
			break
		}
		out.Names = append(out.Names, shorten(name, maxCertificateText))
	}
	return out
}

// fingerprint is the SHA-256 of a certificate, hexadecimal.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// namesOf lists the host names and IP addresses that a certificate is for.
func namesOf(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func certificateName(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return c.Subject.String()
}
