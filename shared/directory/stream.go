package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// pagingOID is the paged results control (RFC 2696).
const pagingOID = ldap.ControlTypePaging

// readBuffer is the size of the first buffer in bytes; it grows for longer messages.
const readBuffer = 64 << 10

// keptBuffer is the size in bytes from which on a buffer is given up after its page.
const keptBuffer = 1 << 20

// stream sends search requests and reads their answers. What it returns shares its buffer until the next read.
type stream struct {
	conn       net.Conn
	idle       time.Duration
	maxMessage int
	left       int64
	id         int64
	buffer     []byte
	start, end int
	// armed is when the read deadline was set.
	armed time.Time
	// socket is the connection below TLS, nil where it is of another kind.
	socket *socket
	// messages and octets are what came so far, and due is how many messages the page at hand should still have.
	messages, octets, due int
}

// errTooLong and errTooManyBytes are the bounds that a hostile server meets.
var (
	errTooLong      = errors.New("the server sent a message longer than is allowed")
	errTooManyBytes = errors.New("the server sent more data than is allowed")
)

// next reads one message.
func (s *stream) next(ctx context.Context) (message, error) {
	for {
		header, length, err := elementSize(s.buffer[s.start:s.end])
		if err != nil {
			return message{}, err
		}
		total := header + length
		if header > 0 && total > s.maxMessage {
			return message{}, fmt.Errorf("%w: %d bytes", errTooLong, total)
		}
		if header > 0 && s.end-s.start >= total {
			raw := s.buffer[s.start : s.start+total]
			s.start += total
			s.messages++
			s.octets += total
			s.due--
			return parseMessage(raw)
		}
		if err := s.fill(ctx, total); err != nil {
			return message{}, err
		}
	}
}

// fill reads more, with space for a message of the given length.
func (s *stream) fill(ctx context.Context, need int) error {
	if s.start > 0 && (s.start == s.end || len(s.buffer)-s.start < max(need, readBuffer/2)) {
		s.end = copy(s.buffer, s.buffer[s.start:s.end])
		s.start = 0
	}
	if need > len(s.buffer) || s.end == len(s.buffer) {
		grown := make([]byte, max(need, readBuffer))
		s.end = copy(grown, s.buffer[s.start:s.end])
		s.start, s.buffer = 0, grown
	}
	s.arm()
	// A context that ends from here on moves the deadline itself; see search.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.socket != nil {
		s.socket.expect(s.coming())
	}
	n, err := s.conn.Read(s.buffer[s.end:])
	s.end += n
	if s.left -= int64(n); s.left < 0 {
		return errTooManyBytes
	}
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// coming estimates how many bytes of the page at hand are still to come.
func (s *stream) coming() int {
	if s.messages == 0 {
		return 0
	}
	return s.due*(s.octets/s.messages) - (s.end - s.start)
}

// arm gives the server its idle time from now on, and up to a sixteenth more: the deadline is not moved for each of
// many small reads, which would cost as much as the reading.
func (s *stream) arm() {
	now := time.Now()
	if slack := s.idle / 16; now.Sub(s.armed) >= slack {
		s.armed = now
		s.conn.SetReadDeadline(now.Add(s.idle + slack))
	}
}

// send writes one search request.
func (s *stream) send(r searchRequest) error {
	s.id++
	if s.start == s.end && len(s.buffer) > keptBuffer {
		// One long message must not hold its memory until the search ends.
		s.buffer, s.start, s.end = nil, 0, 0
	}
	filter, err := ldap.CompileFilter(r.filter)
	if err != nil {
		return err
	}
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchRequest, nil, "")
	op.AppendChild(octets(r.base))
	op.AppendChild(enumerated(int64(r.scope)))
	op.AppendChild(enumerated(ldap.NeverDerefAliases))
	op.AppendChild(number(0))
	op.AppendChild(number(0))
	op.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""))
	op.AppendChild(filter)
	attributes := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, a := range r.attributes {
		attributes.AppendChild(octets(a))
	}
	op.AppendChild(attributes)
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(number(s.id))
	envelope.AppendChild(op)
	if r.pageSize > 0 {
		// Not critical: a server without paging answers as it can, and the answer shows whether it pages.
		paging := ldap.NewControlPaging(uint32(r.pageSize))
		paging.SetCookie(r.cookie)
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		controls.AppendChild(paging.Encode())
		envelope.AppendChild(controls)
	}
	s.due = r.pageSize
	s.conn.SetWriteDeadline(time.Now().Add(s.idle))
	_, err = s.conn.Write(envelope.Bytes())
	return err
}

// leave abandons the search under way and unbinds (RFC 4511, 4.11 and 4.3), if the server still reads.
func (s *stream) leave() {
	s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	for _, op := range []*ber.Packet{
		ber.NewInteger(ber.ClassApplication, ber.TypePrimitive, ldap.ApplicationAbandonRequest, s.id, ""),
		ber.Encode(ber.ClassApplication, ber.TypePrimitive, ldap.ApplicationUnbindRequest, nil, ""),
	} {
		s.id++
		envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		envelope.AppendChild(number(s.id))
		envelope.AppendChild(op)
		if _, err := s.conn.Write(envelope.Bytes()); err != nil {
			return
		}
	}
}

// searchRequest is one search (RFC 4511, 4.5.1), with a page size of 0 for one that is not paged.
type searchRequest struct {
	base       string
	scope      int
	filter     string
	attributes []string
	pageSize   int
	cookie     []byte
}

func octets(text string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, "")
}

func number(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "")
}

func enumerated(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, n, "")
}

// The most that is shown of one thing that a server says, and of a whole sentence or two about it, in bytes. A run
// keeps these sentences in its record, which is limited (400 kB in DynamoDB).
const (
	maxDiagnostic = 500
	maxDetail     = 4000
)

// printable returns what a server says as text that can be shown and logged.
func printable(b []byte) string { return shorten(string(b), maxDiagnostic) }

// shorten makes one line of a text, of as many bytes at most.
func shorten(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.TrimSpace(text)
}
