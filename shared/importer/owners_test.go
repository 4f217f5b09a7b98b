package importer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// TestAnAliasThatBecomesAPrimaryIsANewPerson gives somebody an address that was another one's alias: it is created,
// with a report where that was asked for, and its undo gives the alias back.
func TestAnAliasThatBecomesAPrimaryIsANewPerson(t *testing.T) {
	t.Parallel()
	for name, annNow := range map[string]person{
		"which that one lost":  {"ann", "ann@example.com", nil},
		"which that one keeps": ann,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(ann)
			h.importAll()
			before := h.users()
			h.directory.set(annNow, person{"new", "a.miller@example.com", nil})
			options := removing()
			options.SendHSR = true
			r := h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
			wantState(t, r, run.Done)
			if diff := cmp.Diff([]string{"create a.miller@example.com applied"}, h.changes(r.ID)[:1]); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			want := []string{"a.miller@example.com primary daily", "ann@example.com primary off"}
			if diff := cmp.Diff(want, h.users()); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
			if again := h.importAll(); again.Result.Summary.Create+again.Result.Summary.Update > 0 {
				t.Errorf("the next sync writes again: %s", counts(again.Result.Summary))
			}
			h.undo(r.ID)
			if diff := cmp.Diff(before, h.users()); diff != "" {
				t.Errorf("users (-before the sync +after its undo):\n%s", diff)
			}
		})
	}
}

// TestASwapOfPrimariesIsSyncedAndUndone also holds that reports go along with their people.
func TestASwapOfPrimariesIsSyncedAndUndone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(person{"1", "a@example.com", nil}, person{"2", "b@example.com", nil})
	h.importAll()
	daily := user.ReportDaily
	h.patch("a@example.com", importer.UserPatch{HeldSpamReport: &daily})
	before := h.users()
	h.directory.set(person{"1", "b@example.com", []string{"a@example.com"}},
		person{"2", "a@example.com", []string{"b@example.com"}})
	swapped := h.importAll()
	if diff := cmp.Diff([]string{"a@example.com primary off", "b@example.com primary daily"}, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	h.wrote = 0
	if h.importAll(); h.wrote != 0 {
		t.Errorf("the next sync writes %d users", h.wrote)
	}
	h.undo(swapped.ID)
	if diff := cmp.Diff(before, h.users()); diff != "" {
		t.Errorf("users (-before the swap +after its undo):\n%s", diff)
	}
}

// TestAUserOfVersion04WithADottedI has a user whom version 0.4 stored under the key of somebody else's address.
func TestAUserOfVersion04WithADottedI(t *testing.T) {
	t.Parallel()
	const shown = "İlker@example.com"
	h := newHarness(t)
	h.directory.set(person{"1", "ilker@example.com", nil})
	h.importAll()
	list := h.store.Users().For(h.id.Account)
	stored, err := list.Get(t.Context(), "ilker@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.PatchUser(t.Context(), h.id, shown, importer.UserPatch{Protected: ptr(true)}); err == nil {
		t.Error("somebody else was changed")
	}
	after := stored
	after.Address, after.PrimaryAddress, after.Version = shown, shown, stored.Version+1
	after.HeldSpamReport = user.ReportDaily
	after.LastRunID = "another"
	change := []users.Change{{Key: stored.Key, Expect: stored.Version, After: &after}}
	if _, err := list.Apply(t.Context(), users.Fence{}, change); err != nil {
		t.Fatal(err)
	}
	h.patch(shown, importer.UserPatch{HeldSpamReport: ptr(user.ReportOff)})
	h.patch(shown, importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	h.directory.set(person{"1", shown, nil})
	h.importAll()
	if diff := cmp.Diff([]string{"i\u0307lker@example.com primary daily"}, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

// TestAPresetThatFindsNothingSaysWhy reads a directory without recipient types.
func TestAPresetThatFindsNothingSaysWhy(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for filter, want := range map[string]int{"(&(mail=*)(msExchRecipientTypeDetails=1))": 1, "(mail=*)": 0} {
		r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{
			Connection: connection(), Advanced: &settings.Advanced{Filter: filter},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.mustDeliver()
		r, err = h.service.Preview(t.Context(), h.id, r.ID)
		if err != nil || len(r.Notes) != want {
			t.Errorf("%s: notes %q, %v; want %d", filter, r.Notes, err, want)
		}
	}
}
