package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

// secure connects to a server and encrypts the connection. Where encryption is only preferred and fails, it connects
// again without it.
func (s *session) secure(ctx context.Context, addresses []netip.Addr) error {
	connect := func(ctx context.Context) (string, error) { return s.connect(ctx, addresses) }
	if err := s.step(ctx, StepConnect, connect); err != nil {
		return err
	}
	why := "encryption is switched off in the settings"
	if s.to.Mode() != settings.None {
		err := s.step(ctx, StepTLS, s.encrypt)
		if err == nil || !s.goesOnWithout(err) {
			return err
		}
		why = "encryption is only preferred, and STARTTLS failed: " + firstSentence(err)
		s.conn.Close()
		s.conn = nil
		if err := s.step(ctx, StepConnect, connect); err != nil {
			return err
		}
	}
	s.seen = nil
	s.unencrypted = why
	return s.step(ctx, StepTLS, func(context.Context) (string, error) {
		return "not encrypted: username, password and addresses can be read on the way (" + why + ")", nil
	})
}

// firstSentence is what an error says without what to do about it.
func firstSentence(err error) string {
	sentence, _, _ := strings.Cut(messageOf(err), ". ")
	return strings.TrimSuffix(sentence, ".")
}

// goesOnWithout reports whether a session goes on without encryption after an error of STARTTLS.
func (s *session) goesOnWithout(err error) bool {
	var e *Error
	switch {
	case s.to.Mode() != settings.Preferred || !errors.As(err, &e):
		return false
	case s.to.Encryption == "":
		// Stored by a build that went on after a refusal only.
		return e.Code == CodeStartTLSRefused
	}
	return true
}

// noteSecurity notes what is unusual about the encryption of a session that has begun.
func (s *session) noteSecurity() {
	if s.unencrypted != "" {
		s.info.Notes = append(s.info.Notes, "the connection is not encrypted: "+s.unencrypted)
		return
	}
	s.info.Notes = append(s.info.Notes, s.tlsNotes...)
}

// encrypt sets up TLS: from the first byte, or with STARTTLS (RFC 4511, 4.14).
func (s *session) encrypt(ctx context.Context) (string, error) {
	if !s.to.UseSSL {
		if err := s.startTLS(); err != nil {
			return "", err
		}
	}
	h := &handshake{}
	config, err := s.tlsConfig(h)
	if err != nil {
		return "", err
	}
	conn := tls.Client(newBuffered(s.conn), config)
	err = conn.HandshakeContext(ctx)
	if err == nil {
		s.conn = conn
		if h.asked && conn.ConnectionState().Version == tls.VersionTLS13 {
			h.probed = true
			err = s.probe(ctx)
		}
	}
	h.sees(err)
	if err != nil && !s.to.OldTLS && !h.asked && ctx.Err() == nil && (isOld(err) || isHangUp(err)) {
		if older := s.olderTLS(ctx, h); older != nil {
			err = older
		}
	}
	s.seen = h.certificate()
	if err != nil {
		if ctx.Err() != nil || isTimeout(err) {
			return "", err
		}
		return "", s.explainTLS(err, h)
	}
	s.noteTLS(conn.ConnectionState())
	leaf := h.chain[0]
	return fmt.Sprintf("%s, certificate of %s, valid until %s", tls.VersionName(conn.ConnectionState().Version),
		certificateName(leaf), leaf.NotAfter.UTC().Format(time.DateOnly)), nil
}

// wantsEncryption reports whether a server refused a request because of the connection's encryption. 389 Directory
// Server says so with result 53 and "Minimum SSF not met.", OpenLDAP with result 13.
func wantsEncryption(code int, diagnostic string) bool {
	return code == ldap.LDAPResultConfidentialityRequired ||
		strings.Contains(strings.ToLower(diagnostic), "ssf not met")
}

// encryptionWanted says what to do about a server that asks for more encryption before something.
func (s *session) encryptionWanted(before, said string) string {
	switch {
	case s.unencrypted == "":
		return fmt.Sprintf("The server asks for stronger encryption %s than this connection has (%s). Let the server "+
			"offer stronger cipher suites, or lower its minimum (OpenLDAP: security ssf; 389 Directory Server: "+
			"nsslapd-minssf).", before, said)
	case s.to.Mode() == settings.None:
		return fmt.Sprintf("The server asks for encryption %s (%s). Choose “required” as Encryption (encryption), or "+
			"tick Use SSL and use port 636.", before, said)
	}
	return fmt.Sprintf("The server asks for encryption %s (%s), and this connection has none, because %s. Solve that, "+
		"or tick Use SSL and use port 636.", before, said, s.unencrypted)
}

// noteTLS notes what does not protect as it should, though it was allowed.
func (s *session) noteTLS(state tls.ConnectionState) {
	s.tlsNotes = nil
	leaf, now := state.PeerCertificates[0], time.Now()
	if s.to.TrustedCertificate != "" {
		s.tlsNotes = append(s.tlsNotes,
			"the server's certificate is trusted as it is: its issuer, its names and its dates are not checked")
	}
	if s.to.TrustedCertificate != "" && !isCurrent(leaf, now) {
		s.tlsNotes = append(s.tlsNotes, "the trusted certificate "+validity(leaf, now))
	}
	if state.Version < tls.VersionTLS12 || isOldSuite(state.CipherSuite) {
		s.tlsNotes = append(s.tlsNotes, fmt.Sprintf("the connection uses old encryption (%s, %s), which somebody on "+
			"the way may break", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite)))
	}
}

func isOldSuite(id uint16) bool {
	for _, suite := range tls.InsecureCipherSuites() {
		if suite.ID == id {
			return true
		}
	}
	return false
}
