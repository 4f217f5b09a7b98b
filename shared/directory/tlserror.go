package directory

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
)

// alertText returns what a server said in the alert that ended a handshake, in Go's words, or nothing. crypto/tls has
// no type for it outside QUIC, and go-ldap keeps the text alone.
func alertText(err error) string {
	_, text, _ := strings.Cut(err.Error(), "remote error: tls: ")
	return text
}

// explainTLS turns a failed handshake into a sentence that says what to do.
func (s *session) explainTLS(err error, h *handshake) error {
	var known *Error
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &verification):
		return s.explainChain(verification, h)
	case errors.Is(err, errNotTrusted):
		return &Error{Code: CodeTLSChanged, Step: StepTLS, Err: err,
			Message: fmt.Sprintf("The server has another certificate than the one that is trusted: this one has the "+
				"SHA-256 %s. If the server has a new certificate, trust that one (Trust this certificate, "+
				"trustedCertificate); if not, somebody else may be answering.", fingerprint(h.chain[0]))}
	case h.asked && (alertText(err) != "" || h.probed || isHangUp(err)):
		return &Error{Code: CodeTLSClient, Step: StepTLS, Err: err,
			Message: "The server asks for a client certificate and takes nobody without one. Rollcall signs in with " +
				"username and password and has none: let the server do without (OpenLDAP: TLSVerifyClient never or " +
				"allow; 389 Directory Server: nsSSLClientAuth allowed)."}
	}
	return &Error{Code: CodeTLSFailed, Step: StepTLS, Err: err, Message: s.handshakeFailed(err)}
}

// handshakeFailed says what to do about a handshake that did not come as far as a certificate.
func (s *session) handshakeFailed(err error) string {
	// The TLS client has an error of its own for what it cannot read as a record.
	var record tls.RecordHeaderError
	notTLS := errors.Is(err, errNotTLS) || errors.As(err, &record)
	_, unreadable, isUnreadable := strings.Cut(err.Error(), "failed to parse certificate from server: ")
	switch {
	case notTLS && !s.to.UseSSL:
		return "The server agreed to STARTTLS and then sent something that is not TLS, so the connection was ended. " +
			"Use SSL and port 636 instead; if that fails as well, check what stands between here and the server."
	case notTLS:
		return "The server does not speak TLS on this port. Untick Use SSL for port 389, which uses STARTTLS, or use " +
			"port 636."
	case isOld(err):
		return "The server and Rollcall have no version of TLS and no cipher suite in common" + evenSo + "." +
			s.withoutSTARTTLS(StepTLS)
	case isHangUp(err) && s.to.UseSSL:
		return "The server ended the connection as TLS was set up" + evenSo + ". Check the port: with Use SSL it is " +
			"636 as a rule; port 389 needs Use SSL unticked. If the port is right, the server may have no " +
			"certificate (a domain controller without one does this): install one."
	case isHangUp(err):
		return "The server ended the connection as TLS was set up" + evenSo + ". It may have no certificate (a " +
			"domain controller without one does this): install one." + s.withoutSTARTTLS(StepTLS)
	case isUnreadable:
		return fmt.Sprintf("The server's certificate breaks the rules of its format, so that it cannot even be "+
			"trusted as it is (%s). Give the server a new certificate.", unreadable)
	}
	return fmt.Sprintf("TLS could not be set up: %v. Check that the port is right for Use SSL (636, or 389 without), "+
		"and that the server has a certificate and speaks TLS 1.2 or newer; for an older server tick Old TLS (oldTLS).",
		err)
}

// evenSo says that no older TLS helps: it is tried before such an error is told.
const evenSo = ", not even with TLS as old as Old TLS (oldTLS) allows"

// isOld reports whether a server ended a handshake with the alert of one that speaks another TLS.
func isOld(err error) bool {
	alerts := []string{"protocol version not supported", "handshake failure", "insufficient security level"}
	return slices.Contains(alerts, alertText(err)) || strings.Contains(err.Error(), "unsupported protocol version") ||
		strings.Contains(err.Error(), "unconfigured cipher suite")
}

// isHangUp reports whether a server ended the connection without a word.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}
