package directory

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// alertText returns what a server said in the alert that ended a handshake, in Go's words, or nothing. crypto/tls has
// no type for it outside QUIC.
func alertText(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// explainTLS turns a failed handshake into a sentence that says what to do.
func (s *session) explainTLS(err error, h *handshake) error {
	var verification *tls.CertificateVerificationError
	// The TLS client has an error of its own for what it cannot read as a record.
	var record tls.RecordHeaderError
	notTLS := errors.Is(err, errNotTLS) || errors.As(err, &record)
	alert, text := alertText(err), err.Error()
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
	case h.asked && (alert != "" || isHangUp(err)):
		out.Code = CodeTLSClient
		out.Message = "The server asks for a client certificate and takes nobody without one. Rollcall signs in with " +
			"username and password and has none: let the server do without (OpenLDAP: TLSVerifyClient never or " +
			"allow; " +
			"389 Directory Server: nsSSLClientAuth allowed)."
	case alert == "protocol version not supported", strings.Contains(text, "unsupported protocol version"):
		s.explainOld(out, "The server speaks only versions of TLS before 1.2.",
			"The server speaks no version of TLS that is known here, not even TLS 1.0.")
	case alert == "handshake failure", alert == "insufficient security level",
		strings.Contains(text, "unconfigured cipher suite"):
		s.explainOld(out, "The server and Rollcall have no cipher suite in common: servers that offer only key "+
			"exchange "+
			"by RSA, or only 3DES or RC4, are as old as that.",
			"The server and Rollcall have no cipher suite in common, not even an old one.")
	case isHangUp(err):
		out.Message = "The server ended the connection as TLS was set up. It may have no certificate (a domain " +
			"controller without one does this), or none for this name: install one. Servers from before 2010 do it " +
			"where TLS is too new for them: tick Old TLS (oldTLS)." + s.withoutSTARTTLS(StepTLS)
	case strings.Contains(text, "failed to parse certificate"):
		out.Message = fmt.Sprintf("The server's certificate breaks the rules of its format, so that it cannot even be "+
			"trusted as it is (%s). Give the server a new certificate.", text[strings.LastIndex(text, "x509: ")+1:])
	default:
		out.Message = fmt.Sprintf("TLS could not be set up: %v. Check that the port is right for Use SSL (636, or "+
			"389 without), and that the server has a certificate and speaks TLS 1.2 or newer; for an older server "+
			"tick "+
			"Old TLS (oldTLS).", err)
	}
	return out
}

// explainOld says what to do about a server whose TLS is old, or too old for Old TLS.
func (s *session) explainOld(out *Error, old, tooOld string) {
	if !s.to.OldTLS {
		out.Code = CodeTLSOld
		out.Message = old + " Update the server, or tick Old TLS (oldTLS), which protects less."
		return
	}
	out.Message = tooOld + s.withoutSTARTTLS(StepTLS)
}

// isHangUp reports whether a server ended the connection without a word.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}
