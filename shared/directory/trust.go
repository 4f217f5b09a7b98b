package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Trust is what a Reader believes of certificates where that is not for the connection's settings to say: a connector's
// administrator chose it on site. A connection's CACertificate and TrustedCertificate then have to hold besides, so
// that they can narrow it and never widen it.
type Trust struct {
	// Roots are the authorities; nil means the system's.
	Roots *x509.CertPool
	// Certificates are servers' own, by their SHA-256 (64 hexadecimal digits). Each is trusted as it is: neither chain,
	// name nor dates are checked.
	Certificates []string
	// Saw is told of each certificate that was taken, with the authority that it leads to, nil for one of Certificates;
	// nil tells nobody.
	Saw func(leaf, root *x509.Certificate)
}

// SignIn goes through the steps up to the sign-in and no further. Its errors are those of Read.
func (r *Reader) SignIn(ctx context.Context, to settings.Connection, onStep func(run.Step)) error {
	s := r.newSession(to, onStep)
	defer s.close()
	return s.open(ctx)
}

// apply sets up TLS so that a certificate has to satisfy both what is trusted and the connection's settings.
func (t *Trust) apply(s *session, h *handshake, config *tls.Config) {
	if t.Roots != nil {
		h.roots = t.Roots
	} else if roots, err := x509.SystemCertPool(); err == nil {
		// Without what the settings add.
		h.roots = roots
	}
	ofSettings := config.VerifyConnection
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if err := ofSettings(state); err != nil {
			return err
		}
		return t.check(s, h)
	}
}

func (t *Trust) check(s *session, h *handshake) error {
	leaf, name := h.chain[0], s.tlsName()
	var root *x509.Certificate
	if slices.Contains(t.Certificates, fingerprint(leaf)) {
		// Its name was looked at by whoever trusted it.
		name = ""
	} else {
		chains, err := verify(h.chain, h.roots, name)
		if err != nil {
			return err
		}
		root = chains[0][len(chains[0])-1]
	}
	if s.to.CACertificate != "" {
		narrow := x509.NewCertPool()
		narrow.AppendCertsFromPEM([]byte(s.to.CACertificate))
		if _, err := verify(h.chain, narrow, name); err != nil {
			h.roots = narrow
			return err
		}
	}
	if t.Saw != nil {
		t.Saw(leaf, root)
	}
	return nil
}

// verify is what crypto/tls does of itself, with the same errors.
func verify(chain []*x509.Certificate, roots *x509.CertPool, name string) ([][]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, DNSName: name,
		CurrentTime: time.Now()})
	if err != nil {
		return nil, &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
	}
	return chains, nil
}
