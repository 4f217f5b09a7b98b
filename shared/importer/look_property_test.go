package importer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"rollcall/shared/run"
	"rollcall/shared/user"
)

// TestPropertyLooksChangeNothingInTheEnd plays random histories of a directory to two importers, of which one looks
// between the full syncs: after each of those both have the same Users List. Then the looks' syncs are undone.
func TestPropertyLooksChangeNothingInTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		with, without := newHarness(t), newHarness(t)
		defer with.store.Close()
		defer without.store.Close()
		for _, h := range []*harness{with, without} {
			h.directory.server = "dc1"
			h.directory.set(person{id: "id0", primary: "p0@x.org"})
			h.quick(24, ptr(5))
		}
		for range rapid.IntRange(2, 3).Draw(r, "days") {
			for range rapid.IntRange(0, 3).Draw(r, "looks") {
				people := somePeople(r)
				with.directory.set(people...)
				without.directory.set(people...)
				before := with.list()
				with.look()
				with.expectLook(r, before)
			}
			for _, h := range []*harness{with, without} {
				// The removals of the sync before do not count any more.
				h.clock = h.clock.Add(25 * time.Hour)
				h.tick()
			}
			wantState(with.t, with.newestFull(), run.Done)
			wantState(without.t, without.newestFull(), run.Done)
			if diff := cmp.Diff(without.list(), with.list(), ignoreStamps,
				cmpopts.IgnoreFields(user.User{}, "CreatedAt")); diff != "" {
				r.Fatalf("the Users List (-full syncs alone +with looks):\n%s", diff)
			}
		}
		with.undoLook(r)
	})
}

// newestFull is the newest sync that read all.
func (h *harness) newestFull() run.Run {
	all := h.history()
	return all[slices.IndexFunc(all, func(r run.Run) bool { return r.Full() })]
}

// expectLook holds the Users List to what it was, with the applied changes of the look's sync, if there was one. None
// of them removes a user or gives one to another entry.
func (h *harness) expectLook(r *rapid.T, before map[string]user.User) {
	h.t.Helper()
	newest := h.history()
	if len(newest) == 0 || newest[0].Trigger != run.TriggerQuick ||
		newest[0].FinishedAt.Before(h.clock.Add(-time.Second)) {
		if diff := cmp.Diff(before, h.list()); diff != "" {
			r.Fatalf("a look without a sync changed the list:\n%s", diff)
		}
		return
	}
	wantState(h.t, newest[0], run.Done)
	if newest[0].Applied.Written() == 0 {
		r.Fatalf("the look's sync wrote nothing")
	}
	h.expect(r, before, newest[0].ID, nil)
	after := h.list()
	for key, u := range before {
		if now, there := after[key]; !there || now.SourceID != u.SourceID {
			r.Fatalf("the look made %+v of %+v", now, u)
		}
	}
}

// undoLook finds something with a look and undoes it.
func (h *harness) undoLook(r *rapid.T) {
	people := append(somePeople(r), person{id: "last", primary: "last@x.org"})
	before := h.list()
	h.directory.set(people...)
	h.look()
	newest := h.history()[0]
	if newest.Trigger != run.TriggerQuick {
		r.Fatalf("the look found nothing new in %+v", people)
	}
	wantState(h.t, h.undo(newest.ID), run.Done)
	if diff := cmp.Diff(before, h.list(), ignoreStamps); diff != "" {
		r.Fatalf("after the undo (-before the look +now):\n%s", diff)
	}
}

// somePeople is randomPeople with a few more ids, so that entries go and come too. No two of them share an id.
func somePeople(r *rapid.T) []person {
	all := randomPeople(r)
	var out []person
	for i := range all {
		all[i].id += rapid.SampledFrom([]string{"", "", "b"}).Draw(r, "another")
		if rapid.IntRange(0, 5).Draw(r, "gone") > 0 || i == 0 {
			out = append(out, all[i])
		}
	}
	return out
}
