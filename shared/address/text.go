package address

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how much of a value that is no address is shown, in bytes.
const maxShown = 512

// misleading tells of characters that are not seen but change how the text around them looks: controls, line
// separators, and the controls of bidirectional text.
func misleading(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

// shown returns text that can be shown: valid UTF-8 in which U+FFFD stands for what would mislead.
func shown(text string) string {
	if isPlainText(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if misleading(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

func isPlainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// shortened cuts a text after maxShown bytes, between two characters.
func shortened(text string) string {
	if len(text) <= maxShown {
		return text
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// guid returns the text form of a GUID: 16 bytes, of which the first three groups are little-endian ([MS-DTYP] 2.3.4).
func guid(b []byte) string {
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

// idText returns a stable id as text: what can be shown as it is, a GUID in its usual form, any other bytes in
// hexadecimal. The attributes that hold GUIDs hold bytes even where those happen to be letters.
func idText(attribute string, b []byte) string {
	binary := attribute == "objectguid" || attribute == "guid"
	if len(b) == 16 && (binary || shown(borrow(b)) != borrow(b)) {
		return guid(b)
	}
	if shown(borrow(b)) != borrow(b) {
		return hex.EncodeToString(b)
	}
	return string(b)
}

// normalDN returns a DN (RFC 4514) in lower case, without spaces around its commas, pluses and equals signs. It serves
// comparison and never goes back to a server.
func normalDN(dn string) string {
	if isNormalDN(dn) {
		return dn
	}
	lowered := strings.ToLower(dn)
	var b strings.Builder
	b.Grow(len(lowered))
	// open tells that a value or a name may start here, so that spaces mean nothing.
	open, spaces := true, 0
	for i := 0; i < len(lowered); i++ {
		c := lowered[i]
		if c == ' ' {
			spaces++
			continue
		}
		if !open && !separates(c) {
			for ; spaces > 0; spaces-- {
				b.WriteByte(' ')
			}
		}
		open, spaces = separates(c), 0
		b.WriteByte(c)
		if c == '\\' && i+1 < len(lowered) {
			i++
			b.WriteByte(lowered[i])
		}
	}
	return b.String()
}

// isNormalDN tells of a DN in which normalDN would change nothing. It may miss one.
func isNormalDN(dn string) bool {
	for i := range len(dn) {
		c := dn[i]
		if c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf || c == '\\' ||
			c == ' ' && (i == 0 || i+1 == len(dn) || separates(dn[i-1]) || dn[i+1] == ' ' || separates(dn[i+1])) {
			return false
		}
	}
	return true
}

func separates(c byte) bool { return c == ',' || c == '=' || c == '+' }

// cutRDN splits a DN after its first relative DN.
func cutRDN(dn string) (first, rest string) {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i], dn[i+1:]
		}
	}
	return dn, ""
}
