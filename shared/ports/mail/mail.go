// Package mail is the port to whatever sends mails: SES on AWS, an SMTP server for local.
package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// ErrRefused means that a mail will never be taken as it is, such as for an address that does not exist: to try again
// does not help.
var ErrRefused = errors.New("the mail was refused")

// Sender sends mails.
type Sender interface {
	// Send hands a mail over to be delivered to its one recipient. ErrRefused is final; any other error may pass.
	Send(ctx context.Context, m Message) error
}

// Message is one mail to one recipient.
type Message struct {
	// ID is the part before the @ of the Message-ID; the same mail that is sent again has the same one.
	ID string
	// To is an address in ASCII without a name.
	To            string
	Subject, Text string
	Date          time.Time
	// Page is where the recipient can see to it that no more mails come; empty where that is not known.
	Page string
}

// name is what mails come from, before the address.
const name = "Rollcall"

// CheckFrom reports what is wrong with an address that mails are to come from.
func CheckFrom(from string) error {
	if a, err := mail.ParseAddress(from); err != nil || a.Name != "" || a.Address != from || !isASCII(from) {
		return fmt.Errorf("%q is no mail address such as rollcall@example.com", from)
	}
	return nil
}

// Headers say of a mail that a program sent it (RFC 3834), so that nobody's absence note comes back, and how to get no
// more of them (RFC 2369).
func (m Message) Headers() [][2]string {
	headers := [][2]string{{"Auto-Submitted", "auto-generated"}, {"X-Auto-Response-Suppress", "All"}}
	if m.Page != "" {
		headers = append(headers, [2]string{"List-Unsubscribe", "<" + m.Page + ">"})
	}
	return headers
}

// From returns who a mail from an address comes from, as its header has it.
func From(from string) string { return (&mail.Address{Name: name, Address: from}).String() }

// Encode writes a mail from an address as it goes over the wire (RFC 5322, RFC 2045): plain text in UTF-8.
func (m Message) Encode(from string) ([]byte, error) {
	if a, err := mail.ParseAddress(m.To); err != nil || a.Address != m.To {
		return nil, fmt.Errorf("%w: %q is no address", ErrRefused, m.To)
	}
	_, domain, _ := strings.Cut(from, "@")
	headers := [][2]string{
		{"From", From(from)},
		{"To", (&mail.Address{Address: m.To}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", m.Subject)},
		{"Date", m.Date.Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	}
	headers = append(headers, m.Headers()...)
	var b bytes.Buffer
	for _, h := range headers {
		// mime folds what it encodes; nothing else may hold a line break, or it could end the headers.
		value := strings.ReplaceAll(h[1], "\r\n ", " ")
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("%w: header %s holds what no header may: %q", ErrRefused, h[0], h[1])
		}
		fmt.Fprintf(&b, "%s:%s\r\n", h[0], folded(len(h[0])+1, value))
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// folded breaks a header before its words where a line would be longer than 76 bytes (RFC 5322, 2.2.3; RFC 2047, 2).
// length is that of what stands before it.
func folded(length int, value string) string {
	const most = 76
	var b strings.Builder
	for word := range strings.SplitSeq(value, " ") {
		if length+1+len(word) > most {
			b.WriteString("\r\n")
			length = 0
		}
		b.WriteString(" " + word)
		length += 1 + len(word)
	}
	return b.String()
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
