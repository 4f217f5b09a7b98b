package directory

import (
	"errors"
	"fmt"
)

// The tags of the messages that a search answers with (RFC 4511, section 4).
const (
	tagSequence   = 0x30
	tagSet        = 0x31
	tagInteger    = 0x02
	tagOctets     = 0x04
	tagBoolean    = 0x01
	tagEnumerated = 0x0a
	tagEntry      = 0x64
	tagDone       = 0x65
	tagReference  = 0x73
	tagExtended   = 0x78
	tagControls   = 0xa0
	tagReferral   = 0xa3
)

// The errors of reading messages.
var (
	errMalformed  = errors.New("the server sent a message that is not LDAP")
	errIndefinite = errors.New("the server sent an indefinite length, which LDAP forbids (RFC 4511, 5.1)")
	errLongName   = errors.New("the server sent an attribute with a longer name than is allowed")
	errManyParts  = errors.New("the server sent an entry with more attributes and values than are allowed")
)

// element splits one BER element off b. Lengths may be longer than they need to be: Active Directory sends 84 00 00 00
// xx. Tags of several bytes do not occur in LDAP.
func element(b []byte) (tag byte, content, rest []byte, err error) {
	header, length, err := elementSize(b)
	if err != nil || header == 0 || length > len(b)-header {
		if err == nil {
			err = errMalformed
		}
		return 0, nil, nil, err
	}
	return b[0], b[header : header+length], b[header+length:], nil
}

// elementSize reads an element's tag and length. A header of 0 means that b ends within them.
func elementSize(b []byte) (header, length int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[0]&0x1f == 0x1f {
		return 0, 0, errMalformed
	}
	first := b[1]
	switch {
	case first < 0x80:
		return 2, int(first), nil
	case first == 0x80:
		return 0, 0, errIndefinite
	case first > 0x88:
		return 0, 0, errMalformed
	}
	n := int(first & 0x7f)
	if len(b) < 2+n {
		return 0, 0, nil
	}
	size := uint64(0)
	for _, c := range b[2 : 2+n] {
		size = size<<8 | uint64(c)
	}
	if size > 1<<31-1 {
		return 0, 0, errMalformed
	}
	return 2 + n, int(size), nil
}

// expect splits off an element of one tag.
func expect(b []byte, want byte) (content, rest []byte, err error) {
	tag, content, rest, err := element(b)
	if err == nil && tag != want {
		err = fmt.Errorf("%w: tag %#x in place of %#x", errMalformed, tag, want)
	}
	return content, rest, err
}

// integer reads a BER integer of at most 8 bytes.
func integer(content []byte) (int64, error) {
	if len(content) == 0 || len(content) > 8 {
		return 0, errMalformed
	}
	n := int64(int8(content[0]))
	for _, c := range content[1:] {
		n = n<<8 | int64(c)
	}
	return n, nil
}

// message is one LDAP message: its id, the tag and content of its operation, and its controls.
type message struct {
	id       int64
	tag      byte
	op       []byte
	controls []byte
}

// parseMessage reads a whole message.
func parseMessage(b []byte) (message, error) {
	content, rest, err := expect(b, tagSequence)
	if err != nil || len(rest) > 0 {
		return message{}, orMalformed(err)
	}
	id, content, err := expect(content, tagInteger)
	if err != nil {
		return message{}, err
	}
	var m message
	if m.id, err = integer(id); err != nil {
		return message{}, err
	}
	if m.tag, m.op, content, err = element(content); err != nil {
		return message{}, err
	}
	if len(content) > 0 {
		if m.controls, content, err = expect(content, tagControls); err != nil || len(content) > 0 {
			return message{}, orMalformed(err)
		}
	}
	return m, nil
}

func orMalformed(err error) error {
	if err == nil {
		return errMalformed
	}
	return err
}

// entryParser reads search result entries into one Entry, whose memory it uses again.
type entryParser struct {
	entry  Entry
	values [][]byte
	names  map[string]string
}

