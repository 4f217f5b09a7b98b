package userstest

import (
	"fmt"
	"testing"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
)

// counted is an account's list whose users are counted by hand, too.
type counted struct {
	users.Users
	t    *testing.T
	log  runs.Jobs
	at   time.Time
	want int
}

// totals follows the number of users through syncs and edits.
func totals(t *testing.T, open func(*testing.T) (users.Store, runs.Store)) {
	store, jobs := open(t)
	u := &counted{
		Users: store.For("acme"), t: t, log: jobs.For("acme"), at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
	u.check("an empty list")
	u.fill()
	u.editByHand()
	u.syncAway()
	if got, err := store.For("other").Total(t.Context()); err != nil || got != 0 {
		t.Errorf("another account has %d, error %v", got, err)
	}
}

func (u *counted) fill() {
	u.t.Helper()
	var changes []users.Change
	for i := range 40 {
		changes = append(changes, create(numbered(i)))
	}
	u.synced(changes...)
	u.want = 40
	u.check("after a sync")
}

// editByHand adds a user, changes it, and removes it after a sync that changed nothing.
func (u *counted) editByHand() {
	u.t.Helper()
	added, changed := sample("by.hand@example.com"), sample("by.hand@example.com")
	added.LastRunID, changed.LastRunID = "", ""
	changed.Version, changed.Protected = added.Version+1, !added.Protected
	u.edited(create(added), users.Applied)
	u.want++
	u.check("after adding one by hand")
	u.edited(create(changed), users.Conflict)
	u.edited(users.Change{Key: added.Key, Expect: added.Version, After: &changed}, users.Applied)
	u.check("after changing it")
	u.synced(users.Change{Key: changed.Key, Expect: 5})
	u.edited(users.Change{Key: added.Key, Expect: changed.Version}, users.Applied)
	u.want--
	u.check("after removing it, not counted since a sync")
}

// syncAway syncs removals, a change, one more user, and the removal of nobody.
func (u *counted) syncAway() {
	u.t.Helper()
	var changes []users.Change
	for i := range 12 {
		changes = append(changes, users.Change{Key: numbered(i).Key, Expect: numbered(i).Version})
	}
	next := numbered(30)
	next.Version, next.LastRunID, next.DN = next.Version+1, "01J0000000000000000000RUN2", "CN=Next"
	u.synced(append(changes, users.Change{Key: next.Key, Expect: next.Version - 1, After: &next},
		create(sample("new@example.com")), users.Change{Key: "nobody@example.com", Expect: 1})...)
	u.want += 1 - 12
	u.check("after a sync that removed some")
	u.check("asked again")
}

func (u *counted) check(when string) {
	u.t.Helper()
	if got, err := u.Total(u.t.Context()); err != nil || got != u.want || got != len(all(u.t, u)) {
		u.t.Errorf("%s: total %d, error %v; want %d", when, got, err, u.want)
	}
}

// synced changes the list as a sync does.
func (u *counted) synced(changes ...users.Change) {
	u.t.Helper()
	apply(u.t, u, changes...)
	u.at = u.at.Add(time.Second)
	if err := u.log.NoteListWrite(u.t.Context(), u.at); err != nil {
		u.t.Fatal(err)
	}
}

// edited changes the list as an edit by hand does.
func (u *counted) edited(c users.Change, outcome users.Outcome) {
	u.t.Helper()
	u.at = u.at.Add(time.Second)
	e := entry(fmt.Sprint("01J", u.at.Unix()))
	e.At = u.at
	if got, err := u.Edit(u.t.Context(), c, e); err != nil || got != outcome {
		u.t.Fatalf("outcome %d, error %v; want %d", got, err, outcome)
	}
}
