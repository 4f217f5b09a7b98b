package importer_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/shared/importer"
	"rollcall/shared/planfile"
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
