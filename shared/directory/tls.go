package directory

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

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
	// probed is set where it came to an end, and the server to its verdict afterwards.
	probed bool
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
	if s.c.Trust != nil {
		s.c.Trust.apply(s, h, config)
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

// olderTLS finds out, on a connection of its own, whether a server that ended a handshake speaks an older TLS: most end
// it without a word. It returns nil where that is not the reason. Nothing is sent but the handshake.
func (s *session) olderTLS(ctx context.Context, h *handshake) error {
	conn, err := s.c.Dial(ctx, "tcp", s.peer)
	if err != nil {
		return nil //nolint:nilerr // there is an error to tell already
	}
	other := session{c: s.c, to: s.to, conn: conn}
	other.to.OldTLS = true
	defer other.close()
	defer other.guard(ctx)()
	if !s.to.UseSSL && other.startTLS() != nil {
		return nil
	}
	var seen handshake
	config, err := other.tlsConfig(&seen)
	if err != nil {
		return err
	}
	// It is only looked at.
	config.InsecureSkipVerify, config.VerifyConnection = true, nil
	client := tls.Client(newBuffered(conn), config)
	if client.HandshakeContext(ctx) != nil {
		return nil
	}
	state := client.ConnectionState()
	h.chain = state.PeerCertificates
	suite := tls.CipherSuiteName(state.CipherSuite)
	reason := "cipher suites that are no longer used"
	switch {
	case state.Version < tls.VersionTLS12:
		reason = "versions of TLS before 1.2"
	case strings.HasPrefix(suite, "TLS_RSA_"):
		reason = "key exchange by RSA"
	}
	return &Error{Code: CodeTLSOld, Step: StepTLS,
		Message: fmt.Sprintf("The server offers only %s (%s, %s). Update it, or tick Old TLS (oldTLS), which protects "+
			"less.", reason, tls.VersionName(state.Version), suite)}
}

// probe asks a server for its rootDSE. In TLS 1.3 a server judges the client's certificate after the client's handshake
// is over: its next answer tells what it thinks.
func (s *session) probe(ctx context.Context) error {
	conn, giveBack := s.ldapConn()
	_, err := entryOf(conn, "", "1.1")
	giveBack()
	s.rearm(ctx)
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
