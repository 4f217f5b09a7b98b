package user

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxAccount bounds an account's name in bytes.
const MaxAccount = 128

// ErrAccount means that a text cannot be an account's name.
var ErrAccount = errors.New("an account's name has 1 to 128 bytes, no control characters, no white space at its " +
	"ends, and no brackets around it")

// ParseAccount returns the account that a token or a header names, or ErrAccount. In brackets API Gateway writes claims
// that are lists or objects, which name no one account: "[acme other]", "map[id:acme]".
func ParseAccount(text string) (Account, error) {
	list := strings.HasSuffix(text, "]") && (strings.HasPrefix(text, "[") || strings.HasPrefix(text, "map["))
	if text == "" || len(text) > MaxAccount || !utf8.ValidString(text) || list || strings.TrimSpace(text) != text ||
		strings.ContainsFunc(text, unicode.IsControl) {
		return "", ErrAccount
	}
	return Account(text), nil
}
