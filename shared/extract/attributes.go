package extract

import (
	"bytes"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"rollcall/shared/directory"
)

// slot numbers an attribute that the rules read: the known ones, and after them those that the settings name.
type slot int

// The known attributes.
const (
	slotObjectClass slot = iota
	slotMail
	slotProxyAddresses
	slotRFC822Mailbox
	slotOtherMailbox
	slotUID
	slotAliasedObjectName
	slotObjectGUID
	slotEntryUUID
	slotGUID
	slotRecipientTypeDetails
	slotHidden
	slotAccountControl
)

// slotNames are the names of the known attributes, in lower case.
var slotNames = [...]string{
	"objectclass", "mail", "proxyaddresses", "rfc822mailbox", "othermailbox", "uid", "aliasedobjectname", "objectguid",
	"entryuuid", "guid",
	"msexchrecipienttypedetails", "msexchhidefromaddresslists", "useraccountcontrol",
}

// none is the slot of the attributes that no rule reads.
const none slot = -1

// attributes are an entry's values by slot.
type attributes struct {
	slots  map[string]slot
	values [][][]byte
	// joined has the slots whose values are in a slice of our own, to which those of a further attribute can be
	// added.
	joined []bool
	// order remembers the slot of the n-th attribute of the entry before: a server gives them in much the same order.
	order []namedSlot
}

type namedSlot struct {
	name string
	slot slot
}

func newAttributes(r *Rules) attributes {
	return attributes{slots: r.slots, values: make([][][]byte, len(r.names)), joined: make([]bool, len(r.names))}
}

// maxOrder bounds how many attributes of an entry are remembered.
const maxOrder = 64

// read fills the slots from an entry. Options such as ;lang-de are cut off: their values are further values.
func (a *attributes) read(e *directory.Entry) {
	clear(a.values)
	clear(a.joined)
	for i := range e.Attributes {
		s := a.slotOf(i, e.Attributes[i].Name)
		if s == none {
			continue
		}
		if have := a.values[s]; have != nil {
			if !a.joined[s] {
				have, a.joined[s] = have[:len(have):len(have)], true
			}
			a.values[s] = append(have, e.Attributes[i].Values...)
			continue
		}
		a.values[s] = e.Attributes[i].Values
	}
}

// slotOf returns the slot of an entry's n-th attribute.
func (a *attributes) slotOf(n int, name string) slot {
	if n < len(a.order) && a.order[n].name == name {
		return a.order[n].slot
	}
	plainName, _, _ := strings.Cut(name, ";")
	s, known := a.slots[strings.ToLower(plainName)]
	if !known {
		s = none
	}
	switch found := (namedSlot{name, s}); {
	case n < len(a.order):
		a.order[n] = found
	case n == len(a.order) && n < maxOrder:
		a.order = append(a.order, found)
	}
	return s
}

// first returns the first value of an attribute, or nothing.
func (a *attributes) first(s slot) []byte {
	if values := a.values[s]; len(values) > 0 {
		return values[0]
	}
	return nil
}

// hasClass reports whether the entry has an object class, given in lower case.
func (a *attributes) hasClass(class string) bool {
	for _, v := range a.values[slotObjectClass] {
		if len(v) == len(class) && strings.EqualFold(view(v), class) {
			return true
		}
	}
	return false
}

// guid is appendGUID for one value.
func guid(b []byte) string { return string(appendGUID(nil, b)) }

// appendGUID appends the text form of an objectGUID: 16 bytes, of which the first three groups are little-endian
// ([MS-DTYP] 2.3.4). Any other value is shown as text where it is text, else in hexadecimal.
func appendGUID(out, b []byte) []byte {
	switch {
	case len(b) == 16:
		for i, from := range [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
			if i == 4 || i == 6 || i == 8 || i == 10 {
				out = append(out, '-')
			}
			out = hex.AppendEncode(out, b[from:from+1])
		}
		return out
	case isPrintable(b), utf8.Valid(b) && bytes.IndexFunc(b, unicode.IsControl) < 0:
		return append(out, b...)
	}
	return hex.AppendEncode(out, b)
}

// isPrintable reports whether a value is all ASCII without control characters, as nearly all are: it can be shown as it
// is.
func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// view returns bytes as text that shares them: it is gone when they change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// shown returns a value as text that can be shown: valid UTF-8 without control characters.
func shown(b []byte) string {
	if isPrintable(b) {
		return string(b)
	}
	text := strings.ToValidUTF8(string(b), "\ufffd")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, text)
}
