package directory

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// maxBaseLength bounds a search base in characters.
const maxBaseLength = 4096

// CheckBase returns a search base without the space around it and the line breaks of a pasted one; its error says what
// is wrong with the DN (RFC 4514).
func CheckBase(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the search base is not valid UTF-8 text")
	}
	if utf8.RuneCountInString(text) > maxBaseLength {
		return "", fmt.Errorf("the search base is longer than %d characters", maxBaseLength)
	}
	var parts []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return isFilterSpace(r) && r != ' ' }) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	base := strings.Join(parts, " ")
	if base == "" {
		return "", nil
	}
	if _, err := ldap.ParseDN(base); err != nil {
		return "", fmt.Errorf("%q is no distinguished name such as OU=Staff,DC=example,DC=com: %s", base,
			ldapReason(err))
	}
	return base, nil
}