const (
	// maxNames bounds the attribute names that are remembered: a server may invent one an entry.
	maxNames = 1024
	// maxName bounds an attribute's name with its options in bytes: names are remembered, here and by the code that
	// gets the entries .
	maxName = 1 << 10
	// maxParts bounds the attributes and values of one entry: the shortest take two bytes of a message, and many times
	// that in memory.
	maxParts = 1 << 18
	// keptParts bounds the attributes and values whose memory is used again for the next entry.
	keptParts = 1 << 14
)

// parse reads a SearchResultEntry (RFC 4511, 4.5.2). The entry is valid until the next call.
func (p *entryParser) parse(op []byte) (*Entry, error) {
	dn, op, err := expect(op, tagOctets)
	if err != nil {
		return nil, err
	}
	list, rest, err := expect(op, tagSequence)
	if err != nil || len(rest) > 0 {
		return nil, orMalformed(err)
	}
	if cap(p.values) > keptParts || cap(p.entry.Attributes) > keptParts {
		p.values, p.entry.Attributes = nil, nil
	}
	p.entry.DN, p.entry.Attributes, p.values = dn, p.entry.Attributes[:0], p.values[:0]
	for len(list) > 0 {
		var attribute []byte
		if attribute, list, err = expect(list, tagSequence); err != nil {
			return nil, err
		}
		if err := p.attribute(attribute); err != nil {
			return nil, err
		}
	}
	return &p.entry, nil
}

func (p *entryParser) attribute(b []byte) error {
	name, b, err := expect(b, tagOctets)
	if err != nil {
		return err
	}
	set, rest, err := expect(b, tagSet)
	if err != nil || len(rest) > 0 {
		return orMalformed(err)
	}
	if len(name) > maxName {
		return errLongName
	}
	first := len(p.values)
	for len(set) > 0 {
		var v []byte
		if v, set, err = expect(set, tagOctets); err != nil {
			return err
		}
		if p.values = append(p.values, v); len(p.values) > maxParts {
			return errManyParts
		}
	}
	if len(p.entry.Attributes) == maxParts {
		return errManyParts
	}
	p.entry.Attributes = append(p.entry.Attributes,
		Attribute{Name: p.name(name), Values: p.values[first:len(p.values):len(p.values)]})
	return nil
}

// name returns an attribute's name without a new string for one that was seen before.
func (p *entryParser) name(b []byte) string {
	if name, ok := p.names[string(b)]; ok {
		return name
	}
	if p.names == nil || len(p.names) >= maxNames {
		p.names = make(map[string]string)
	}
	name := string(b)
	p.names[name] = name
	return name
}

// result is an LDAPResult (RFC 4511, 4.1.9).
type result struct {
	code       int
	matchedDN  string
	diagnostic string
}

func parseResult(op []byte) (result, []byte, error) {
	code, op, err := expect(op, tagEnumerated)
	if err != nil {
		return result{}, nil, err
	}
	n, err := integer(code)
	if err != nil {
		return result{}, nil, err
	}
	matched, op, err := expect(op, tagOctets)
	if err != nil {
		return result{}, nil, err
	}
	diagnostic, op, err := expect(op, tagOctets)
	if err != nil {
		return result{}, nil, err
	}
	return result{code: int(n), matchedDN: printable(matched), diagnostic: printable(diagnostic)}, op, nil
}

// pagingCookie finds the paged results control (RFC 2696) and returns its cookie.
func pagingCookie(controls []byte) (cookie []byte, found bool, err error) {
	for len(controls) > 0 {
		var control []byte
		if control, controls, err = expect(controls, tagSequence); err != nil {
			return nil, false, err
		}
		oid, control, err := expect(control, tagOctets)
		if err != nil {
			return nil, false, err
		}
		if string(oid) != pagingOID {
			continue
		}
		if len(control) > 0 && control[0] == tagBoolean {
			if _, control, err = expect(control, tagBoolean); err != nil {
				return nil, false, err
			}
		}
		value, _, err := expect(control, tagOctets)
		if err != nil {
			return nil, false, err
		}
		sequence, _, err := expect(value, tagSequence)
		if err != nil {
			return nil, false, err
		}
		if _, sequence, err = expect(sequence, tagInteger); err != nil {
			return nil, false, err
		}
		cookie, _, err = expect(sequence, tagOctets)
		return cookie, err == nil, err
	}
	return nil, false, nil
}
