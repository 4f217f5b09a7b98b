// Package address knows the canonical form in which mail addresses are compared, and what a directory can say of one: a
// claim, or a reason to leave it out. It is pure, so that the planner, which needs both, links no network.
package address

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The limits of RFC 5321, 4.5.3.1, in bytes.
const (
	maxLocal   = 64
	maxDomain  = 255
	maxAddress = 254
)

// The errors of Parse. They are shown to administrators as they are.
var (
	ErrNoAt      = errors.New("has no @")
	ErrLiteral   = errors.New("has an IP address in place of a domain")
	ErrLocalPart = errors.New("has a local part that is not allowed by RFC 5321")
	ErrDomain    = errors.New("has a domain that is not allowed by IDNA 2008")
	ErrTooLong   = errors.New("is longer than RFC 5321 allows (64 bytes before the @, 254 in all)")
	ErrEncoding  = errors.New("is not valid UTF-8 text")
	ErrControl   = errors.New("has a control character")
	ErrInvisible = errors.New("has an invisible character")
)

// Address is a mail address.
type Address struct {
	// Key is the canonical form: local part in NFC and lower case (Lower) without needless quotes, domain as lower-case
	// A-labels (IDNA 2008, non-transitional).
	Key string
	// Display is the address as it was written, without surrounding space.
	Display string
	// NeedsSMTPUTF8 says that the local part is not ASCII (RFC 6531).
	NeedsSMTPUTF8 bool
}

// domains converts domains as a lookup does (RFC 5891, section 5). hyphened takes labels with hyphens where an A-label
// has them too: DNS knows such names, as of content networks, and they are no IDNA (RFC 5890, 2.3.1).
var (
	domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
		idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	hyphened = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
		idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.CheckHyphens(false))
)

// Canonical returns the canonical form of an address.
func Canonical(raw string) (string, error) {
	a, err := Parse(raw)
	return a.Key, err
}

// Parse reads a mailbox (RFC 5321, 4.1.2, with the UTF-8 of RFC 6531). With ErrInvisible it returns the address too:
// earlier builds took it, so that somebody may have to find and remove such a user.
func Parse(raw string) (Address, error) {
	raw = strings.TrimSpace(raw)
	if IsPlain(raw) {
		return Address{Key: strings.ToLower(raw), Display: raw}, nil
	}
	return parse(raw)
}

// parse is Parse for any trimmed text, plain or not.
func parse(raw string) (Address, error) {
	if !utf8.ValidString(raw) {
		return Address{}, ErrEncoding
	}
	at := strings.LastIndexByte(raw, '@')
	if at < 0 {
		return Address{}, ErrNoAt
	}
	local, ascii, err := canonicalLocal(raw[:at])
	if err != nil {
		return Address{}, err
	}
	domain, err := CanonicalDomain(raw[at+1:])
	if err != nil {
		return Address{}, err
	}
	key := local + "@" + domain
	if len(local) > maxLocal || len(key) > maxAddress {
		return Address{}, ErrTooLong
	}
	return Address{Key: key, Display: raw, NeedsSMTPUTF8: !ascii}, checkVisible(raw[:at], raw[at+1:])
}

// checkVisible refuses characters that make an address look like another one: those that show nothing, such as the soft
// hyphen, zero-width spaces and tags, and those that only steer the direction of the text. In a domain the joiners
// (U+200C, U+200D) stay where IDNA allows them, as in Persian names, which are read differently without.
func checkVisible(local, domain string) error {
	for i, part := range []string{local, domain} {
		for _, r := range part {
			if isInvisible(r) && (i == 0 || r != '\u200c' && r != '\u200d') {
				return fmt.Errorf("%w (U+%04X)", ErrInvisible, r)
			}
		}
	}
	return nil
}

// isInvisible reports whether a character shows nothing of its own (Unicode's Cf and Default_Ignorable_Code_Point, and
// the blank Braille pattern).
func isInvisible(r rune) bool {
	return r > unicode.MaxASCII && (r == '\u2800' || unicode.In(r, unicode.Cf, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point))
}

