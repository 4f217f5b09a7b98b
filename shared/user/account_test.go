package user_test

import (
	"errors"
	"strings"
	"testing"

	"rollcall/shared/user"
)

func TestParseAccount(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"a", "acme", "Acme Ltd.", "acme/emea", "müller", "[acme", "acme]", "]", "a[1]", "0", "null",
		strings.Repeat("x", 128),
	} {
		if got, err := user.ParseAccount(good); err != nil || string(got) != good {
			t.Errorf("%q became %q (%v), want that it stays", good, got, err)
		}
	}
	for _, bad := range []string{
		"", " ", " acme", "acme\n", "ac\x00me", "ac\u0085me", "\xff", "[]", "[acme]",
		"[acme other]", "map[]", "map[id:acme]",
		strings.Repeat("x", 129),
	} {
		if got, err := user.ParseAccount(bad); !errors.Is(err, user.ErrAccount) || got != "" {
			t.Errorf("%q became %q (%v), want that it is none", bad, got, err)
		}
	}
}
