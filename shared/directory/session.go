package directory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// session is one connection to a directory, on its way through the steps.
type session struct {
	c      Config
	inUse  *atomic.Int64
	to     settings.Connection
	onStep func(run.Step)
	conn   net.Conn
	// socket is the connection below TLS, nil where it is of another kind.
	socket *socket
	// root is what the rootDSE says; empty where the server shows none.
	root    rootDSE
	info    Info
	tracker tracker
}

// step runs one step under its deadline and reports it.
func (s *session) step(ctx context.Context, name string,
	do func(ctx context.Context) (detail string, err error)) error {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.c.StepTimeout)
	defer cancel()
	stop := s.guard(ctx)
	detail, err := do(ctx)
	stop()
	if err != nil {
		err = s.explain(ctx, name, err)
		detail = messageOf(err)
	}
	s.onStep(run.Step{Step: name, OK: err == nil, MS: time.Since(start).Milliseconds(),
		Detail: shorten(detail, maxDetail)})
	return err
}

// messageOf returns what an error says to an administrator, and shortens it in the error too: certificates and
// go-ldap's errors say what a server wrote.
func messageOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	e.Message = shorten(e.Message, maxDetail)
	return e.Message
}

// guard makes the connection's reads and writes end with ctx; stop takes that back.
func (s *session) guard(ctx context.Context) (stop func()) {
	conn := s.conn
	if conn == nil {
		return func() {}
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	unwatch := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() {
		unwatch()
		if s.conn != nil {
			s.conn.SetDeadline(time.Time{})
		}
	}
}

// explain gives an error of a step its code and its words.
func (s *session) explain(ctx context.Context, step string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return fmt.Errorf("%s: %w", step, context.Canceled)
	}
	// go-ldap hides the network's own timeout, and the connection's deadline may end a moment before the context's.
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || isTimeout(err) || ok && !time.Now().Before(deadline) {
		return &Error{Code: CodeTimeout, Step: step, Err: err,
			Message: fmt.Sprintf("%s gave no answer within %s (%s). "+
				"Check the host and the port, and whether a firewall lets this service through.",
				s.target(), s.c.StepTimeout, stepWords[step])}
	}
	return &Error{Code: CodeProtocol, Step: step, Err: err, Message: fmt.Sprintf("%s broke off (%s): %s. "+
		"Check that an LDAP server listens on this port, and Use SSL.", s.target(), stepWords[step], cause(err))}
}

var stepWords = map[string]string{
	StepResolve: "looking up the name", StepConnect: "connecting", StepTLS: "setting up TLS", StepBind: "signing in",
	StepBase: "reading what the server offers", StepSearch: "searching",
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// cause returns the network's own error text, which go-ldap wraps in a number and a title.
func cause(err error) string {
	var e *ldap.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

func (s *session) target() string { return net.JoinHostPort(s.to.Host, strconv.Itoa(s.to.Port)) }

// open goes through the steps up to the bind.
func (s *session) open(ctx context.Context) error {
	var addresses []netip.Addr
	err := s.step(ctx, StepResolve, func(ctx context.Context) (detail string, err error) {
		addresses, detail, err = s.resolve(ctx)
		return detail, err
	})
	if err != nil {
		return err
	}
	if err := s.step(ctx, StepConnect,
		func(ctx context.Context) (string, error) { return s.connect(ctx, addresses) }); err != nil {
		return err
	}
	if err := s.step(ctx, StepTLS, s.encrypt); err != nil {
		return err
	}
	return s.step(ctx, StepBind, s.bind)
}

func (s *session) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

// resolve looks the name up once; the addresses that are checked here are the ones that are dialled.
func (s *session) resolve(ctx context.Context) ([]netip.Addr, string, error) {
	if s.c.AllowPort != nil {
		if err := s.c.AllowPort(s.to.Port); err != nil {
			return nil, "", &Error{Code: CodeAddressForbidden, Step: StepResolve, Err: err,
				Message: fmt.Sprintf("Port %d must not be reached from here: %v.", s.to.Port, err)}
		}
	}
	host := strings.Trim(s.to.Host, "[]")
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, literal)
	} else if addresses, err = s.c.Resolve(ctx, host); err != nil || len(addresses) == 0 {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", &Error{Code: CodeHostNotFound, Step: StepResolve, Err: err,
			Message: fmt.Sprintf("No server is known by the name %q. Check the spelling, and whether the name is "+
				"known outside your own network.", s.to.Host)}
	}
	var names []string
	for i, a := range addresses {
		addresses[i] = a.Unmap()
		if s.c.Allow != nil {
			if err := s.c.Allow(addresses[i]); err != nil {
				return nil, "", &Error{Code: CodeAddressForbidden, Step: StepResolve, Err: err,
					Message: fmt.Sprintf("%s leads to an address that must not be reached from here: %v.",
						s.to.Host, err)}
			}
		}
		names = append(names, addresses[i].String())
	}
	return addresses, s.to.Host + " is " + strings.Join(names, ", "), nil
}

