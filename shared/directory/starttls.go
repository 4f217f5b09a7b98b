package directory

import (
	"fmt"
	"io"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/settings"
)

const (
	startTLSOID = "1.3.6.1.4.1.1466.20037"
	// startTLSID is the id of the request's message, the first of the connection.
	startTLSID = 1
	// maxStartTLSAnswer bounds the answer in bytes.
	maxStartTLSAnswer = 64 << 10
)

// startTLS asks the server for TLS (RFC 4511, 4.14). It reads the answer and not a byte more, which go-ldap does not
// promise: what follows in the clear reaches the TLS client, which ends the connection.
func (s *session) startTLS() error {
	request := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	request.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLSOID, ""))
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(number(startTLSID))
	envelope.AppendChild(request)
	if _, err := s.conn.Write(envelope.Bytes()); err != nil {
		return err
	}
	raw, err := readMessage(s.conn, maxStartTLSAnswer)
	if err != nil {
		return err
	}
	m, err := parseMessage(raw)
	if err != nil {
		return err
	}
	if m.tag != tagExtended {
		return fmt.Errorf("%w: tag %#x in answer to STARTTLS", errMalformed, m.tag)
	}
	answer, _, err := parseResult(m.op)
	switch {
	case err != nil:
		return err
	case m.id != startTLSID:
		return fmt.Errorf("the server ended the connection (%w)", answer)
	case answer.code != ldap.LDAPResultSuccess:
		return &Error{Code: CodeStartTLSRefused, Step: StepTLS, Err: answer,
			Message: fmt.Sprintf("The server refuses STARTTLS (result %d, %s).%s",
				answer.code, ldap.LDAPResultCodeMap[uint16(answer.code)], s.withoutSTARTTLS(StepTLS))}
	}
	return nil
}

// withoutSTARTTLS says what to do about a server that STARTTLS does not work with, where it failed at a step.
func (s *session) withoutSTARTTLS(step string) string {
	if step != StepTLS || s.to.UseSSL {
		return ""
	}
	advice := " A server without STARTTLS may have a port of its own for SSL: tick Use SSL and use port 636. " +
		"Otherwise set " +
		"up a certificate on the server"
	switch {
	case s.to.Encryption == settings.Preferred:
		return advice + "."
	case s.to.AllowUnencrypted:
		return advice + ", or, only inside a network that you trust, save these settings once more: with Encryption " +
			"(encryption) “preferred” they now go on without it in whatever way it fails."
	}
	return advice + ", or, only inside a network that you trust, choose “preferred” or “none” as Encryption " +
		"(encryption)."
}

// readMessage reads one message of at most limit bytes, and nothing after it.
func readMessage(r io.Reader, limit int) ([]byte, error) {
	message := make([]byte, 2)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	for {
		header, length, err := elementSize(message)
		if err != nil {
			return nil, err
		}
		total := header + length
		if header == 0 {
			// The length itself goes on.
			total = len(message) + 1
		}
		missing := total - len(message)
		switch {
		case missing == 0:
			return message, nil
		case total > limit:
			return nil, errTooMuch
		}
		message = append(message, make([]byte, missing)...)
		if _, err := io.ReadFull(r, message[total-missing:]); err != nil {
			return nil, err
		}
	}
}
