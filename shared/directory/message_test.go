package directory

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"
)

func TestParseRange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want valueRange
		ok   bool
	}{
		"proxyAddresses;range=0-1499":    {valueRange{name: "proxyAddresses", last: 1499}, true},
		"proxyAddresses;Range=1500-2999": {valueRange{name: "proxyAddresses", first: 1500, last: 2999}, true},
		"proxyAddresses;range=3000-*":    {valueRange{name: "proxyAddresses", first: 3000, final: true}, true},
		"cn;lang-de;range=0-1":           {valueRange{name: "cn;lang-de", last: 1}, true},
		"cn;range=0-1;lang-de":           {valueRange{name: "cn;lang-de", last: 1}, true},
		"proxyAddresses":                 {},
		"cn;lang-de":                     {},
		"cn;range=":                      {},
		"cn;range=5-1":                   {},
		"cn;range=a-b":                   {},
		"cn;range=0-99999999999999":      {},
	}
	for description, test := range tests {
		got, ok := parseRange(description)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(valueRange{})); diff != "" || ok != test.ok {
			t.Errorf("parseRange(%q): ok %t (-want +got):\n%s", description, ok, diff)
		}
	}
}

func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"a;range=0-1499", "a;range=0-*", ";;;", "a;RANGE=1-2;b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, description string) {
		r, ok := parseRange(description)
		if ok && !r.final && r.last < r.first {
			t.Fatalf("%q is the range %+v", description, r)
		}
	})
}

// entryMessage encodes a search result entry with the general library, as an oracle for our parser.
func entryMessage(id int64, dn string, attributes map[string][]string, order []string) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "")
	op.AppendChild(octets(dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, name := range order {
		attribute := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		attribute.AppendChild(octets(name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range attributes[name] {
			set.AppendChild(octets(v))
		}
		attribute.AppendChild(set)
		list.AppendChild(attribute)
	}
	op.AppendChild(list)
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(number(id))
	envelope.AppendChild(op)
	return envelope.Bytes()
}

// lengthen writes every length of a message in the long form that Active Directory uses: 84 00 00 00 xx.
func lengthen(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		tag, content, rest, err := element(b)
		if err != nil {
			panic(err)
		}
		if tag&0x20 != 0 {
			content = lengthen(content)
		}
		n := len(content)
		out = append(out, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		out = append(out, content...)
		b = rest
	}
	return out
}

func TestParseEntry(t *testing.T) {
	t.Parallel()
	attributes := map[string][]string{"mail": {"a@b.example"},
		"proxyAddresses": {"SMTP:a@b.example", "smtp:c@d.example", ""}, "empty": nil}
	order := []string{"mail", "proxyAddresses", "empty"}
	plainForm := entryMessage(7, "CN=ä,DC=example", attributes, order)
	for name, raw := range map[string][]byte{"short lengths": plainForm, "long lengths": lengthen(plainForm)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := parseMessage(raw)
			if err != nil || m.id != 7 || m.tag != tagEntry {
				t.Fatalf("message %+v, error %v", m, err)
			}
			var p entryParser
			for range 2 {
				e, err := p.parse(m.op)
				if err != nil {
					t.Fatal(err)
				}
				got := string(e.DN)
				for _, a := range e.Attributes {
					got += fmt.Sprintf(" %s=%q", a.Name, a.Values)
				}
				want := `CN=ä,DC=example mail=["a@b.example"] ` +
					`proxyAddresses=["SMTP:a@b.example" "smtp:c@d.example" ""] empty=[]`
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

func TestForbiddenForms(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"indefinite length":     {0x30, 0x80, 0x02, 0x01, 0x01, 0x00, 0x00},
		"tag of several bytes":  {0x3f, 0x81, 0x01, 0x00},
		"length of nine bytes":  {0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"length beyond 2 GiB":   {0x30, 0x84, 0x80, 0, 0, 0},
		"cut short":             {0x30, 0x05, 0x02},
		"no message id":         {0x30, 0x02, 0x64, 0x00},
		"message id of 9 bytes": {0x30, 0x0b, 0x02, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		"something behind it":   {0x30, 0x05, 0x02, 0x01, 0x01, 0x64, 0x00, 0x00},
	} {
		if m, err := parseMessage(raw); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
}

// TestEntriesAreBounded sends what is small in a message and large in memory, or is kept longer than its message.
func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	form := func(tag byte, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		n := len(content)
		return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, content...)
	}
	attribute := func(name string, values []byte) []byte {
		return form(tagSequence, form(tagOctets, []byte(name)), form(tagSet, values))
	}
	empty := []byte{tagOctets, 0}
	for name, test := range map[string]struct {
		list []byte
		want error
	}{
		"as many values as are read": {attribute("mail", bytes.Repeat(empty, maxParts)), nil},
		"too many values":            {attribute("mail", bytes.Repeat(empty, maxParts+1)), errManyParts},
		"too many attributes":        {bytes.Repeat(attribute("", nil), maxParts+1), errManyParts},
		"as long a name as is read":  {attribute(strings.Repeat("n", maxName), empty), nil},
		"too long a name":            {attribute(strings.Repeat("n", maxName+1), empty), errLongName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := new(entryParser).parse(append(empty[:2:2], form(tagSequence, test.list)...))
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
	t.Run("entries that wait for the rest of their values", func(t *testing.T) {
		t.Parallel()
		value := form(tagOctets, make([]byte, 8<<20))
		op := append(empty[:2:2], form(tagSequence, attribute("proxyAddresses;range=0-1499", value))...)
		r := New(Config{})
		s := &session{c: r.c, inUse: r.inUse}
		p := &pager{session: s, budget: s.newBudget(nil), stream: &stream{}}
		for n := range 2 * maxHeld / len(value) {
			if err := p.take(op); err != nil {
				if n < maxHeld/len(value)-1 {
					t.Errorf("%d entries are held, then %v", n, err)
				}
				return
			}
		}
		t.Errorf("%d bytes of values are held", 2*maxHeld)
	})
}

func sampleEntry() []byte {
	m, err := parseMessage(entryMessage(2, "CN=Ann Miller,OU=Staff,DC=example,DC=com", map[string][]string{
		"mail":           {"ann@example.com"},
		"proxyAddresses": {"SMTP:ann@example.com", "smtp:a.miller@example.com"},
		"objectClass":    {"top", "person", "user"},
	}, []string{"mail", "proxyAddresses", "objectClass"}))
	if err != nil {
		panic(err)
	}
	return m.op
}

// TestEntriesCostNoAllocation is the budget that makes the reader fast; it is exact.
func TestEntriesCostNoAllocation(t *testing.T) {
	op := sampleEntry()
	var p entryParser
	if allocations := testing.AllocsPerRun(100, func() {
		if _, err := p.parse(op); err != nil {
			t.Fatal(err)
		}
	}); allocations != 0 {
		t.Errorf("an entry costs %v allocations, want 0", allocations)
	}
}

func BenchmarkParseEntry(b *testing.B) {
	op := sampleEntry()
	var p entryParser
	b.ReportAllocs()
	for range b.N {
		if _, err := p.parse(op); err != nil {
			b.Fatal(err)
		}
	}
}
