package userstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// fill stores n users named user0000@example.com and so on.
func fill(t *testing.T, u users.Users, n int) {
	t.Helper()
	for part := range slices.Chunk(slices.Collect(func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}), 500) {
		var changes []users.Change
		for _, i := range part {
			changes = append(changes, create(sample(fmt.Sprintf("user%05d@example.com", i))))
		}
		apply(t, u, changes...)
	}
}

// list follows a query to its end.
func list(t *testing.T, u users.Users, q users.Query) []user.User {
	t.Helper()
	var out []user.User
	for {
		page, err := u.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Users) > q.Limit {
			t.Fatalf("a page of %d at limit %d", len(page.Users), q.Limit)
		}
		out = append(out, page.Users...)
		if q.After = page.Next; q.After == "" {
			return out
		}
	}
}

func pages(t *testing.T, s users.Store) {
	const n = 1250
	u := s.For("acme")
	fill(t, u, n)
	want := all(t, u)
	if len(want) != n {
		t.Fatalf("All gives %d users, want %d", len(want), n)
	}
	for _, limit := range []int{1, n/2 - 1, n / 2, n, n + 1} {
		if limit == 1 {
			page, err := u.List(t.Context(), users.Query{Limit: 1})
			if err != nil || len(page.Users) != 1 || page.Next == "" {
				t.Errorf("a page of one: %+v, error %v", page, err)
			}
			continue
		}
		if diff := cmp.Diff(want, list(t, u, users.Query{Limit: limit})); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%.1000s", limit, diff)
		}
	}
	// A row that is deleted between two pages does not disturb the next one.
	page, err := u.List(t.Context(), users.Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	last := page.Users[9]
	apply(t, u, users.Change{Key: last.Key, Expect: last.Version})
	next, err := u.List(t.Context(), users.Query{Limit: 1, After: page.Next})
	if err != nil || next.Users[0].Key != "user00010@example.com" {
		t.Errorf("after a deleted row comes %+v, error %v", next.Users, err)
	}
}

func searches(t *testing.T, s users.Store) {
	u := s.For("acme")
	fill(t, u, 1200)
	alias := sample("other@example.com")
	alias.Kind, alias.PrimaryAddress = user.Alias, "User00042@example.com"
	apply(t, u, create(alias))
	for _, test := range []struct {
		q           string
		limit, want int
	}{{"USER0004", 7, 11}, {"example.com", 97, 1201}, {"nobody", 7, 0}, {"user01199", 7, 1}} {
		if got := list(t, u, users.Query{Q: test.q, Limit: test.limit}); len(got) != test.want {
			t.Errorf("%q finds %d, want %d", test.q, len(got), test.want)
		}
	}
}
