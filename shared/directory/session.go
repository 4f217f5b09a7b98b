package directory

import (
	"context"
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
	c     Config
	inUse *atomic.Int64
	// to is the connection, with host and port of the server at hand, and hosts all that was entered.
	to     settings.Connection
	hosts  string
	onStep func(run.Step)
	conn   net.Conn
	// socket is the connection below TLS, nil where it is of another kind.
	socket *socket
	// root is what the rootDSE says; empty where the server shows none.
	root rootDSE
	// filter is the query's or the default one. It is read once: tidied, it may be longer than a typed one may be.
	filter  *clause
	info    Info
	tracker tracker
	// peer is the address that the connection leads to.
	peer string
	// seen is the certificate that the step tls saw, and tlsNotes what is unusual about it.
	seen     *run.Certificate
	tlsNotes []string
	// unencrypted says why the connection is not encrypted; empty where it is.
	unencrypted string
	// attributes are those to ask for, and names has those of the settings by the other names that a server may answer
	// with, in lower case.
	attributes []string
	names      map[string][]string
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
	s.report(name, start, detail, err)
	return err
}

// report tells of a step that ends.
func (s *session) report(step string, start time.Time, detail string, err error) {
	done := run.Step{Step: step, Host: s.to.Host, OK: err == nil, MS: time.Since(start).Milliseconds(),
		Detail: shorten(detail, maxDetail)}
	if step == StepTLS {
		done.Certificate = s.seen
	}
	s.onStep(done)
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
				"Check the host and the port, and whether a firewall lets this service through.%s",
				s.target(), s.c.StepTimeout, stepWords[step], s.withoutSTARTTLS(step))}
	}
	return &Error{Code: CodeProtocol, Step: step, Err: err, Message: fmt.Sprintf("%s broke off (%s): %s. "+
		"Check that an LDAP server listens on this port, and Use SSL.%s", s.target(), stepWords[step], cause(err),
		s.withoutSTARTTLS(step))}
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

func (s *session) target() string {
	return net.JoinHostPort(strings.Trim(s.to.Host, "[]"), strconv.Itoa(s.to.Port))
}

func (s *session) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

// resolve looks the name up once; the addresses that are checked here are the ones that are dialled.
func (s *session) resolve(ctx context.Context) (addresses []netip.Addr, err error) {
	err = s.step(ctx, StepResolve, func(ctx context.Context) (string, error) {
		if s.c.AllowPort != nil {
			if err := s.c.AllowPort(s.to.Port); err != nil {
				return "", &Error{Code: CodeAddressForbidden, Step: StepResolve, Err: err,
					Message: fmt.Sprintf("Port %d must not be reached from here: %v.", s.to.Port, err)}
			}
		}
		var err error
		if addresses, err = s.addresses(ctx); err != nil {
			return "", err
		}
		var names []string
		for _, a := range addresses {
			if s.c.Allow != nil {
				if err := s.c.Allow(a); err != nil {
					return "", &Error{Code: CodeAddressForbidden, Step: StepResolve, Err: err,
						Message: fmt.Sprintf("%s leads to an address that must not be reached from here: %v.",
							s.to.Host, err)}
				}
			}
			names = append(names, a.String())
		}
		return s.to.Host + " is " + strings.Join(names, ", "), nil
	})
	return addresses, err
}

// addresses returns the addresses of the server's name.
func (s *session) addresses(ctx context.Context) ([]netip.Addr, error) {
	host, err := asciiHost(s.to.Host)
	if err != nil {
		return nil, s.unknownName(err)
	}
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal.Unmap()}, nil
	}
	addresses, err := s.c.Resolve(ctx, host)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil || len(addresses) == 0 {
		return nil, s.unknownName(err)
	}
	for i, a := range addresses {
		addresses[i] = a.Unmap()
	}
	return addresses, nil
}

func (s *session) unknownName(err error) error {
	return &Error{Code: CodeHostNotFound, Step: StepResolve, Err: err,
		Message: fmt.Sprintf("No server is known by the name %q. Check the spelling, and whether the name is "+
			"known outside your own network.", s.to.Host)}
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
			s.conn, s.peer = newSocket(conn), address
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

// rearm restores the step's deadline, which taking a connection back had to move.
func (s *session) rearm(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	s.conn.SetDeadline(deadline)
}

// isRefused reports whether a connection was refused, and not unreachable.
func isRefused(err error) bool { return strings.Contains(err.Error(), "refused") }
