package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// journalRows counts the rows of a sync's plan as it is stored, by their change.
func (h *harness) journalRows(r run.Run) map[plan.Change]int {
	h.t.Helper()
	object, err := h.store.Objects().For(h.id.Account).Open(h.t.Context(), r.PlanKey)
	if err != nil {
		h.t.Fatal(err)
	}
	defer object.Close()
	reader, err := planfile.Open(object, object.Size())
	if err != nil {
		h.t.Fatal(err)
	}
	rows := make(map[plan.Change]int)
	for row, err := range reader.Rows(h.t.Context(), planfile.Filter{}) {
		if err != nil {
			h.t.Fatal(err)
		}
		rows[row.Change]++
	}
	return rows
}

func (h *harness) wantJournal(r run.Run, want map[plan.Change]int) {
	h.t.Helper()
	wantState(h.t, r, run.Done)
	if diff := cmp.Diff(want, h.journalRows(r)); diff != "" {
		h.t.Errorf("rows in the journal (-want +got):\n%s", diff)
	}
}

func TestAJournalKeepsNoUnchangedRows(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	h.importAll()
	req := importer.SettingsRequest{Connection: connection()}
	if _, err := h.service.SaveSettings(t.Context(), h.id, req); err != nil {
		t.Fatal(err)
	}
	// Ten people and their aliases.
	r := h.sync(importer.SyncRequest{})
	h.wantJournal(r, map[plan.Change]int{})
	if r.Result.Summary.Unchanged != 20 {
		t.Errorf("the sync counts %d unchanged users, want 20", r.Result.Summary.Unchanged)
	}
	h.wantJournal(h.sync(importer.SyncRequest{PreviewID: h.preview().ID}), map[plan.Change]int{})

	h.directory.set(append(people(9), cat)...)
	h.wantJournal(h.sync(importer.SyncRequest{}), map[plan.Change]int{plan.Create: 1, plan.Delete: 2})
}

// TestAJournalWithoutUnchangedRowsIsUndone holds that the places of rows that were left are those in the journal, not
// in the preview that it was made from.
func TestAJournalWithoutUnchangedRowsIsUndone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	h.importAll()
	before := h.stored()
	changed := append(people(9), cat)
	changed[3].aliases, changed[4].aliases = nil, []string{"Alias00004@example.com"}
	h.directory.set(changed...)
	preview := h.preview()
	// Somebody edits one of the users that the sync is to remove.
	h.patch("p00009@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	options := removing()
	r := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options, ConfirmRemovals: ptr(3)})
	h.wantJournal(r, map[plan.Change]int{plan.Create: 1, plan.Update: 1, plan.Delete: 3})
	want := []string{
		"delete alias00003@example.com applied", "update alias00004@example.com applied",
		"delete alias00009@example.com applied", "create cat@example.com applied", "delete p00009@example.com conflict",
	}
	if diff := cmp.Diff(want, h.changes(r.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	wantState(t, h.undo(r.ID), run.Done)
	for i := range before {
		if before[i].Key == "p00009@example.com" {
			before[i].HeldSpamReport = user.ReportDaily
		}
	}
	if diff := cmp.Diff(before, h.stored(), ignoreStamps); diff != "" {
		t.Errorf("users (-before the sync +after its undo):\n%s", diff)
	}
}
