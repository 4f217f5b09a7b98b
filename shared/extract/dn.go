package extract

import (
	"strings"
	"unicode/utf8"
)

// normalDN returns a DN (RFC 4514) in lower case, without spaces around its commas and equals signs. It serves
// comparison and never goes back to a server.
func normalDN(dn string) string {
	clean := true
	for i := range len(dn) {
		c := dn[i]
		if c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf || c == ' ' &&
			(i == 0 || i+1 == len(dn) || separates(dn[i-1]) || separates(dn[i+1])) {
			clean = false
			break
		}
	}
	if clean {
		return dn
	}
	// Without NFC, which address.Lower has too: ids that are stored must stay as they are.
	lowered := strings.ToLower(strings.ReplaceAll(dn, "İ", "i\u0307"))
	var b strings.Builder
	b.Grow(len(lowered))
	// atStart is set where a part begins: nothing, or a separator that is not escaped, stands before.
	atStart := true
	for i := 0; i < len(lowered); i++ {
		c := lowered[i]
		switch {
		case c == '\\' && i+1 < len(lowered):
			b.WriteString(lowered[i : i+2])
			i++
			atStart = false
			continue
		case c == ' ':
			rest := strings.TrimLeft(lowered[i:], " ")
			if atStart || rest == "" || separates(rest[0]) {
				i = len(lowered) - len(rest) - 1
				continue
			}
		}
		b.WriteByte(c)
		atStart = separates(c)
	}
	return b.String()
}

func separates(c byte) bool { return c == ',' || c == '=' || c == '+' }

// splitDN cuts a DN (RFC 4514) behind its first RDN.
func splitDN(dn string) (rdn, parent string) {
	for i := 0; ; i++ {
		comma := strings.IndexByte(dn[i:], ',')
		if comma < 0 {
			return dn, ""
		}
		i += comma
		if !isEscaped(dn, i) {
			return dn[:i], dn[i+1:]
		}
	}
}

// isEscaped reports whether a backslash before a byte of a DN belongs to it, and not to a backslash before that.
func isEscaped(dn string, at int) bool {
	backslashes := 0
	for i := at - 1; i >= 0 && dn[i] == '\\'; i-- {
		backslashes++
	}
	return backslashes%2 == 1
}

// commonName returns the cn that a DN begins with, as it is written, or nothing.
func commonName(dn string) string {
	rdn, _ := splitDN(dn)
	name, value, _ := strings.Cut(rdn, "=")
	if !strings.EqualFold(strings.TrimSpace(name), "cn") {
		return ""
	}
	return strings.TrimSpace(value)
}
