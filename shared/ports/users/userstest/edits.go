package userstest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
)

// RunEdits holds a store to the contract of edits by hand. open returns an empty store, and that of the audit log.
func RunEdits(t *testing.T, open func(*testing.T) (users.Store, runs.Store)) {
	t.Run("an edit and its entry are one", func(t *testing.T) { edits(t, open) })
	t.Run("the number of users", func(t *testing.T) { totals(t, open) })
	t.Run("one of several editors wins", func(t *testing.T) { editors(t, open) })
}

func entry(id string) runs.AuditEntry {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return runs.AuditEntry{ID: id, At: at, By: "ann", Action: runs.UserChanged, Subject: "a@example.com"}
}

// entries lists the ids of an account's audit log, the oldest first.
func entries(t *testing.T, j runs.Jobs) []string {
	t.Helper()
	page, err := j.AuditLog(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := len(page.Entries) - 1; i >= 0; i-- {
		ids = append(ids, page.Entries[i].ID)
	}
	return ids
}

func edits(t *testing.T, open func(*testing.T) (users.Store, runs.Store)) {
	store, jobs := open(t)
	u, log := store.For("acme"), jobs.For("acme")
	first := sample("a@example.com")
	first.LastRunID = ""
	next := first
	next.Version, next.Protected = first.Version+1, !first.Protected
	var want []string
	for i, step := range []struct {
		name   string
		change users.Change
		want   users.Outcome
	}{
		{"remove what never was", users.Change{Key: first.Key, Expect: 5}, users.Absent},
		{"change what never was", users.Change{Key: first.Key, Expect: 5, After: &first}, users.Conflict},
		{"add", create(first), users.Applied},
		{"add again", create(first), users.Already},
		{"add otherwise", create(next), users.Conflict},
		{"change another version", users.Change{Key: first.Key, Expect: 5, After: &next}, users.Conflict},
		{"change", users.Change{Key: first.Key, Expect: first.Version, After: &next}, users.Applied},
		{"remove another version", users.Change{Key: first.Key, Expect: first.Version}, users.Conflict},
		{"remove", users.Change{Key: first.Key, Expect: next.Version}, users.Applied},
		{"remove again", users.Change{Key: first.Key, Expect: next.Version}, users.Absent},
	} {
		id := fmt.Sprintf("01J%02d", i)
		got, err := u.Edit(t.Context(), step.change, entry(id))
		if err != nil || got != step.want {
			t.Errorf("%s: outcome %d, error %v; want %d", step.name, got, err, step.want)
		}
		if step.want == users.Applied {
			want = append(want, id)
			if stored := all(t, u); step.change.After != nil && (len(stored) != 1 || stored[0] != *step.change.After) {
				t.Errorf("%s: stored %+v", step.name, stored)
			}
		}
		if diff := cmp.Diff(want, entries(t, log)); diff != "" {
			t.Errorf("%s: the audit log (-want +got):\n%s", step.name, diff)
		}
	}
	if left := entries(t, jobs.For("other")); len(left) > 0 {
		t.Errorf("another account's log has %v", left)
	}
}

func editors(t *testing.T, open func(*testing.T) (users.Store, runs.Store)) {
	store, jobs := open(t)
	u := store.For("acme")
	apply(t, u, create(sample("a@example.com")))
	before := sample("a@example.com")
	var won sync.Map
	var running sync.WaitGroup
	for i := range 6 {
		running.Go(func() {
			after := before
			after.Version, after.LastRunID, after.DN = before.Version+1, "", fmt.Sprint("CN=", i)
			id := fmt.Sprint("01J", i)
			c := users.Change{Key: before.Key, Expect: before.Version, After: &after}
			outcome, err := u.Edit(t.Context(), c, entry(id))
			if err != nil {
				t.Error(err)
			}
			if outcome == users.Applied {
				won.Store(id, true)
			}
		})
	}
	running.Wait()
	logged := entries(t, jobs.For("acme"))
	if len(logged) != 1 {
		t.Fatalf("the audit log has %v, want the one edit that won", logged)
	}
	if _, ok := won.Load(logged[0]); !ok {
		t.Errorf("the audit log has %s, which was told that it lost", logged[0])
	}
}
