package importer_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// list returns the Users List by key.
func (h *harness) list() map[string]user.User {
	h.t.Helper()
	users := make(map[string]user.User)
	for _, u := range h.stored() {
		users[u.Key] = u
	}
	return users
}

// expect holds the Users List to what it was before a run, with the run's applied changes and nothing else; and
// protected and edited users to being untouched.
func (h *harness) expect(r *rapid.T, before map[string]user.User, runID string, edited map[string]bool) {
	h.t.Helper()
	page, err := h.service.Changes(h.t.Context(), h.id, runID, importer.ChangeQuery{Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	want := maps.Clone(before)
	undone := h.run(runID).UndoOf
	for _, c := range page.Changes {
		if c.Outcome != importer.OutcomeApplied {
			continue
		}
		// An undo takes back what the undone run wrote as protected, such as a rename.
		if was, ok := before[c.Key]; ok && was.Protected && (undone == "" || was.LastRunID != undone) {
			r.Fatalf("protected user %s: %s", c.Key, c.Change)
		}
		// A user that somebody removed is gone either way: a run that died while it wrote takes the removal for its
		// own.
		if _, there := before[c.Key]; edited[c.Key] && (there || c.Change != plan.Delete) {
			r.Fatalf("user %s was edited after the preview, and yet: %s", c.Key, c.Change)
		}
		if c.Change == plan.Delete {
			delete(want, c.Key)
		} else {
			want[c.Key] = *c.After
		}
	}
	if diff := cmp.Diff(want, h.list()); diff != "" {
		r.Fatalf("the Users List is not what run %s said (-said +is):\n%s", runID, diff)
	}
	h.expectCounts(r, runID, page.Changes)
}

// expectCounts holds the counts of a run that has ended to its journal.
func (h *harness) expectCounts(r *rapid.T, runID string, changes []importer.Change) {
	h.t.Helper()
	var told run.Applied
	for _, c := range changes {
		switch {
		case c.Change == plan.Skipped: // An undo's plan had to leave it.
		case c.Outcome == importer.OutcomeAlready:
			told.Already++
		case c.Outcome == importer.OutcomeConflict:
			told.Conflicts++
		case c.Outcome == importer.OutcomePending:
			told.Pending++
		case c.Change == plan.Create:
			told.Create++
		case c.Change == plan.Update:
			told.Update++
		default:
			told.Delete++
		}
	}
	record := h.run(runID)
	if record.Applied == nil {
		r.Fatalf("run %s is %s and counts nothing", runID, record.State)
	}
	if diff := cmp.Diff(told, *record.Applied); diff != "" {
		r.Fatalf("what run %s did (-journal +record):\n%s", runID, diff)
	}
	sum := told.Written() + told.Already + told.Conflicts + told.Pending
	if record.Progress.ToApply != sum || record.Progress.Applied != told.Written() {
		r.Fatalf("run %s has progress %+v, and its journal %+v", runID, record.Progress, told)
	}
}

// edit changes a random user by hand, or adds or removes one, and returns its key.
func (h *harness) edit(r *rapid.T) string {
	users := slices.Sorted(maps.Keys(h.list()))
	if len(users) == 0 || rapid.IntRange(0, 4).Draw(r, "add") == 0 {
		address := rapid.SampledFrom([]string{"hand@x.org", "a0@x.org", "p1@x.org"}).Draw(r, "added")
		_, _ = h.service.AddUser(h.t.Context(), h.id,
			importer.UserRequest{Address: address, Type: user.TypeUser, HeldSpamReport: user.ReportDaily})
		return address
	}
	key := rapid.SampledFrom(users).Draw(r, "edited")
	switch rapid.IntRange(0, 3).Draw(r, "edit") {
	case 0:
		_ = h.service.RemoveUser(h.t.Context(), h.id, key)
	case 1:
		_, _ = h.service.PatchUser(h.t.Context(), h.id, key,
			importer.UserPatch{Protected: ptr(rapid.Bool().Draw(r, "protected"))})
	default:
		_, _ = h.service.PatchUser(h.t.Context(), h.id, key, importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	}
	return key
}

// run delivers a run whose process dies at a random write, up to twice, and starts it again.
func (h *harness) survive(r *rapid.T) {
	worker := h.worker
	for range rapid.IntRange(0, 2).Draw(r, "deaths") {
		f := &failpoint{left: rapid.IntRange(0, 12).Draw(r, "at"), late: rapid.Bool().Draw(r, "late")}
		h.worker = h.workerThatDies(f)
		_ = h.deliver()
		h.outlast()
		if _, err := h.service.CareFor(h.t.Context(), h.clock.Add(time.Hour)); err != nil {
			r.Fatal(err)
		}
	}
	h.worker = worker
	h.mustDeliver()
}

// TestPropertyTheUsersListIsWhatThePlansSaid does syncs of random directories, with crashes, undos and edits in any
// order.
func TestPropertyTheUsersListIsWhatThePlansSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := newHarness(t)
		defer h.store.Close()
		last := ""
		for range rapid.IntRange(2, 7).Draw(r, "steps") {
			h.clock = h.clock.Add(time.Minute)
			switch step := rapid.SampledFrom([]string{"sync", "sync", "edit", "undo"}).Draw(r, "step"); {
			case step == "edit":
				h.edit(r)
			case step == "undo" && last != "":
				record, err := h.service.Undo(h.t.Context(), h.id, last, importer.Idempotency{})
				if err != nil {
					// It wrote nothing, so that there is nothing to undo.
					continue
				}
				before := h.list()
				h.survive(r)
				wantState(t, h.run(record.ID), run.Done)
				h.expect(r, before, record.ID, nil)
				last = record.ID
			case step == "sync":
				h.directory.set(randomPeople(r)...)
				last = h.randomSync(r)
			}
		}
	})
}

// randomPeople draws a few people over a few addresses, with ids that stay when addresses change.
func randomPeople(r *rapid.T) []person {
	var out []person
	for i := range rapid.IntRange(1, 5).Draw(r, "people") {
		p := person{id: fmt.Sprint("id", i), primary: fmt.Sprintf("p%d@x.org", rapid.IntRange(0, 4).Draw(r, "primary"))}
		for range rapid.IntRange(0, 2).Draw(r, "aliases") {
			p.aliases = append(p.aliases,
				fmt.Sprintf("%s%d@x.org", rapid.SampledFrom([]string{"a", "p"}).Draw(r, "letter"),
					rapid.IntRange(0, 4).Draw(r, "alias")))
		}
		out = append(out, p)
	}
	return out
}

// randomSync previews, edits, and syncs.
func (h *harness) randomSync(r *rapid.T) string {
	preview := h.preview()
	edited := make(map[string]bool)
	before := h.list()
	for range rapid.IntRange(0, 2).Draw(r, "edits") {
		h.edit(r)
	}
	for key, u := range h.list() {
		if was, ok := before[key]; !ok || was != u {
			edited[key] = true
		}
	}
	for key := range before {
		if _, ok := h.list()[key]; !ok {
			edited[key] = true
		}
	}
	options := removing()
	options.RemoveAccounts, options.SendHSR = rapid.Bool().Draw(r, "remove"), rapid.Bool().Draw(r, "reports")
	record := h.start(importer.SyncRequest{PreviewID: preview.ID, Options: &options,
		ConfirmRemovals: &preview.Guard.Removals})
	before = h.list()
	h.survive(r)
	wantState(h.t, h.run(record.ID), run.Done)
	h.expect(r, before, record.ID, edited)
	return record.ID
}
