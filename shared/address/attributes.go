package address

import (
	"bytes"
	"strconv"
	"strings"

	"rollcall/shared/directory"
)

// maxSpellings bounds how many spellings of attribute names are remembered; a server has a handful.
const maxSpellings = 1024

// attributes are an entry's values by lower-case attribute name (names compare without case: RFC 4512, 2.5). Attributes
// that the rules do not ask for are left out.
type attributes struct {
	values map[string][][]byte
	wanted map[string]bool
	// spellings gives the lower-case name for one as the server spells it, "" where nobody asked for it.
	spellings map[string]string
}

func newAttributes(names []string) attributes {
	a := attributes{values: make(map[string][][]byte), wanted: make(map[string]bool), spellings: make(map[string]string)}
	for _, n := range names {
		a.wanted[strings.ToLower(n)] = true
	}
	return a
}

// read takes an entry's attributes. Options such as ;lang-de are cut off: their values are further values.
func (a *attributes) read(e *directory.Entry) {
	clear(a.values)
	for i := range e.Attributes {
		name := a.name(e.Attributes[i].Name)
		if name == "" {
			continue
		}
		have := a.values[name]
		if have == nil {
			a.values[name] = e.Attributes[i].Values
			continue
		}
		a.values[name] = append(have[:len(have):len(have)], e.Attributes[i].Values...)
	}
}

func (a *attributes) name(spelling string) string {
	name, known := a.spellings[spelling]
	if known {
		return name
	}
	name, _, _ = strings.Cut(strings.ToLower(spelling), ";")
	if !a.wanted[name] {
		name = ""
	}
	if len(a.spellings) < maxSpellings {
		a.spellings[strings.Clone(spelling)] = name
	}
	return name
}

// first returns the first value of an attribute, or nothing.
func (a *attributes) first(name string) []byte {
	if values := a.values[name]; len(values) > 0 {
		return values[0]
	}
	return nil
}

// hasClass tells whether the entry has an object class, given in lower case.
func (a *attributes) hasClass(class string) bool {
	for _, v := range a.values["objectclass"] {
		if len(v) == len(class) && strings.EqualFold(borrow(v), class) {
			return true
		}
	}
	return false
}

// disabled tells whether userAccountControl has ADS_UF_ACCOUNTDISABLE ([MS-ADTS] 2.2.16).
func (a *attributes) disabled() bool {
	flags, err := strconv.ParseInt(borrow(a.first("useraccountcontrol")), 10, 64)
	return err == nil && flags&2 != 0
}

// hidden tells whether the entry is kept out of the address lists; it receives mail all the same.
func (a *attributes) hidden() bool {
	return bytes.EqualFold(a.first("msexchhidefromaddresslists"), []byte("TRUE"))
}
