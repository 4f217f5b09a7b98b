// Package userstest holds what every adapter of users must do.
package userstest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// Accounts are names that a store must keep apart, whatever it makes keys of.
var Accounts = []user.Account{
	"acme", "acme2", "acme#1", "acme/..", "ACME", "a\x00b", "ä", "user@example.com",
	user.Account(strings.Repeat("x", 120)),
}

// Run holds a store to the contract of users. open returns an empty store.
func Run(t *testing.T, open func(*testing.T) users.Store) {
	t.Run("conditions decide each change", func(t *testing.T) { conditions(t, open(t)) })
	t.Run("the changes of a call stand alone in any order", func(t *testing.T) { together(t, open(t)) })
	t.Run("users come back as they were", func(t *testing.T) { roundTrip(t, open(t)) })
	t.Run("the largest users", func(t *testing.T) { largest(t, open(t)) })
	t.Run("accounts are apart", func(t *testing.T) { isolation(t, open(t)) })
	t.Run("users come in the order of their keys", func(t *testing.T) { order(t, open(t)) })
	t.Run("users are found by their keys", func(t *testing.T) { find(t, open(t)) })
	t.Run("pages", func(t *testing.T) { pages(t, open(t)) })
	t.Run("filters", func(t *testing.T) { filters(t, open(t)) })
	t.Run("searches", func(t *testing.T) { searches(t, open(t)) })
	t.Run("one of several writers wins", func(t *testing.T) { race(t, open(t)) })
	t.Run("a context that has ended", func(t *testing.T) { ended(t, open(t)) })
}

// sample is a user with every field set.
func sample(key string) user.User {
	at := time.Date(2026, 11, 23, 10, 0, 0, 123456789, time.UTC)
	_, first := utf8.DecodeRuneInString(key)
	shown := strings.ToUpper(key[:first]) + key[first:]
	return user.User{
		Key: key, Address: shown, Kind: user.Primary, PrimaryAddress: shown, Type: user.TypeShared,
		Source: user.FromDirectory, DirectoryID: "dc=example,dc=com", SourceID: "7a1c",
		DN:             "CN=Ünïcode\\, Name,DC=example,DC=com",
		HeldSpamReport: user.ReportDaily, Protected: true, Version: 1_795_000_000_000,
		LastRunID: "01J0000000000000000000RUN1", CreatedAt: at, UpdatedAt: at.Add(time.Hour),
	}
}

func apply(t *testing.T, u users.Users, changes ...users.Change) []users.Outcome {
	t.Helper()
	outcomes, err := u.Apply(t.Context(), users.Fence{}, changes)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func create(u user.User) users.Change { return users.Change{Key: u.Key, After: &u} }

func all(t *testing.T, u users.Users) []user.User {
	t.Helper()
	var list []user.User
	for found, err := range u.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found)
	}
	return list
}

// step is a change, what comes of it, and the user that is stored then, nil for none.
type step struct {
	name   string
	change users.Change
	want   users.Outcome
	stored *user.User
}

func conditions(t *testing.T, s users.Store) {
	u := s.For("acme")
	first := sample("a@example.com")
	for _, step := range conditionSteps(first) {
		if got := apply(t, u, step.change); got[0] != step.want {
			t.Errorf("%s: outcome %d, want %d", step.name, got[0], step.want)
		}
		stored, err := u.Get(t.Context(), first.Key)
		switch {
		case step.stored == nil && !errors.Is(err, users.ErrNotFound):
			t.Errorf("%s: stored %+v, error %v; want %v", step.name, stored, err, users.ErrNotFound)
		case step.stored != nil && (err != nil || stored != *step.stored):
			t.Errorf("%s: error %v, stored (-want +got):\n%s", step.name, err, cmp.Diff(*step.stored, stored))
		}
	}
	got := apply(t, u, create(first), users.Change{Key: "b@example.com", Expect: 3}, create(sample("c@example.com")))
	if want := []users.Outcome{users.Applied, users.Absent, users.Applied}; !slices.Equal(got, want) {
		t.Errorf("outcomes of one call %v, want %v: every change stands alone", got, want)
	}
}

