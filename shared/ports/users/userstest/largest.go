package userstest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// The longest texts of a user in bytes: an address as RFC 5321 allows it (package address), and what package extract
// keeps of a DN, an id and a value.
const (
	longestKey  = 254
	longestDN   = 4 << 10
	longestText = 2 << 10
)

// Largest is a user as large as an import can make it. Its key is not larger than DynamoDB's sort key, 1,024 bytes, and
// all of it is a small part of an item, 400 KB, so that no row of a sync is one that cannot be stored.
func Largest() user.User {
	local := strings.Repeat("ü", 32)
	key := local + "@" + strings.Repeat("x", longestKey-len(local)-len("@.example")) + ".example"
	u := sample(key)
	u.Address = strings.Repeat("ß", longestText/len("ß"))
	u.PrimaryAddress = strings.Repeat("…", longestText/len("…"))
	u.DirectoryID, u.SourceID = strings.Repeat("d", longestText), strings.Repeat("i", longestText)
	u.DN = strings.Repeat("ü", longestDN/len("ü"))
	return u
}

// largest writes the largest users in one call, changes them, and reads them.
func largest(t *testing.T, s users.Store) {
	list := s.For(user.Account(strings.Repeat("x", 120)))
	var want []user.User
	var creations, updates []users.Change
	for _, first := range "abcdefghijklmnop" {
		u := Largest()
		u.Key = string(first) + u.Key[2:]
		after := u
		after.Version++
		after.LastRunID = "01J0000000000000000000RUN2"
		want, creations = append(want, after), append(creations, create(u))
		updates = append(updates, users.Change{Key: u.Key, Expect: u.Version, After: &after})
	}
	for _, changes := range [][]users.Change{creations, updates} {
		for i, outcome := range apply(t, list, changes...) {
			if outcome != users.Applied {
				t.Errorf("user %d: outcome %d, want %d", i, outcome, users.Applied)
			}
		}
	}
	if diff := cmp.Diff(want, all(t, list)); diff != "" {
		t.Errorf("users (-want +got):\n%.2000s", diff)
	}
	page, err := list.List(t.Context(), users.Query{After: want[0].Key, Limit: 1000})
	if err != nil || len(page.Users) != len(want)-1 {
		t.Errorf("a page behind the first of %d users has %d, %v", len(want), len(page.Users), err)
	}
}
