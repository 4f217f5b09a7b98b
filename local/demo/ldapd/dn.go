package ldapd

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// rdnEnd closes each normalised RDN in a key. It cannot stand in a key's text: normalise drops it.
const rdnEnd = "\x00"

// dnKey normalises a distinguished name (RFC 4514) so that equal names have equal keys and a subordinate's key ends
// in its superior's: types and values in lower case, escapes resolved, spaces around separators dropped.
func dnKey(dn string) (string, error) {
	if strings.TrimSpace(dn) == "" {
		return "", nil
	}
	var key strings.Builder
	for _, rdn := range splitUnescaped(dn, ",;") {
		for i, part := range splitUnescaped(rdn, "+") {
			kind, value, found := strings.Cut(part, "=")
			kind = strings.ToLower(strings.TrimSpace(kind))
			if !found || kind == "" {
				return "", fmt.Errorf("%w: %q in %q is no type=value", ErrDN, part, dn)
			}
			text, err := unescape(value)
			if err != nil {
				return "", fmt.Errorf("%w: %q in %q: %w", ErrDN, part, dn, err)
			}
			if i > 0 {
				key.WriteByte('+')
			}
			key.WriteString(kind)
			key.WriteByte('=')
			key.WriteString(normalise(text))
		}
		key.WriteString(rdnEnd)
	}
	return key.String(), nil
}

// superior returns the key of the name above, "" above a single RDN.
func superior(key string) string {
	_, rest, _ := strings.Cut(key, rdnEnd)
	return rest
}

// normalise prepares a value for comparison as caseIgnoreMatch does (RFC 4518, in the measure that a demo needs).
func normalise(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(text, rdnEnd, "")), " "))
}

// splitUnescaped cuts s at each byte of separators that no backslash precedes.
func splitUnescaped(s, separators string) []string {
	var parts []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.IndexByte(separators, s[i]) >= 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// unescape resolves \, and \2C in an attribute value (RFC 4514, 2.4).
func unescape(value string) (string, error) {
	if !strings.Contains(value, `\`) {
		return value, nil
	}
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '\\' {
			out.WriteByte(value[i])
			continue
		}
		if i+2 < len(value) {
			if b, err := hex.DecodeString(value[i+1 : i+3]); err == nil {
				out.Write(b)
				i += 2
				continue
			}
		}
		if i+1 == len(value) {
			return "", fmt.Errorf("it ends in a backslash")
		}
		i++
		out.WriteByte(value[i])
	}
	return out.String(), nil
}
