package userstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
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

// totals follows the number of users through syncs and edits.
func totals(t *testing.T, open func(*testing.T) (users.Store, runs.Store)) {
	store, jobs := open(t)
	u, log := store.For("acme"), jobs.For("acme")
	at, want := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), 0
	check := func(when string) {
		t.Helper()
		if got, err := u.Total(t.Context()); err != nil || got != want || got != len(all(t, u)) {
			t.Errorf("%s: total %d, error %v; want %d", when, got, err, want)
		}
	}
	synced := func(changes ...users.Change) {
		t.Helper()
		apply(t, u, changes...)
		at = at.Add(time.Second)
		if err := log.NoteListWrite(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	edited := func(c users.Change, outcome users.Outcome) {
		t.Helper()
		at = at.Add(time.Second)
		e := entry(fmt.Sprint("01J", at.Unix()))
		e.At = at
		if got, err := u.Edit(t.Context(), c, e); err != nil || got != outcome {
			t.Fatalf("outcome %d, error %v; want %d", got, err, outcome)
		}
	}
	check("an empty list")
	var changes []users.Change
	for i := range 40 {
		changes = append(changes, create(numbered(i)))
	}
	synced(changes...)
	want = 40
	check("after a sync")
	added, changed := sample("by.hand@example.com"), sample("by.hand@example.com")
	added.LastRunID, changed.LastRunID = "", ""
	changed.Version, changed.Protected = added.Version+1, !added.Protected
	edited(create(added), users.Applied)
	want++
	check("after adding one by hand")
	edited(create(changed), users.Conflict)
	edited(users.Change{Key: added.Key, Expect: added.Version, After: &changed}, users.Applied)
	check("after changing it")
	synced(users.Change{Key: changed.Key, Expect: 5})
	edited(users.Change{Key: added.Key, Expect: changed.Version}, users.Applied)
	want--
	check("after removing it, not counted since a sync")
	changes = nil
	for i := range 12 {
		changes = append(changes, users.Change{Key: numbered(i).Key, Expect: numbered(i).Version})
	}
	next := numbered(30)
	next.Version, next.LastRunID, next.DN = next.Version+1, "01J0000000000000000000RUN2", "CN=Next"
	synced(append(changes, users.Change{Key: next.Key, Expect: next.Version - 1, After: &next},
		create(sample("new@example.com")), users.Change{Key: "nobody@example.com", Expect: 1})...)
	want += 1 - 12
	check("after a sync that removed some")
	check("asked again")
	if got, err := store.For("other").Total(t.Context()); err != nil || got != 0 {
		t.Errorf("another account has %d, error %v", got, err)
	}
}
