package directory_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// script is a server that answers as a test tells it to, and that remembers what it was asked.
type script struct {
	// root is the rootDSE; nil answers "no such object".
	root map[string][]string
	// bind is the result code of a bind, and bindText its diagnostic message.
	bind     int64
	bindText string
	// startTLS is the result code of STARTTLS; 53 where it is 0, so that tests need no certificate.
	startTLS int64
	// tls makes STARTTLS succeed, and clear is sent in the clear together with the answer. ssl begins with TLS.
	tls   *tls.Config
	clear []byte
	ssl   bool
	// onStartTLS answers STARTTLS in place of these. It returns false to hang up.
	onStartTLS func(s *session) bool
	// hangUpAt are operations that get no answer, but the end of the connection.
	hangUpAt []ber.Tag
	// base is the result code of a search for the base itself, and matched its matched DN.
	base    int64
	matched string
	// hidden keeps the base itself out of the answer, and below has something found below it.
	hidden, below bool
	// search answers the n-th search below the base. It returns false to hang up.
	search func(s *session, n int, request search) bool

	mu  sync.Mutex
	ops []ber.Tag
	// sizes are the page sizes of the searches below the base, 0 for one without paging.
	sizes []uint32
}

// search is what a search asked for.
type search struct {
	base, filter string
	attributes   []string
	paging       *ldap.ControlPaging
}

func (r search) pageSize() uint32 {
	if r.paging == nil {
		return 0
	}
	return r.paging.PagingSize
}

// pageSizes returns the page sizes of the searches so far.
func (s *script) pageSizes() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sizes)
}

// session is one connection of a script.
type session struct {
	net.Conn
	id int64
	// clear follows each message.
	clear []byte
}

// serve starts the script on a free port and returns it.
func (s *script) serve(t *testing.T) (host string, port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				if s.ssl {
					conn = tls.Server(conn, s.tls)
				}
				s.talk(&session{Conn: conn})
			})
		}
	})
	return "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
}

func (s *script) talk(c *session) {
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	searches := 0
	for {
		packet, err := ber.ReadPacket(c)
		if err != nil || len(packet.Children) < 2 {
			return
		}
		c.id, _ = packet.Children[0].Value.(int64)
		op := packet.Children[1]
		s.mu.Lock()
		s.ops = append(s.ops, op.Tag)
		s.mu.Unlock()
		if slices.Contains(s.hangUpAt, op.Tag) {
			return
		}
		ok := true
		switch op.Tag {
		case ldap.ApplicationExtendedRequest:
			if s.onStartTLS != nil {
				ok = s.onStartTLS(c)
				break
			}
			if s.tls != nil {
				c.clear = s.clear
				c.result(ldap.ApplicationExtendedResponse, 0, "", "")
				c.clear = nil
				c.Conn = tls.Server(c.Conn, s.tls)
				continue
			}
			code := s.startTLS
			if code == 0 {
				code = ldap.LDAPResultUnwillingToPerform
			}
			c.result(ldap.ApplicationExtendedResponse, code, "", "")
		case ldap.ApplicationBindRequest:
			c.result(ldap.ApplicationBindResponse, s.bind, "", s.bindText)
		case ldap.ApplicationSearchRequest:
			request := parseSearch(packet)
			scope, _ := op.Children[1].Value.(int64)
			switch {
			case request.base == "" && scope == ldap.ScopeBaseObject && s.root == nil:
				c.result(ldap.ApplicationSearchResultDone, ldap.LDAPResultNoSuchObject, "", "")
			case request.base == "" && scope == ldap.ScopeBaseObject:
				c.entry("", s.root)
				c.done(0)
			case slices.Equal(request.attributes, []string{"1.1"}) && scope != ldap.ScopeBaseObject && s.below:
				c.entry("ou=below,"+request.base, nil)
				c.done(ldap.LDAPResultSizeLimitExceeded)
			case slices.Equal(request.attributes, []string{"1.1"}) && request.filter == "(objectClass=*)":
				if s.base == 0 && !s.hidden {
					c.entry(request.base, nil)
				}
				c.result(ldap.ApplicationSearchResultDone, s.base, s.matched, "")
			default:
				searches++
				s.mu.Lock()
				s.sizes = append(s.sizes, request.pageSize())
				s.mu.Unlock()
				ok = s.search(c, searches, request)
			}
		}
		if !ok {
			return
		}
	}
}

// asked reports whether the script got an operation, waiting a moment for it.
func (s *script) asked(tag ber.Tag) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		for _, t := range s.ops {
			if t == tag {
				s.mu.Unlock()
				return true
			}
		}
		s.mu.Unlock()
	}
	return false
}

func parseSearch(packet *ber.Packet) search {
	op := packet.Children[1]
	request := search{}
	request.base, _ = op.Children[0].Value.(string)
	request.filter, _ = ldap.DecompileFilter(op.Children[6])
	for _, a := range op.Children[7].Children {
		name, _ := a.Value.(string)
		request.attributes = append(request.attributes, name)
	}
	if len(packet.Children) > 2 {
		for _, raw := range packet.Children[2].Children {
			if control, err := ldap.DecodeControl(raw); err == nil {
				request.paging, _ = control.(*ldap.ControlPaging)
			}
		}
	}
	return request
}

func (c *session) send(op *ber.Packet, controls ...ldap.Control) {
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, c.id, ""))
	envelope.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, control := range controls {
			list.AppendChild(control.Encode())
		}
		envelope.AppendChild(list)
	}
	if _, err := c.Write(append(envelope.Bytes(), c.clear...)); err != nil && !errors.Is(err, net.ErrClosed) &&
		!errors.Is(err, io.ErrClosedPipe) {
		return
	}
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// entry sends a search result entry.
func (c *session) entry(dn string, attributes map[string][]string) {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(text(dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for name, values := range attributes {
		attribute := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		attribute.AppendChild(text(name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(text(v))
		}
		attribute.AppendChild(set)
		list.AppendChild(attribute)
	}
	op.AppendChild(list)
	c.send(op)
}

// person sends an entry with a mail address.
func (c *session) person(name string) {
	c.entry("cn="+name+",dc=example,dc=com", map[string][]string{"mail": {name + "@example.com"}})
}

// reference sends a continuation reference.
func (c *session) reference(url string) {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
	op.AppendChild(text(url))
	c.send(op)
}

// result sends an LDAPResult.
func (c *session) result(tag ber.Tag, code int64, matched, diagnostic string, controls ...ldap.Control) {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(text(matched))
	op.AppendChild(text(diagnostic))
	c.send(op, controls...)
}

// done ends a search without a paging control.
func (c *session) done(code int64) { c.result(ldap.ApplicationSearchResultDone, code, "", "") }

// page ends a page; an empty cookie ends the search.
func (c *session) page(cookie string) {
	control := ldap.NewControlPaging(0)
	control.SetCookie([]byte(cookie))
	c.result(ldap.ApplicationSearchResultDone, 0, "", "", control)
}