// connect dials the addresses in turn.
func (s *session) connect(ctx context.Context, addresses []netip.Addr) (string, error) {
	var failures []error
	for i, a := range addresses {
		address := netip.AddrPortFrom(a, uint16(s.to.Port)).String()
		// Later addresses get their share of the time.
		limit, cancel := context.WithTimeout(ctx, s.c.StepTimeout/time.Duration(len(addresses)-i))
		conn, err := s.c.Dial(limit, "tcp", address)
		cancel()
		if err == nil {
			s.conn = newSocket(conn)
			s.socket, _ = s.conn.(*socket)
			return "connected to " + address, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	err := errors.Join(failures...)
	switch {
	case ctx.Err() != nil, isTimeout(err):
		return "", err
	case isRefused(err):
		return "", &Error{Code: CodeConnectRefused, Step: StepConnect, Err: err,
			Message: fmt.Sprintf("%s refuses connections. Check the port: 389, or 636 with SSL; 3268 and 3269 for a "+
				"global catalog.", s.target())}
	}
	return "", &Error{Code: CodeConnectFailed, Step: StepConnect, Err: err,
		Message: fmt.Sprintf("%s cannot be reached: %s.", s.target(), cause(err))}
}

// ldapConn gives go-ldap the connection for the time of one step.
func (s *session) ldapConn() (*ldap.Conn, func()) {
	lent := lend(s.conn)
	conn := ldap.NewConn(lent, s.to.UseSSL)
	conn.Start()
	return conn, func() {
		lent.Close()
		conn.Close()
	}
}

// encrypt sets up TLS: from the first byte, or with STARTTLS (RFC 4511, 4.14).
func (s *session) encrypt(ctx context.Context) (string, error) {
	if !s.to.UseSSL {
		if err := s.startTLS(); err != nil {
			var refused *Error
			if s.to.AllowUnencrypted && errors.As(err, &refused) && refused.Code == CodeStartTLSRefused {
				s.info.Notes = append(s.info.Notes, "the server refused STARTTLS; the connection is not encrypted")
				return "not encrypted: the server refused STARTTLS, and unencrypted connections are allowed", nil
			}
			return "", err
		}
	}
	config, err := s.tlsConfig()
	if err != nil {
		return "", err
	}
	conn := tls.Client(newBuffered(s.conn), config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil || isTimeout(err) {
			return "", err
		}
		return "", s.explainTLS(err)
	}
	s.conn = conn
	state := conn.ConnectionState()
	return fmt.Sprintf("%s, certificate of %s, valid until %s", tls.VersionName(state.Version),
		certificateName(state.PeerCertificates[0]), state.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)), nil
}

// rearm restores the step's deadline, which taking a connection back had to move.
func (s *session) rearm(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	s.conn.SetDeadline(deadline)
}

// isRefused reports whether a connection was refused, and not unreachable.
func isRefused(err error) bool { return strings.Contains(err.Error(), "refused") }
