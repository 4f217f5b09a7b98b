package ldapd

import (
	"bufio"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// oidStartTLS is the extended operation of RFC 4511, 4.14.
const oidStartTLS = "1.3.6.1.4.1.1466.20037"

// session is one connection's state. Requests are answered in order, one at a time.
type session struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	secure bool
	// boundDN is empty while the session is anonymous.
	boundDN string
}

// upgrade puts TLS under the session.
func (n *session) upgrade(conn net.Conn) error {
	if n.server.config.TLS == nil {
		return fmt.Errorf("%w: TLS is not set up", errProtocol)
	}
	secured := tls.Server(conn, n.server.config.TLS)
	ctx, cancel := context.WithTimeout(context.Background(), stepLimit)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	n.conn, n.in, n.out = secured, bufio.NewReader(secured), bufio.NewWriter(secured)
	n.secure = true
	return nil
}

// serve answers requests until the client unbinds or goes, which is no error.
func (n *session) serve() error {
	for {
		if err := n.conn.SetDeadline(time.Now().Add(idleLimit)); err != nil {
			return fmt.Errorf("set the session's deadline: %w", err)
		}
		frame, err := readFrame(n.in)
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := decode(frame)
		if err != nil {
			return err
		}
		if m.op.Tag == opUnbindRequest {
			return nil
		}
		if err := n.answer(m); err != nil {
			return err
		}
		if err := n.conn.SetWriteDeadline(time.Now().Add(stepLimit)); err != nil {
			return fmt.Errorf("set the session's deadline: %w", err)
		}
		if err := n.out.Flush(); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
}

func (n *session) answer(m message) error {
	switch m.op.Tag {
	case opBindRequest:
		return n.reply(m, opBindResponse, n.bind(m.op))
	case opSearchRequest:
		return n.search(m)
	case opExtendedRequest:
		return n.extended(m)
	case opModifyRequest, opAddRequest, opDeleteRequest, opModifyDNRequest, opCompareRequest:
		return n.reply(m, m.op.Tag+1, Result{Code: CodeUnwillingToPerform,
			Message: "the demo directory can only be read"})
	case opAbandonRequest:
		return nil // answers are whole before the next request is read: there is nothing left to abandon
	}
	return fmt.Errorf("%w: operation %d", errProtocol, m.op.Tag)
}

func (n *session) reply(m message, tag ber.Tag, r Result) error {
	return n.write(envelope(m.id, encodeResult(tag, r)))
}

func (n *session) write(b []byte) error {
	if _, err := n.out.Write(b); err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	return nil
}

// bind judges a bind request; whatever comes of it, the session is anonymous before (RFC 4513, 4).
func (n *session) bind(op *ber.Packet) Result {
	n.boundDN = ""
	if len(op.Children) < 3 {
		return Result{Code: CodeProtocolError, Message: "incomplete bind request"}
	}
	if version, err := integer(op.Children[0]); err != nil || version != 3 {
		return Result{Code: CodeProtocolError, Message: "only LDAP version 3 is spoken"}
	}
	if op.Children[2].Tag != 0 {
		return Result{Code: CodeAuthMethodNotSupported, Message: "only simple binds are offered"}
	}
	behaviour := n.server.config.Behaviour
	name, password := octets(op.Children[1]), octets(op.Children[2])
	if name == "" && password == "" {
		return behaviour.Anonymous
	}
	if password == "" {
		return Result{Code: CodeUnwillingToPerform,
			Message: "unauthenticated bind (a name without a password) disallowed"}
	}
	if !n.secure && behaviour.PlainBind.Code != CodeSuccess {
		return behaviour.PlainBind
	}
	for _, a := range n.server.config.Accounts {
		if a.answersTo(name) && subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) == 1 {
			n.boundDN = a.DN
			return Result{}
		}
	}
	return behaviour.WrongPassword
}

func (a Account) answersTo(name string) bool {
	for _, own := range a.Names {
		if strings.EqualFold(own, name) {
			return true
		}
	}
	own, ownErr := dnKey(a.DN)
	typed, typedErr := dnKey(name)
	return ownErr == nil && typedErr == nil && own == typed
}

// extended does STARTTLS and refuses the rest.
func (n *session) extended(m message) error {
	if len(m.op.Children) == 0 || octets(m.op.Children[0]) != oidStartTLS {
		return n.reply(m, opExtendedResponse, Result{Code: CodeProtocolError,
			Message: "unsupported extended operation"})
	}
	if n.secure {
		return n.reply(m, opExtendedResponse, Result{Code: CodeOperationsError, Message: "TLS is already in use"})
	}
	if n.server.config.TLS == nil {
		return n.reply(m, opExtendedResponse, Result{Code: CodeUnwillingToPerform, Message: "TLS is not set up"})
	}
	if n.in.Buffered() > 0 {
		// Bytes sent after the request and before the handshake would be read as if TLS had protected them.
		return fmt.Errorf("%w: data follows a STARTTLS request", errProtocol)
	}
	op := encodeResult(opExtendedResponse, Result{})
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, oidStartTLS, "responseName"))
	if err := n.write(envelope(m.id, op)); err != nil {
		return err
	}
	if err := n.out.Flush(); err != nil {
		return fmt.Errorf("answer STARTTLS: %w", err)
	}
	n.boundDN = ""
	return n.upgrade(n.conn)
}