// conditionSteps are changes of one user, each after the one before.
func conditionSteps(first user.User) []step {
	byHand := first
	byHand.Version, byHand.LastRunID, byHand.Protected = first.Version+1, "", false
	next := byHand
	next.Version, next.LastRunID = byHand.Version+1, "01J0000000000000000000RUN2"
	other := next
	other.LastRunID = "01J0000000000000000000RUN3"
	return []step{
		{"delete what never was", users.Change{Key: first.Key, Expect: 5}, users.Absent, nil},
		{"update what never was", users.Change{Key: first.Key, Expect: 5, After: &first}, users.Conflict, nil},
		{"create", create(first), users.Applied, &first},
		{"create again in the same run", create(first), users.Applied, &first},
		{"create in another run", create(next), users.Conflict, &first},
		{"create by hand what is there", create(byHand), users.Conflict, &first},
		{
			"update with another version", users.Change{Key: first.Key, Expect: first.Version + 7, After: &next},
			users.Conflict, &first,
		},
		{"update by hand", users.Change{Key: first.Key, Expect: first.Version, After: &byHand}, users.Applied, &byHand},
		{
			"the same by hand again", users.Change{Key: first.Key, Expect: first.Version, After: &byHand},
			users.Already, &byHand,
		},
		{"update by a run", users.Change{Key: first.Key, Expect: byHand.Version, After: &next}, users.Applied, &next},
		{
			"again in the same run", users.Change{Key: first.Key, Expect: byHand.Version, After: &next}, users.Applied,
			&next,
		},
		{
			"again in another run", users.Change{Key: first.Key, Expect: byHand.Version, After: &other}, users.Already,
			&next,
		},
		{
			"otherwise in another run", users.Change{Key: first.Key, Expect: byHand.Version, After: &first},
			users.Conflict, &next,
		},
		{"delete with another version", users.Change{Key: first.Key, Expect: byHand.Version}, users.Conflict, &next},
		{"delete", users.Change{Key: first.Key, Expect: next.Version}, users.Applied, nil},
		{"delete again", users.Change{Key: first.Key, Expect: next.Version}, users.Absent, nil},
	}
}

// together applies changes of every kind in one call, to users that are there and to users that are not, in several
// orders.
func together(t *testing.T, s users.Store) {
	const n = 60
	orders := map[user.Account]func([]int){
		"up": func([]int) {}, "down": slices.Reverse[[]int],
		"mixed": func(places []int) {
			rand.New(rand.NewPCG(1, 2)).
				Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
			//nolint:gosec // an order
		},
	}
	for account, arrange := range orders {
		u := s.For(account)
		places := make([]int, n)
		for i := range places {
			if places[i] = i; isThere(i) {
				apply(t, u, create(numbered(i)))
			}
		}
		arrange(places)
		var changes []users.Change
		var want []users.Outcome
		var left []string
		for _, i := range places {
			change, outcome, stays := oneOfMany(i)
			changes, want = append(changes, change), append(want, outcome)
			if stays {
				left = append(left, change.Key)
			}
		}
		if diff := cmp.Diff(want, apply(t, u, changes...)); diff != "" {
			t.Errorf("%s: outcomes (-want +got):\n%s", account, diff)
		}
		var got []string
		for _, found := range all(t, u) {
			got = append(got, found.Key)
		}
		slices.Sort(left)
		if diff := cmp.Diff(left, got); diff != "" {
			t.Errorf("%s: users (-want +got):\n%s", account, diff)
		}
	}
}

// Every second of the numbered users is stored before together's changes.
func isThere(i int) bool { return i%2 == 0 }

func numbered(i int) user.User { return sample(fmt.Sprintf("user%03d@example.com", i)) }

