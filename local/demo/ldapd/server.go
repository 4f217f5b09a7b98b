// Package ldapd is a read-only LDAP server over entries in memory. It exists so that the demo directories behave like
// the products they stand for, down to STARTTLS, paging, references and the words of a refused bind, with nothing
// installed.
package ldapd

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"rollcall/local/demo/ldif"
)

// ErrDN means that a text is no distinguished name of RFC 4514.
var ErrDN = errors.New("not a distinguished name")

// errProtocol means that a request is not what RFC 4511 describes; the session ends.
var errProtocol = errors.New("not a valid LDAP request")

// Times a session may take.
const (
	// idleLimit is how long a session may wait between requests.
	idleLimit = 10 * time.Minute
	// stepLimit is how long a TLS handshake or the writing of an answer may take.
	stepLimit = 30 * time.Second
)

// Account may bind. Names lists what is accepted besides the DN (user@domain, DOMAIN\user), without regard to case.
type Account struct {
	DN       string
	Names    []string
	Password string
}

// Behaviour has the answers in which products differ.
type Behaviour struct {
	// WrongPassword answers a bind with unknown name or wrong password.
	WrongPassword Result
	// Anonymous answers a bind without name and password; with CodeSuccess the session stays anonymous.
	Anonymous Result
	// BindFirst answers an anonymous session's search outside the root DSE.
	BindFirst Result
	// PlainBind answers a bind before TLS; with CodeSuccess it is judged like any other.
	PlainBind Result
	// NoSuchObject has the text of a search below a missing base; code and matched DN are set by the server.
	NoSuchObject string
	// SearchFromRoot lets a search with the empty base find every entry. Active Directory only does so in its global
	// catalog.
	SearchFromRoot bool
}

// Config is what a server serves.
type Config struct {
	// Entries need not be in order; each must have a name of its own.
	Entries []ldif.Entry
	// RootDSE has the attributes of the entry with the empty name (RFC 4512, 5.1).
	RootDSE  ldif.Entry
	Accounts []Account
	// ReferenceBase is the DN whose subtree search also gives References, which are LDAP URLs.
	ReferenceBase string
	References    []string
	Behaviour     Behaviour
	// TLS serves STARTTLS, and TLS from the first byte on the same port; nil refuses both.
	TLS *tls.Config
	Log *slog.Logger
}

// Server serves a Config until it is closed.
type Server struct {
	config        Config
	rootDSE       *record
	records       []*record
	byKey         map[string]*record
	referenceBase string

	mu      sync.Mutex
	closed  bool
	open    map[io.Closer]struct{}
	running sync.WaitGroup
}

// record is an entry made ready for searching.
type record struct {
	entry  ldif.Entry
	key    string
	values map[string][]string
}

func newRecord(e ldif.Entry) (*record, error) {
	key, err := dnKey(e.DN)
	if err != nil {
		return nil, err
	}
	r := &record{entry: e, key: key, values: make(map[string][]string, len(e.Attributes))}
	for _, a := range e.Attributes {
		r.values[strings.ToLower(a.Name)] = a.Values
	}
	return r, nil
}

func (r *record) get(name string) []string { return r.values[strings.ToLower(name)] }

// New returns a server that listens nowhere yet. An error names an entry with a bad or repeated DN.
func New(c Config) (*Server, error) {
	s := &Server{config: c, byKey: make(map[string]*record, len(c.Entries)), open: make(map[io.Closer]struct{})}
	for _, e := range c.Entries {
		r, err := newRecord(e)
		if err != nil {
			return nil, err
		}
		if twin := s.byKey[r.key]; twin != nil {
			return nil, fmt.Errorf("two entries have the name %q", twin.entry.DN)
		}
		s.records = append(s.records, r)
		s.byKey[r.key] = r
	}
	var err error
	if s.rootDSE, err = newRecord(c.RootDSE); err != nil {
		return nil, err
	}
	s.referenceBase, err = dnKey(c.ReferenceBase)
	return s, err
}

// Serve accepts sessions on a listener, which it owns from here on, until Close; it returns at once.
func (s *Server) Serve(l net.Listener) {
	if !s.track(l) {
		return
	}
	go func() {
		defer s.untrack(l)
		for {
			conn, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					s.config.Log.Error("the demo directory stopped listening", "address", l.Addr(), "error", err)
				}
				return
			}
			if !s.track(conn) {
				return
			}
			go func() {
				defer s.untrack(conn)
				s.serveConn(conn)
			}()
		}
	}()
}

// track notes what Close must close and wait for; it reports false, and closes it, after Close.
func (s *Server) track(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) untrack(c io.Closer) {
	c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.running.Done()
}

// Close ends all sessions and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// serveConn serves one session. A first byte of 0x16 opens a TLS handshake (RFC 8446, 5.1), which no LDAPMessage
// starts with, so one port serves both ways.
func (s *Server) serveConn(conn net.Conn) {
	if conn.SetDeadline(time.Now().Add(idleLimit)) != nil {
		return // closed already
	}
	in := bufio.NewReader(conn)
	first, err := in.Peek(1)
	if err != nil {
		return
	}
	n := &session{server: s, conn: conn, in: in, out: bufio.NewWriter(conn)}
	if first[0] == 0x16 {
		if err := n.upgrade(replayed{Conn: conn, in: in}); err != nil {
			s.config.Log.Debug("TLS handshake failed", "client", conn.RemoteAddr(), "error", err)
			return
		}
	}
	if err := n.serve(); err != nil {
		s.config.Log.Debug("session ended", "client", conn.RemoteAddr(), "error", err)
	}
}

// replayed is a connection whose first bytes were already read into a buffer.
type replayed struct {
	net.Conn
	in *bufio.Reader
}

func (r replayed) Read(p []byte) (int, error) { return r.in.Read(p) }
