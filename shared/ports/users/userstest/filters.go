package userstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// filters asks for parts of a list and holds them against all of it.
func filters(t *testing.T, s users.Store) {
	u := s.For("acme")
	fill(t, u, 600)
	for i, key := range []string{"zoë@example.org", "zoë@other.example", "zoé@example.org", "z@example.org"} {
		one := sample(key)
		one.Type = user.Types()[i]
		apply(t, u, create(one))
	}
	everyone := all(t, u)
	for name, q := range map[string]users.Query{
		"prefix":             {Prefix: "user0004"},
		"a whole key":        {Prefix: "user00042@example.com"},
		"the last ones":      {Prefix: "zoë"},
		"nobody's prefix":    {Prefix: "user1"},
		"more than a key":    {Prefix: "z@example.orgs"},
		"type":               {Types: []user.Type{user.TypeUser, user.TypeGroup}},
		"domain":             {Domains: []string{"example.org"}},
		"prefix and domain":  {Prefix: "zo", Domains: []string{"other.example", "example.com"}},
		"prefix and text":    {Prefix: "user000", Q: "7@EXAMPLE"},
		"domain, type, text": {Domains: []string{"example.org"}, Types: []user.Type{user.TypeGroup}, Q: "Z"},
	} {
		match := q.Matcher()
		want := slices.DeleteFunc(slices.Clone(everyone), func(one user.User) bool {
			return !strings.HasPrefix(one.Key, q.Prefix) || match != nil && !match(&one)
		})
		for _, limit := range []int{1, 7, 1000} {
			q.Limit = limit
			if diff := cmp.Diff(slices.Clip(want), slices.Clip(append([]user.User{}, list(t, u, q)...))); diff != "" {
				t.Errorf("%s, pages of %d (-want +got):\n%.1000s", name, limit, diff)
			}
		}
	}
	page, err := u.List(t.Context(), users.Query{Prefix: "user0004", Limit: 100})
	if err != nil || page.Scanned != 10 {
		t.Errorf("%d users were looked at for ten with a prefix, error %v", page.Scanned, err)
	}
	for _, after := range []string{"a@example.com", "zz@example.com"} {
		page, err = u.List(t.Context(), users.Query{Prefix: "user0004", After: after, Limit: 1})
		if err != nil || len(page.Users) > 0 && page.Users[0].Key != "user00040@example.com" {
			t.Errorf("after %s, which no page with the prefix ended at: %+v, error %v", after, page.Users, err)
		}
	}
}
