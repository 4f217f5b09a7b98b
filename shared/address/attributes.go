package address

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/shared/directory"
)

// attributes are an entry's values by lower-case attribute name.
type attributes map[string][][]byte

// read fills the map from an entry. Options such as ;lang-de are cut off: their values are further values.
func (a attributes) read(e *directory.Entry) {
	clear(a)
	for i := range e.Attributes {
		name, _, _ := strings.Cut(e.Attributes[i].Name, ";")
		name = lowerName(name)
		if have := a[name]; have != nil {
			a[name] = append(have[:len(have):len(have)], e.Attributes[i].Values...)
			continue
		}
		a[name] = e.Attributes[i].Values
	}
}

// lowerName is strings.ToLower without a copy for the names that are searched for.
func lowerName(name string) string {
	switch name {
	case "proxyAddresses":
		return "proxyaddresses"
	case "objectClass":
		return "objectclass"
	case "objectGUID":
		return "objectguid"
	case "entryUUID":
		return "entryuuid"
	}
	return strings.ToLower(name)
}

// first returns the first value of an attribute, or nothing.
func (a attributes) first(name string) []byte {
	if values := a[name]; len(values) > 0 {
		return values[0]
	}
	return nil
}

// hasClass tells whether the entry has an object class, given in lower case.
func (a attributes) hasClass(class string) bool {
	for _, v := range a["objectclass"] {
		if len(v) == len(class) && strings.EqualFold(string(v), class) {
			return true
		}
	}
	return false
}

// guid returns the text form of an objectGUID: 16 bytes, of which the first three groups are little-endian ([MS-DTYP]
// 2.3.4). Any other value is shown as text where it is text, else in hexadecimal.
func guid(b []byte) string {
	if len(b) == 16 {
		var out [36]byte
		order := [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}
		at := 0
		for i, from := range order {
			if i == 4 || i == 6 || i == 8 || i == 10 {
				out[at] = '-'
				at++
			}
			hex.Encode(out[at:], b[from:from+1])
			at += 2
		}
		return string(out[:])
	}
	if utf8.Valid(b) && strings.IndexFunc(string(b), unicode.IsControl) < 0 {
		return string(b)
	}
	return hex.EncodeToString(b)
}

// shown returns a value as text that can be shown: valid UTF-8 without control characters.
func shown(b []byte) string {
	text := strings.ToValidUTF8(string(b), "\ufffd")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, text)
}

// normalDN returns a DN (RFC 4514) in lower case, without spaces around its commas and equals signs. It serves comparison
// and never goes back to a server.
func normalDN(dn string) string {
	clean := true
	for i := range len(dn) {
		c := dn[i]
		if c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf || c == ' ' && (i == 0 || i+1 == len(dn) || separates(dn[i-1]) || separates(dn[i+1])) {
			clean = false
			break
		}
	}
	if clean {
		return dn
	}
	lowered := strings.ToLower(dn)
	var b strings.Builder
	b.Grow(len(lowered))
	// behind tells that a part begins here: nothing, or a separator that is not escaped, stands before.
	behind := true
	for i := 0; i < len(lowered); i++ {
		c := lowered[i]
		switch {
		case c == '\\' && i+1 < len(lowered):
			b.WriteString(lowered[i : i+2])
			i++
			behind = false
			continue
		case c == ' ':
			rest := strings.TrimLeft(lowered[i:], " ")
			if behind || rest == "" || separates(rest[0]) {
				i = len(lowered) - len(rest) - 1
				continue
			}
		}
		b.WriteByte(c)
		behind = separates(c)
	}
	return b.String()
}

func separates(c byte) bool { return c == ',' || c == '=' || c == '+' }
