package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// The bounds of filters: compiling one is recursive, and takes time that grows faster than its length in bytes.
const (
	maxFilterDepth  = 64
	maxFilterLength = 16 << 10
)

// CheckFilter returns a filter (RFC 4515) as it is searched with: without the stray spaces and line breaks of a pasted one,
// in parentheses. Its error names the character where the filter goes wrong, counted from 1. An empty filter stays empty.
func CheckFilter(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the filter is not valid UTF-8 text")
	}
	if len(text) > maxFilterLength {
		return "", fmt.Errorf("the filter is longer than %d bytes", maxFilterLength)
	}
	filter := tidyFilter(text)
	if filter == "" {
		return "", nil
	}
	if filter[0] != '(' {
		filter = "(" + filter + ")"
	}
	if err := checkParentheses(filter); err != nil {
		return "", err
	}
	if _, err := ldap.CompileFilter(filter); err != nil {
		return "", fmt.Errorf("the filter cannot be read%s: %s", filterPlace(filter), ldapReason(err))
	}
	return filter, nil
}

// tidyFilter drops the white space that cannot mean anything: around the filter, between its parts, and every line break.
func tidyFilter(text string) string {
	var b strings.Builder
	pending := false
	for _, r := range strings.TrimSpace(text) {
		switch r {
		case '\n', '\r', '\t', '\u00a0':
			pending = true
			continue
		case ' ':
			pending = true
			continue
		}
		if pending {
			last := byte('(')
			if b.Len() > 0 {
				last = b.String()[b.Len()-1]
			}
			// A space within a value stays; one beside a parenthesis or an operator does not.
			if !strings.ContainsRune("()&|!", rune(last)) && r != '(' && r != ')' {
				b.WriteByte(' ')
			}
			pending = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// checkParentheses finds what pasting breaks most often.
func checkParentheses(filter string) error {
	depth, position := 0, 0
	for i, r := range filter {
		position++
		switch r {
		case '(':
			if depth++; depth > maxFilterDepth {
				return fmt.Errorf("the filter nests deeper than %d at character %d", maxFilterDepth, position)
			}
		case ')':
			depth--
		}
		switch {
		case depth < 0:
			return fmt.Errorf("the filter has a ) too many at character %d", position)
		case depth == 0 && filter[i+1:] == strings.Repeat(")", len(filter)-i-1) && i+1 < len(filter):
			return fmt.Errorf("the filter has a ) too many at character %d", position+1)
		case depth == 0 && i+1 < len(filter):
			return fmt.Errorf("the filter ends at character %d, but %q follows; join filters as (&%s)", position, filter[i+1:], "(…)(…)")
		}
	}
	if depth > 0 {
		return fmt.Errorf("the filter lacks %d ) at its end (character %d)", depth, utf8.RuneCountInString(filter)+1)
	}
	return nil
}

// filterPlace finds the innermost part of the filter that does not compile, and says where it is.
func filterPlace(filter string) string {
	start := strings.LastIndexByte(filter, '(')
	for ; start >= 0; start = strings.LastIndexByte(filter[:start], '(') {
		end := strings.IndexByte(filter[start:], ')')
		if end < 0 {
			continue
		}
		part := filter[start : start+end+1]
		if strings.ContainsAny(part[1:len(part)-1], "(") {
			continue
		}
		if _, err := ldap.CompileFilter(part); err != nil {
			return fmt.Sprintf(" at character %d, %q", utf8.RuneCountInString(filter[:start])+1, part)
		}
	}
	return ""
}

// ldapReason returns go-ldap's own words for a client-side error, without its number.
func ldapReason(err error) string {
	var e *ldap.Error
	if errors.As(err, &e) && e.Err != nil {
		return strings.TrimPrefix(e.Err.Error(), "ldap: ")
	}
	return err.Error()
}

// CheckBase returns a search base without surrounding space; its error says what is wrong with the DN (RFC 4514).
func CheckBase(text string) (string, error) {
	base := strings.TrimSpace(text)
	if base == "" {
		return "", nil
	}
	if _, err := ldap.ParseDN(base); err != nil {
		return "", fmt.Errorf("%q is no distinguished name such as OU=Staff,DC=example,DC=com: %s", base, ldapReason(err))
	}
	return base, nil
}
