package directory

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

func (s *session) tlsConfig() (*tls.Config, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if s.to.CACertificate != "" && !pool.AppendCertsFromPEM([]byte(s.to.CACertificate)) {
		return nil, &Error{Code: CodeTLSFailed, Step: StepTLS,
			Message: "The CA certificate in the settings cannot be read: it must be PEM, starting with -----BEGIN " +
				"CERTIFICATE-----."}
	}
	name, err := asciiHost(s.to.Host)
	if err != nil {
		return nil, s.unknownName(err)
	}
	return &tls.Config{ServerName: name, RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// explainTLS turns a failed handshake into a sentence that says what to do.
func (s *session) explainTLS(err error) error {
	out := &Error{Code: CodeTLSFailed, Step: StepTLS, Err: err}
	var chain []*x509.Certificate
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		chain = verification.UnverifiedCertificates
	}
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	// The TLS client has an error of its own for what it cannot read as a record.
	var record tls.RecordHeaderError
	notTLS := errors.Is(err, errNotTLS) || errors.As(err, &record)
	switch {
	case errors.As(err, &name):
		out.Code = CodeTLSName
		out.Message = fmt.Sprintf("The certificate is not for %s, but for %s. Enter one of these names as the LDAP "+
			"server, or give the server a certificate with the name %s.",
			s.to.Host, certificateNames(name.Certificate), s.to.Host)
	case errors.As(err, &authority):
		out.Code = CodeTLSAuthority
		out.Message = "The certificate comes from an authority that is not known here. If the chain is right, paste " +
			"the CA certificate (PEM) into the settings (caCertificate). The server showed: " + describeChain(chain)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		out.Code = CodeTLSExpired
		out.Message = fmt.Sprintf("The certificate of %s is valid from %s to %s, and not now. Renew it on the "+
			"server, or set the server's clock.",
			certificateName(invalid.Cert), invalid.Cert.NotBefore.UTC().Format(time.DateOnly),
			invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	case notTLS && !s.to.UseSSL:
		out.Message = "The server agreed to STARTTLS and then sent something that is not TLS, so the connection was " +
			"ended. Use SSL and port 636 instead; if that fails as well, check what stands between here and the server."
	case notTLS:
		out.Message = "The server does not speak TLS on this port. Untick Use SSL for port 389, which uses STARTTLS, " +
			"or use port 636."
	default:
		out.Message = fmt.Sprintf("TLS could not be set up: %v. Check that the port is right for Use SSL (636, or "+
			"389 without), and that the server has a certificate and speaks TLS 1.2 or newer.", err)
		if len(chain) > 0 {
			out.Message += " The server showed: " + describeChain(chain)
		}
	}
	return out
}

// certificateNames lists the names that a certificate is for. A name in CN alone no longer counts (RFC 9525, 2),
// so the text says so.
func certificateNames(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("no name at all (its subject is %q, but a name must stand in subjectAltName)", c.Subject)
}

func certificateName(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return c.Subject.String()
}

// describeChain shows a chain as the server sent it, from its own certificate up.
func describeChain(chain []*x509.Certificate) string {
	var parts []string
	for _, c := range chain {
		parts = append(parts, fmt.Sprintf("%q issued by %q, valid until %s", c.Subject, c.Issuer,
			c.NotAfter.UTC().Format(time.DateOnly)))
	}
	return strings.Join(parts, "; ") + "."
}
