package importer_test

import (
	"cmp"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// removed returns what the guard counts for the last 24 hours.
func (h *harness) removed() int {
	h.t.Helper()
	removals, err := h.store.Jobs().For(h.id.Account).Removals(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return removals.Day(h.clock, settings.RemoveAll).Removed
}

// removeDown previews a directory of n people and syncs the preview with Remove Accounts.
func (h *harness) removeDown(n int) run.Run {
	h.t.Helper()
	h.directory.set(people(n)...)
	options := removing()
	return h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
}

// TestADirectoryThatShrinksIsBlocked has a directory lose a tenth before each of 24 hourly syncs, and, once that was
// blocked and confirmed, a person before each of 24 more.
func TestADirectoryThatShrinksIsBlocked(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	all := people(500)
	h.directory.set(all...)
	first := h.schedule(1).Schedule.NextRunAt
	slot := 0
	sync := func() run.Run {
		h.t.Helper()
		h.clock = first.Add(time.Duration(slot) * time.Hour).Add(time.Minute)
		slot++
		if started := h.tick(); started != 1 {
			t.Fatalf("slot %d: %d syncs started", slot, started)
		}
		return h.history()[0]
	}
	wantState(t, sync(), run.Done)
	var blocked []run.Run
	for range 24 {
		all = all[:len(all)*9/10]
		h.directory.set(all...)
		if r := sync(); r.State == run.Blocked {
			blocked = append(blocked, r)
		}
	}
	if len(blocked) != 23 || len(h.users()) != 900 {
		t.Fatalf("%d of 24 syncs were blocked and %d users are left; want all but the first, and 900",
			len(blocked), len(h.users()))
	}
	if g := blocked[0].Guard; g.Reason != run.GuardRemovalLimitDay || g.Removals != 90 || g.Stored != 900 {
		t.Errorf("the first blocked sync has guard %+v, want %s with 90 of 900", g, run.GuardRemovalLimitDay)
	}
	all = people(400)
	h.directory.set(all...)
	h.clock = first.Add(2 * time.Hour)
	wantState(t, h.sync(importer.SyncRequest{ConfirmRemovals: ptr(100)}), run.Done)
	for i := range 24 {
		all = all[:len(all)-1]
		h.directory.set(all...)
		if r := sync(); r.State != run.Done || r.Applied.Delete != 2 {
			t.Fatalf("single removal %d after the confirmation: %s, %+v, guard %+v", i, r.State, r.Applied, r.Guard)
		}
	}
}

func TestWhatCountsForTheDay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// then happens after a sync that removed 50 of 1000 users, and before one that removes 60 more.
		then    func(h *harness, first run.Run)
		blocked bool
		// left is how many people the last sync finds, 445 unless it says otherwise.
		left int
	}{
		"nothing else":    {func(*harness, run.Run) {}, true, 0},
		"23 hours later":  {func(h *harness, _ run.Run) { h.clock = h.clock.Add(23 * time.Hour) }, true, 0},
		"24 hours later":  {func(h *harness, _ run.Run) { h.clock = h.clock.Add(24 * time.Hour) }, false, 0},
		"its undoing":     {func(h *harness, first run.Run) { h.undo(first.ID) }, false, 470},
		"an undo of that": {func(h *harness, first run.Run) { h.undo(h.undo(first.ID).ID) }, false, 0},
		"a sync that removes nobody": {func(h *harness, _ run.Run) {
			wantState(h.t, h.sync(importer.SyncRequest{PreviewID: h.preview().ID}), run.Done)
		}, true, 0},
		"a confirmed removal": {func(h *harness, _ run.Run) {
			h.directory.set(people(474)...)
			options := removing()
			req := importer.SyncRequest{PreviewID: h.preview().ID, Options: &options, ConfirmRemovals: ptr(2)}
			wantState(h.t, h.sync(req), run.Done)
		}, false, 0},
		"a number that is not the plan's": {func(h *harness, _ run.Run) {
			h.directory.set(people(474)...)
			options := removing()
			req := importer.SyncRequest{PreviewID: h.preview().ID, Options: &options, ConfirmRemovals: ptr(3)}
			wantState(h.t, h.sync(req), run.Done)
		}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(people(500)...)
			h.importAll()
			first := h.removeDown(475)
			wantState(t, first, run.Done)
			test.then(h, first)
			left := cmp.Or(test.left, 445)
			h.directory.set(people(left)...)
			preview := h.preview()
			r := h.removeDown(left)
			if (r.State == run.Blocked) != test.blocked || r.State != run.Blocked && r.State != run.Done {
				t.Errorf("the sync is %s (guard %+v), want it blocked: %t", r.State, r.Guard, test.blocked)
			}
			if want := r.Guard; preview.Guard != want {
				t.Errorf("the preview's guard is %+v, the sync's %+v", preview.Guard, want)
			}
			if test.blocked && r.Guard.Reason != run.GuardRemovalLimitDay {
				t.Errorf("guard %+v, want %s", r.Guard, run.GuardRemovalLimitDay)
			}
		})
	}
}

func TestRemovalsByHandDoNotCount(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(20)...)
	h.importAll()
	for _, p := range people(10) {
		if err := h.service.RemoveUser(t.Context(), h.id, p.primary); err != nil {
			t.Fatal(err)
		}
	}
	if h.removed() != 0 {
		t.Errorf("%d removals count, want none", h.removed())
	}
	byHand := importer.UserRequest{Address: "hand@example.com", Type: user.TypeUser, HeldSpamReport: user.ReportOff}
	if _, err := h.service.AddUser(t.Context(), h.id, byHand); err != nil {
		t.Fatal(err)
	}
	options := removing()
	wantState(t, h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options}), run.Done)
	if h.removed() != 1 {
		t.Errorf("%d removals count, want the sync's one", h.removed())
	}
}

// TestADeathCountsRemovalsOnce kills the process at each write of a sync that removes, and starts it again.
func TestADeathCountsRemovalsOnce(t *testing.T) {
	t.Parallel()
	writes := 0
	for done := false; !done; writes++ {
		for _, late := range []bool{false, true} {
			f := &failpoint{left: writes, late: late}
			h := newHarness(t)
			h.directory.set(people(100)...)
			h.importAll()
			h.directory.set(people(95)...)
			options := removing()
			r := h.start(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
			worker := h.worker
			h.worker = h.workerThatDies(f)
			err := h.deliver()
			h.worker = worker
			h.outlast()
			done = !f.hit
			if err == nil && f.hit {
				if _, err := h.service.CareFor(t.Context(), h.clock.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			h.mustDeliver()
			wantState(t, h.run(r.ID), run.Done)
			if h.removed() != 10 {
				t.Fatalf("killed at write %d (late %t): %d removals count, want 10", writes, late, h.removed())
			}
		}
	}
	if writes < 8 {
		t.Errorf("the run has %d writes; this test must have missed some", writes)
	}
}
