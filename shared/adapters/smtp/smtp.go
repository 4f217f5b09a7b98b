// Package smtp sends mails through an SMTP server (RFC 5321), for local. The standard library's client is old and
// complete: it speaks what a relay needs, and nothing else has to be linked.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"time"

	"rollcall/shared/ports/mail"
)

// sendTime bounds the sending of one mail.
const sendTime = 20 * time.Second

// Sender is a mail.Sender on an SMTP server.
type Sender struct {
	// Addr is host:port of the server, From the address that mails come from.
	Addr, From string
	// Username and Password sign in (RFC 4616), where Username is set.
	Username, Password string
	// TLS is what the server's certificate is checked with; nil takes the system's authorities, and trusts this
	// machine.
	TLS *tls.Config
}

// Send sends a mail. The session is encrypted where the server offers STARTTLS, but for a server on this machine.
func (s Sender) Send(ctx context.Context, m mail.Message) error {
	data, err := m.Encode(s.From)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("reach the mail server %s: %w", s.Addr, err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	// A deadline does not see that ctx was cancelled.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	if err := s.deliver(conn, host, m.To, data); err != nil {
		return fmt.Errorf("mail server %s: %w", s.Addr, final(err))
	}
	return nil
}

// deliver speaks with the server.
func (s Sender) deliver(conn net.Conn, host, to string, data []byte) error {
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Hello("localhost"); err != nil {
		return err
	}
	if offered, _ := client.Extension("STARTTLS"); offered && (s.TLS != nil || !local(conn)) {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.TLS != nil {
			config = s.TLS.Clone()
		}
		config.ServerName = host
		if err := client.StartTLS(config); err != nil {
			return err
		}
	}
	if s.Username != "" {
		// It refuses to send the password unencrypted, but for a server on this machine.
		if err := client.Auth(smtp.PlainAuth("", s.Username, s.Password, host)); err != nil {
			return err
		}
	}
	if err := client.Mail(s.From); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return refused(err)
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return refused(err)
	}
	// The server has taken the mail: a session that does not end well changes nothing.
	_ = client.Quit()
	return nil
}

func local(conn net.Conn) bool {
	address, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}

// refusal is an answer about a recipient or a mail.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refused(err error) error { return refusal{err} }

// final marks the answers that stay (5xx) about a recipient or a mail. What a server says of the session, such as that
// it does not relay or does not know the password, somebody may put right.
func final(err error) error {
	var answer *textproto.Error
	var about refusal
	if errors.As(err, &about) && errors.As(err, &answer) && answer.Code >= 500 {
		return fmt.Errorf("%w: %w", mail.ErrRefused, answer)
	}
	return err
}
