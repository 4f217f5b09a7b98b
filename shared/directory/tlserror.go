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
	var verification *tls.CertificateVerificationError
	// The TLS client has an error of its own for what it cannot read as a record.
	var record tls.RecordHeaderError
	notTLS := errors.Is(err, errNotTLS) || errors.As(err, &record)
	alert, text := alertText(err), err.Error()
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	out := &Error{Code: CodeTLSFailed, Step: StepTLS, Err: err}
	switch {
	case errors.As(err, &verification):
		return s.explainChain(verification, h)
	case errors.Is(err, errNotTrusted):
		out.Code = CodeTLSChanged
		out.Message = fmt.Sprintf("The server has another certificate than the one that is trusted: this one has the "+
			"SHA-256 %s. If the server has a new certificate, trust that one (Trust this certificate, "+
			"trustedCertificate); if not, somebody else may be answering.", fingerprint(h.chain[0]))
	case notTLS && !s.to.UseSSL:
		out.Message = "The server agreed to STARTTLS and then sent something that is not TLS, so the connection was " +
			"ended. Use SSL and port 636 instead; if that fails as well, check what stands between here and the server."
	case notTLS:
		out.Message = "The server does not speak TLS on this port. Untick Use SSL for port 389, which uses STARTTLS, " +
			"or use port 636."
	case h.asked && (alert != "" || h.probed || isHangUp(err)):
		out.Code = CodeTLSClient
		out.Message = "The server asks for a client certificate and takes nobody without one. Rollcall signs in with " +
			"username and password and has none: let the server do without (OpenLDAP: TLSVerifyClient never or " +
			"allow; 389 Directory Server: nsSSLClientAuth allowed)."
	case isOld(err):
		out.Message = "The server and Rollcall have no version of TLS and no cipher suite in common" + evenSo + "." +
			s.withoutSTARTTLS(StepTLS)
	case isHangUp(err):
		out.Message = "The server ended the connection as TLS was set up" + evenSo + ". It may have no " +
			"certificate (a domain controller without one does this): install one." + s.withoutSTARTTLS(StepTLS)
	case strings.Contains(text, "failed to parse certificate"):
		_, reason, _ := strings.Cut(text, "x509: ")
		out.Message = fmt.Sprintf("The server's certificate breaks the rules of its format, so that it cannot even be "+
			"trusted as it is (%s). Give the server a new certificate.", reason)
	default:
		out.Message = fmt.Sprintf("TLS could not be set up: %v. Check that the port is right for Use SSL (636, or 389 "+
			"without), and that the server has a certificate and speaks TLS 1.2 or newer; for an older server tick "+
			"Old TLS (oldTLS).", err)
	}
	return out
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
