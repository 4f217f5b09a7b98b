package directory

import (
	"io"
	"net"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// pieces is a connection that gives what is left in pieces of one size.
type pieces struct {
	net.Conn
	left []byte
	size int
	// deadlines counts how often the read deadline was moved.
	deadlines int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(len(p.left), max(p.size, 1))])
	p.left = p.left[n:]
	return n, nil
}

func (p *pieces) SetReadDeadline(time.Time) error {
	p.deadlines++
	return nil
}

// doneMessage encodes the end of a page with the general library.
func doneMessage(id int64, cookie string) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultDone, nil, "")
	op.AppendChild(enumerated(0))
	op.AppendChild(octets(""))
	op.AppendChild(octets(""))
	paging := ldap.NewControlPaging(0)
	paging.SetCookie([]byte(cookie))
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	controls.AppendChild(paging.Encode())
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(number(id))
	envelope.AppendChild(op)
	envelope.AppendChild(controls)
	return envelope.Bytes()
}

// samplePage is a page of entries as a server sends it.
func samplePage(entries int) []byte {
	message := entryMessage(1, "CN=Ann Miller,OU=Staff,DC=example,DC=com", map[string][]string{
		"mail": {"ann@example.com"}, "proxyAddresses": {"SMTP:ann@example.com", "smtp:a.miller@example.com"},
	}, []string{"mail", "proxyAddresses"})
	var page []byte
	for range entries {
		page = append(page, message...)
	}
	return append(page, doneMessage(1, "cookie")...)
}

// readPage reads a page from a connection to its end.
func readPage(t testing.TB, s *stream, p *entryParser) {
	t.Helper()
	for {
		m, err := s.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m.tag == tagDone {
			return
		}
		if _, err := p.parse(m.op); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadingCostsNoAllocation is the budget of reading, from the connection to the entry; it is exact. Nor does each
// small read move the deadline.
func TestReadingCostsNoAllocation(t *testing.T) {
	page := samplePage(200)
	conn := &pieces{size: 100}
	s := &stream{conn: conn, idle: time.Hour, maxMessage: 1 << 20, left: 1 << 40}
	var p entryParser
	if got := testing.AllocsPerRun(20, func() {
		conn.left = page
		readPage(t, s, &p)
	}); got != 0 {
		t.Errorf("a page costs %v allocations, want 0", got)
	}
	if conn.deadlines != 1 {
		t.Errorf("the deadline was moved %d times within a moment, want once", conn.deadlines)
	}
}

// BenchmarkReadPage decodes a page of 1000 entries as it comes from the network, in pieces of a TLS record each.
func BenchmarkReadPage(b *testing.B) {
	page := samplePage(1000)
	conn := &pieces{size: 16 << 10}
	s := &stream{conn: conn, idle: time.Hour, maxMessage: 1 << 20, left: 1 << 60}
	var p entryParser
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		conn.left = page
		readPage(b, s, &p)
	}
}