// IsPlain reports whether an address has nothing to canonicalise but its case: letters, digits, and dots and hyphens
// where they may stand. Nearly all addresses are plain.
func IsPlain(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 1 || at > maxLocal || len(s) > maxAddress {
		return false
	}
	for i, separator := 0, true; i < at; i++ {
		c := s[i]
		switch {
		case isAlphanumeric(c) || c == '_' || c == '-' || c == '+':
			separator = false
		case c == '.' && !separator && i+1 < at:
			separator = true
		default:
			return false
		}
	}
	label, letters, labels := 0, false, 1
	for i := at + 1; i < len(s); i++ {
		c := s[i]
		switch {
		case isAlphanumeric(c):
			label++
			letters = letters || c > '9'
		case c == '-' && label > 0 && i+1 < len(s) && s[i+1] != '.' && s[i+1] != '-':
			label++
		case c == '.' && label > 0 && i+1 < len(s):
			label, letters = 0, false
			labels++
		default:
			return false
		}
		if label > 63 {
			return false
		}
	}
	return label > 0 && letters && labels > 1
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// canonicalLocal returns the local part's canonical form and whether it is ASCII.
func canonicalLocal(local string) (string, bool, error) {
	text := local
	if strings.HasPrefix(local, `"`) {
		var ok bool
		if text, ok = unquote(local); !ok {
			return "", false, ErrLocalPart
		}
	} else if !isDotAtom(local) {
		return "", false, ErrLocalPart
	}
	ascii := isASCII(text)
	text = Lower(text)
	if !isDotAtom(text) {
		text = quote(text)
	}
	return text, ascii, nil
}

// Lower returns a text in NFC and in Unicode's lower case, as texts are compared that must not differ by case alone. No
// two people become one: a final sigma stays one, and İ, which has a dot in every case, becomes i with a dot above and
// not the i of English. It is its own lower case.
func Lower(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	// Go maps each character by itself. İ is the only one whose lower case has two.
	return norm.NFC.String(strings.ToLower(strings.ReplaceAll(norm.NFC.String(text), "İ", "i\u0307")))
}

// FormerKey returns the key that version 0.4 and earlier gave to an address, and whether it is another one than
// today's: they took İ for an i.
func FormerKey(a Address) (key string, differs bool) {
	if !strings.Contains(a.Key, "i\u0307") {
		return a.Key, false
	}
	at := strings.LastIndexByte(a.Display, '@')
	former, err := Canonical(strings.ReplaceAll(norm.NFC.String(a.Display[:at]), "İ", "i") + a.Display[at:])
	return former, err == nil && former != a.Key
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isDotAtom reports whether text is a dot-string (RFC 5321, 4.1.2), with any character beyond ASCII that is neither a
// control nor a space: at an address's edge such a space would be lost where the address is read again.
func isDotAtom(text string) bool {
	dot := true
	for _, r := range text {
		switch {
		case r == '.':
			if dot {
				return false
			}
			dot = true
			continue
		case r <= ' ', r == 0x7f, isC1(r), unicode.IsSpace(r), r == utf8.RuneError,
			strings.ContainsRune(`"(),:;<>@[\]`, r):
			return false
		}
		dot = false
	}
	return !dot
}

// isC1 reports whether a character is one of the controls beyond ASCII.
func isC1(r rune) bool { return r >= 0x80 && r < 0xa0 }

// unquote returns the content of a quoted string (RFC 5321, 4.1.2).
func unquote(text string) (string, bool) {
	if len(text) < 2 || text[len(text)-1] != '"' || strings.ContainsFunc(text, isC1) {
		return "", false
	}
	var b strings.Builder
	inner := text[1 : len(text)-1]
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		switch {
		case c == '\\' && i+1 < len(inner) && inner[i+1] >= ' ' && inner[i+1] < 0x7f:
			i++
			c = inner[i]
		case c == '\\' || c == '"' || c < ' ' || c == 0x7f:
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// CanonicalDomain returns a domain as lower-case A-labels.
func CanonicalDomain(domain string) (string, error) {
	domain = strings.TrimSuffix(domain, ".")
	switch {
	case strings.HasPrefix(domain, "["):
		return "", ErrLiteral
	case len(domain) > maxDomain:
		return "", ErrTooLong
	}
	ascii, err := toASCII(domains, domain)
	if err != nil {
		ascii, err = toASCII(hyphened, domain)
		if err == nil && !goodHyphens(ascii) {
			err = ErrDomain
		}
	}
	if err != nil || !strings.Contains(ascii, ".") {
		return "", fmt.Errorf("%w: %q", ErrDomain, domain)
	}
	last := ascii[strings.LastIndexByte(ascii, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%w: %q", ErrDomain, domain)
	}
	return ascii, nil
}

func toASCII(profile *idna.Profile, domain string) (string, error) {
	ascii, err := profile.ToASCII(domain)
	if err == nil && strings.Contains(ascii, "xn--") {
		// Symbols that stand for right-to-left letters pass the Bidi rule, and their A-labels do not: without this the
		// key would be no address.
		ascii, err = profile.ToASCII(ascii)
	}
	return ascii, err
}

// goodHyphens reports whether no label begins or ends with a hyphen, and those that claim to be A-labels are some.
func goodHyphens(ascii string) bool {
	for label := range strings.SplitSeq(ascii, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		if strings.HasPrefix(label, "xn--") {
			if _, err := domains.ToASCII(label); err != nil {
				return false
			}
		}
	}
	return true
}

// KeyPrefix returns what the keys begin with of addresses that begin with a text. The domain of such a text may end
// anywhere; a label with letters beyond ASCII counts as whole.
func KeyPrefix(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text):
		return "", ErrEncoding
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", ErrControl
	case strings.ContainsFunc(text, isInvisible):
		return "", ErrInvisible
	}
	text = Lower(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 || isASCII(text[at:]) {
		return text, nil
	}
	labels := strings.Split(text[at+1:], ".")
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		ascii, err := toASCII(hyphened, label)
		if err != nil {
			return "", fmt.Errorf("%w: %q", ErrDomain, label)
		}
		labels[i] = ascii
	}
	return text[:at+1] + strings.Join(labels, "."), nil
}

// Domain returns the domain of a canonical address.
func Domain(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// Local returns the local part of a canonical address.
func Local(key string) string { return key[:strings.LastIndexByte(key, '@')] }