// oneOfMany returns a change of a numbered user, what comes of it, and whether the user is there afterwards. Of each
// kind there is one for a user that is there and one for a user that is not.
func oneOfMany(i int) (change users.Change, outcome users.Outcome, stays bool) {
	before := numbered(i)
	after := before
	after.Version, after.LastRunID, after.Protected = before.Version+1, "01J0000000000000000000RUN2", !before.Protected
	pick := func(there, absent users.Outcome) users.Outcome {
		if isThere(i) {
			return there
		}
		return absent
	}
	switch i / 2 % 6 {
	case 0:
		return users.Change{
			Key:    before.Key,
			Expect: before.Version,
			After:  &after,
		}, pick(users.Applied, users.Conflict), isThere(i)
	case 1:
		return users.Change{Key: before.Key, Expect: before.Version + 5, After: &after}, users.Conflict, isThere(i)
	case 2:
		return users.Change{Key: before.Key, Expect: before.Version}, pick(users.Applied, users.Absent), false
	case 3:
		return users.Change{Key: before.Key, Expect: before.Version + 5}, pick(users.Conflict, users.Absent), isThere(i)
	case 4:
		after.Protected = before.Protected
		return create(after), pick(users.Already, users.Applied), true
	}
	return create(after), pick(users.Conflict, users.Applied), true
}

func roundTrip(t *testing.T, s users.Store) {
	long := sample("long@example.com")
	long.DN = "CN=" + strings.Repeat("ü", 2000)
	bare := user.User{
		Key: "bare@example.com", Address: "bare@example.com", Kind: user.Alias, PrimaryAddress: "x@example.com",
		Type: user.TypeUnknown, Source: user.Manual, HeldSpamReport: user.ReportOff, Version: 1,
	}
	want := []user.User{bare, long, sample("öäü@xn--mller-kva.example")}
	u := s.For("acme")
	for _, w := range want {
		apply(t, u, create(w))
	}
	if diff := cmp.Diff(want, all(t, u)); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func isolation(t *testing.T, s users.Store) {
	for i, account := range Accounts {
		one := sample("same@example.com")
		one.DN = fmt.Sprint(i)
		apply(t, s.For(account), create(one), create(sample(fmt.Sprintf("own%d@example.com", i))))
	}
	for i, account := range Accounts {
		u := s.For(account)
		if list := all(t, u); len(list) != 2 || list[0].Key != fmt.Sprintf("own%d@example.com", i) ||
			list[1].DN != fmt.Sprint(i) {
			t.Errorf("account %q has %+v", account, list)
		}
		if _, err := u.Get(t.Context(), fmt.Sprintf("own%d@example.com", (i+1)%len(Accounts))); !errors.Is(
			err, users.ErrNotFound,
		) {
			t.Errorf("account %q finds another's user: %v", account, err)
		}
	}
	if list := all(t, s.For("nobody")); list != nil {
		t.Errorf("an account that was never written has %+v", list)
	}
}

func order(t *testing.T, s users.Store) {
	u := s.For("acme")
	keys := []string{
		"zoë@example.com", "a.b@example.com", "a-b@example.com", "a@example.com",
		"ä@example.com", "日本@example.com",
		"ab@example.com",
	}
	for _, k := range keys {
		apply(t, u, create(sample(k)))
	}
	slices.Sort(keys)
	var got []string
	for _, found := range all(t, u) {
		got = append(got, found.Key)
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		t.Errorf("order (-bytes +got):\n%s", diff)
	}
}

func race(t *testing.T, s users.Store) {
	u := s.For("acme")
	first := sample("a@example.com")
	apply(t, u, create(first))
	const writers = 8
	var mu sync.Mutex
	var running sync.WaitGroup
	won := 0
	for i := range writers {
		running.Go(func() {
			after := first
			after.Version, after.LastRunID, after.DN = first.Version+1, "", fmt.Sprint(i)
			outcomes, err := u.Apply(
				context.Background(), users.Fence{},
				[]users.Change{{Key: first.Key, Expect: first.Version, After: &after}},
			)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if outcomes[0] == users.Applied {
				won++
			}
		})
	}
	running.Wait()
	if won != 1 {
		t.Errorf("%d of %d writers won, want 1", won, writers)
	}
}

func ended(t *testing.T, s users.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := s.For("acme")
	if _, err := u.Apply(ctx, users.Fence{}, []users.Change{create(sample("a@example.com"))}); !errors.Is(
		err, context.Canceled,
	) {
		t.Errorf("Apply: error %v, want %v", err, context.Canceled)
	}
	for _, err := range u.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("All: error %v, want %v", err, context.Canceled)
		}
	}
}
