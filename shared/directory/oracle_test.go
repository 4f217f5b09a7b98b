package directory

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// shape is what the oracle must see at a place of a message: a tag, and what is below it.
type shape struct {
	class ber.Class
	kind  ber.Type
	tag   ber.Tag
	// each says that all children have the first shape; otherwise there is one child a shape.
	each     bool
	children []shape
}

var (
	octetsShape = shape{ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, false, nil}
	entryShape  = shape{ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, false, []shape{
		octetsShape,
		{ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, true, []shape{
			{ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, false, []shape{
				octetsShape, {ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, true, []shape{octetsShape}},
			}},
		}},
	}}
)

// fits reports whether a packet has a shape.
func (s shape) fits(p *ber.Packet) bool {
	if p.ClassType != s.class || p.TagType != s.kind || p.Tag != s.tag {
		return false
	}
	if !s.each && len(p.Children) != len(s.children) {
		return false
	}
	for i, child := range p.Children {
		want := i
		if s.each {
			want = 0
		}
		if !s.children[want].fits(child) {
			return false
		}
	}
	return true
}

// oracleEntry decodes a message with go-ldap's decoder and reports whether it is one search result entry and nothing
// else, by RFC 4511's own shape.
func oracleEntry(raw []byte) (id int64, op *ber.Packet, ok bool) {
	p, err := ber.ReadPacket(bytes.NewReader(raw))
	if err != nil || p.ClassType != ber.ClassUniversal || p.TagType != ber.TypeConstructed ||
		p.Tag != ber.TagSequence || len(p.Children) != 2 {
		return 0, nil, false
	}
	n := p.Children[0]
	id, isInteger := n.Value.(int64)
	if n.ClassType != ber.ClassUniversal || n.TagType != ber.TypePrimitive || n.Tag != ber.TagInteger || !isInteger ||
		n.Data.Len() == 0 {
		return 0, nil, false
	}
	return id, p.Children[1], entryShape.fits(p.Children[1])
}

// text lists all of an entry, as our parser and as the oracle see it.
func (e *Entry) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", e.DN)
	for _, a := range e.Attributes {
		fmt.Fprintf(&b, " %q=%q", a.Name, a.Values)
	}
	return b.String()
}

func oracleText(op *ber.Packet) string {
	e := Entry{DN: op.Children[0].Data.Bytes()}
	for _, a := range op.Children[1].Children {
		attribute := Attribute{Name: a.Children[0].Data.String()}
		for _, v := range a.Children[1].Children {
			attribute.Values = append(attribute.Values, v.Data.Bytes())
		}
		e.Attributes = append(e.Attributes, attribute)
	}
	return e.text()
}

// strict reports whether we refuse a message on purpose that the oracle reads: an indefinite length, which LDAP
// forbids, a tag of several bytes, which it has none of, or bytes behind the message.
func strict(raw []byte) bool {
	header, length, err := elementSize(raw)
	if err != nil || header == 0 || header+length != len(raw) {
		return true
	}
	return anywhere(raw)
}

// anywhere looks for an element that we refuse below constructed ones.
func anywhere(b []byte) bool {
	for len(b) > 0 {
		tag, content, rest, err := element(b)
		if err != nil || tag&0x20 != 0 && anywhere(content) {
			return true
		}
		b = rest
	}
	return false
}

// FuzzMessage reads any bytes. What both our parser and go-ldap's decoder take for an entry is the same to both, and
// neither takes for one what the other does not, but for the forms that we refuse on purpose.
func FuzzMessage(f *testing.F) {
	short := entryMessage(1, "cn=a", map[string][]string{"mail": {"a@b"}}, []string{"mail"})
	for _, seed := range [][]byte{
		short, lengthen(entryMessage(300, "cn=b", map[string][]string{"x": {"1", "2"}, "": {}}, []string{"x", ""})),
		{0x30, 0x80}, short[:len(short)-1], append(bytes.Clone(short), 0), {0x30, 0x80, 0x02, 0x01, 0x01, 0x00, 0x00},
		{0x30, 0x0c, 0x02, 0x01, 0x01, 0x64, 0x07, 0x04, 0x01, 'x', 0x30, 0x82, 0x00, 0x00},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		id, op, isEntry := oracleEntry(raw)
		m, err := parseMessage(raw)
		if err == nil && m.tag == tagDone {
			_, _, _ = parseResult(m.op)
		}
		_, _, _ = pagingCookie(m.controls)
		var e *Entry
		if err == nil && m.tag == tagEntry && m.controls == nil {
			e, err = new(entryParser).parse(m.op)
		} else if err == nil {
			err = errors.New("no entry")
		}
		switch {
		case errors.Is(err, errLongName), errors.Is(err, errManyParts):
		case err != nil && isEntry && !strict(raw):
			t.Fatalf("we refuse an entry that go-ldap reads: %v\n%x", err, raw)
		case err == nil && isEntry && (m.id != id || e.text() != oracleText(op)):
			t.Fatalf("message %d: %s\ngo-ldap says %d: %s", m.id, e.text(), id, oracleText(op))
		case err == nil && !isEntry:
			// The decoder refuses contents that it interprets, such as a broken value of a type that an entry has none
			// of.
			if p, oracleErr := ber.ReadPacket(bytes.NewReader(raw)); oracleErr == nil {
				t.Fatalf("we read %s of what is no entry to go-ldap: %v", e.text(), p.Children)
			}
		}
	})
}

// FuzzPage reads a whole page of messages in pieces of any size, as a network cuts them, and finds what was sent.
func FuzzPage(f *testing.F) {
	f.Add("cn=a", "mail", "a@example.com", "cookie", uint16(3), uint8(0))
	f.Add("", "", "", "", uint16(1), uint8(7))
	f.Add("cn=\xff", "x;range=0-1", strings.Repeat("v", 300), "\x00", uint16(500), uint8(1))
	f.Fuzz(func(t *testing.T, dn, name, value, cookie string, piece uint16, long uint8) {
		name = name[:min(len(name), maxName)]
		attributes := map[string][]string{name: {value, "", value + dn}}
		var sent []byte
		for i := range 3 {
			message := entryMessage(1, fmt.Sprint(dn, i), attributes, []string{name})
			if long&(1<<i) != 0 {
				message = lengthen(message)
			}
			sent = append(sent, message...)
		}
		sent = append(sent, doneMessage(1, cookie)...)
		s := &stream{conn: &pieces{left: sent, size: int(piece)}, idle: 1 << 40, maxMessage: 1 << 20, left: 1 << 40}
		var p entryParser
		for i := range 3 {
			m, err := s.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			e, err := p.parse(m.op)
			if err != nil {
				t.Fatal(err)
			}
			want := Entry{DN: []byte(fmt.Sprint(dn, i)),
				Attributes: []Attribute{{Name: name, Values: [][]byte{[]byte(value), {}, []byte(value + dn)}}}}
			if m.id != 1 || m.tag != tagEntry || e.text() != want.text() {
				t.Fatalf("read %s, want %s", e.text(), want.text())
			}
		}
		m, err := s.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done, _, err := parseResult(m.op)
		got, found, cookieErr := pagingCookie(m.controls)
		if err != nil || cookieErr != nil || !found || string(got) != cookie || done.code != 0 {
			t.Fatalf("the page ends with %+v, cookie %q of %q, errors %v and %v", done, got, cookie, err, cookieErr)
		}
	})
}
