package importer_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/shared/importer"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// stored returns the whole Users List, without what every write changes.
func (h *harness) stored() []user.User {
	h.t.Helper()
	var users []user.User
	for u, err := range h.store.Users().For(h.id.Account).All(h.t.Context()) {
		if err != nil {
			h.t.Fatal(err)
		}
		users = append(users, u)
	}
	return users
}

var ignoreStamps = cmpopts.IgnoreFields(user.User{}, "Version", "LastRunID", "UpdatedAt")

func (h *harness) undo(syncID string) run.Run {
	h.t.Helper()
	r, err := h.service.Undo(h.t.Context(), h.id, syncID, importer.Idempotency{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustDeliver()
	return h.run(r.ID)
}

func TestUndoRestoresEveryField(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	h.importAll()
	h.patch("bob@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	before := h.stored()
	// Changes an address's case, removes an alias, removes bob with his report, and brings cat.
	h.directory.set(person{"ann", "Ann@example.com", nil}, cat)
	r := h.importAll()
	after := h.stored()
	undone := h.undo(r.ID)
	wantState(t, undone, run.Done)
	if undone.Trigger != run.TriggerUndo || undone.UndoOf != r.ID {
		t.Errorf("the undo has trigger %s and undoOf %s", undone.Trigger, undone.UndoOf)
	}
	if diff := cmp.Diff(before, h.stored(), ignoreStamps); diff != "" {
		t.Errorf("users (-before the sync +after its undo):\n%s", diff)
	}
	// Undoing the undo does the sync again.
	wantState(t, h.undo(undone.ID), run.Done)
	if diff := cmp.Diff(after, h.stored(), ignoreStamps); diff != "" {
		t.Errorf("users (-after the sync +after undoing its undo):\n%s", diff)
	}
}

func TestUndoLeavesWhatChangedSince(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob, cat)
	r := h.importAll()
	h.patch("bob@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	h.patch("cat@example.com", importer.UserPatch{Protected: ptr(true)})
	undone := h.undo(r.ID)
	wantState(t, undone, run.Done)
	if diff := cmp.Diff([]string{"bob@example.com primary daily", "cat@example.com primary off protected"},
		h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	want := []string{
		"delete a.miller@example.com applied", "delete ann@example.com applied",
		"skipped bob@example.com conflict", "skipped cat@example.com conflict",
	}
	if diff := cmp.Diff(want, h.changes(undone.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if undone.Result.Summary.Conflicts != 2 {
		t.Errorf("%d conflicts, want 2", undone.Result.Summary.Conflicts)
	}
}

func TestUndoIsPreviewedFirst(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	r := h.importAll()
	preview, err := h.service.PreviewUndo(t.Context(), h.id, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	want := []string{"delete a.miller@example.com created by the sync", "delete ann@example.com created by the sync"}
	if diff := cmp.Diff(want, h.rows(preview.ID, planfile.Filter{})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if len(h.users()) != 2 {
		t.Errorf("the preview of an undo changed the Users List: %q", h.users())
	}
	undone := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	wantState(t, undone, run.Done)
	if len(h.users()) != 0 || undone.Trigger != run.TriggerUndo {
		t.Errorf("users %q, trigger %s", h.users(), undone.Trigger)
	}
}

func TestUndoPausesTheScheduleUntilSomebodySaves(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	save := importer.SettingsRequest{PreviewID: preview.ID, IntervalHours: ptr(6)}
	if _, err := h.service.SaveSettings(t.Context(), h.id, save); err != nil {
		t.Fatal(err)
	}
	run := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	h.undo(run.ID)
	saved, err := h.service.Settings(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if !saved.Schedule.Paused || saved.Schedule.PausedReason == "" {
		t.Errorf("schedule %+v, want it paused with a reason", saved.Schedule)
	}
	if saved, err = h.service.SaveSettings(t.Context(), h.id, save); err != nil || saved.Schedule.Paused {
		t.Errorf("saving left the schedule %+v, error %v; want it resumed", saved.Schedule, err)
	}
}

func TestWhatCannotBeUndone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	_, err := h.service.Undo(t.Context(), h.id, "01JXXXXXXXXXXXXXXXXXXXXXXX", importer.Idempotency{})
	wantCode(t, err, "sync_not_found")
	preview := h.preview()
	run := h.start(importer.SyncRequest{PreviewID: preview.ID})
	_, err = h.service.Undo(t.Context(), h.id, run.ID, importer.Idempotency{})
	wantCode(t, err, "sync_not_ended")
	h.mustDeliver()
	empty := h.sync(importer.SyncRequest{PreviewID: h.preview().ID})
	_, err = h.service.Undo(t.Context(), h.id, empty.ID, importer.Idempotency{})
	wantCode(t, err, "sync_wrote_nothing")
	h.clock = h.clock.Add(importer.RecordLifetime + time.Hour)
	_, err = h.service.Undo(t.Context(), h.id, run.ID, importer.Idempotency{})
	if err == nil {
		t.Error("a journal past its retention could be undone")
	}
}

func TestUndoTakesBackTheRenameOfAProtectedUser(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(person{"ann", "ann@example.com", nil}, bob)
	h.importAll()
	h.patch("ann@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily), Protected: ptr(true)})
	before := h.stored()
	h.directory.set(person{"ann", "anna@example.com", nil}, bob)
	r := h.importAll()
	want := []string{
		"ann@example.com primary daily protected", "anna@example.com primary daily protected",
		"bob@example.com primary off",
	}
	if diff := cmp.Diff(want, h.users()); diff != "" {
		t.Fatalf("users after the rename (-want +got):\n%s", diff)
	}
	undone := h.undo(r.ID)
	wantState(t, undone, run.Done)
	if diff := cmp.Diff(before, h.stored(), ignoreStamps); diff != "" {
		t.Errorf("users (-before the sync +after its undo):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"delete anna@example.com applied"}, h.changes(undone.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// checkpointKiller kills each worker where it stores a first checkpoint behind its writing: then and until it is
// revived nothing is stored.
type checkpointKiller struct {
	runs.Store
	dead *bool
}

func (s checkpointKiller) For(a user.Account) runs.Jobs {
	return checkpointKillerJobs{s.Store.For(a), s.dead}
}

type checkpointKillerJobs struct {
	runs.Jobs
	dead *bool
}

func (j checkpointKillerJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	return j.Jobs.UpdateRun(ctx, id, func(r *run.Run) error {
		if err := change(r); err != nil {
			return err
		}
		if *j.dead = *j.dead || r.Checkpoint.Batches > 0; *j.dead {
			return errKilled
		}
		return nil
	})
}

// TestUndoFindsWhatNoJournalTellsOf kills every worker of a sync right after its first write, and every worker that
// completes the journal.
func TestUndoFindsWhatNoJournalTellsOf(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(bob)
	h.importAll()
	before := h.stored()
	h.directory.set(append(people(700), bob)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	dead := false
	c := h.config
	c.Jobs = checkpointKiller{h.store.Jobs(), &dead}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	kills := 0
	for ; h.deliver() != nil; kills++ {
		if !dead || kills > 20 {
			t.Fatalf("after %d kills the worker ends by itself, or never", kills)
		}
		dead = false
		h.outlast()
	}
	h.worker = worker
	lost := h.run(r.ID)
	wantState(t, lost, run.Failed)
	if kills < 6 || lost.Failure.Code != "worker_lost" || lost.Progress.Applied != 0 || len(h.users()) == 1 {
		t.Fatalf("after %d kills: %+v, %d applied, %d users; this test needs writes that no journal tells of",
			kills, lost.Failure, lost.Progress.Applied, len(h.users()))
	}
	wantState(t, h.undo(r.ID), run.Done)
	if diff := cmp.Diff(before, h.stored(), ignoreStamps); diff != "" {
		t.Errorf("users (-before the sync +after its undo):\n%.2000s", diff)
	}
}
