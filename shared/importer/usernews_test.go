package importer_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

func (h *harness) wantChange(want notify.Data) notify.Event {
	h.t.Helper()
	got := h.last()
	want.Account, got.Data.ChangesURL = h.id.Account, ""
	if diff := cmp.Diff(want, got.Data); diff != "" || got.Type != notify.UsersChanged {
		h.t.Errorf("%s (-want +told):\n%s", got.Type, diff)
	}
	if published := h.events.changes; len(published) == 0 ||
		!cmp.Equal(h.last(), published[len(published)-1]) {
		h.t.Errorf("the bus has %+v", published)
	}
	return h.last()
}

func TestChangesOfTheUsersListAreTold(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.importAll()
	annRow := notify.Change{
		Address: "ann@example.com", Kind: user.Primary, PrimaryAddress: "ann@example.com", Type: user.TypeUser,
		Change: "create",
	}
	aliasRow := annRow
	aliasRow.Address, aliasRow.Kind = "a.miller@example.com", user.Alias
	event := h.wantChange(notify.Data{
		SyncID: first.ID, Trigger: run.TriggerManual, Applied: &run.Applied{Create: 2},
		Changes: []notify.Change{aliasRow, annRow},
	})
	if event.ID != first.ID+"/changed/2" || event.NoMail ||
		event.Data.ChangesURL != "/v1/syncs/"+first.ID+"/changes?outcome=applied" {
		t.Errorf("event %+v", event)
	}
	// The same again changes nothing, and nothing is told.
	h.importAll()
	if len(h.told.all) != 1 || len(h.events.changes) != 1 {
		t.Errorf("a sync that changed nothing told %+v", h.last())
	}
	undo := h.undo(first.ID)
	annRow.Change, aliasRow.Change = "delete", "delete"
	h.wantChange(notify.Data{
		SyncID: undo.ID, Trigger: run.TriggerUndo, Applied: &run.Applied{Delete: 2},
		Changes: []notify.Change{aliasRow, annRow},
	})
}

func TestManyChangesAreCounted(t *testing.T) {
	t.Parallel()
	for n, named := range map[int]int{50: 100, 51: 0} {
		h := newHarness(t)
		h.directory.set(people(n)...)
		h.importAll()
		if d := h.last().Data; len(d.Changes) != named || d.Applied.Create != 2*n || d.ChangesURL == "" {
			t.Errorf("%d people: %d changes named, %+v", n, len(d.Changes), d.Applied)
		}
	}
}

// A worker that dies once it has told what it wrote leaves the end of the run to the next one, which tells it again.
func TestAWorkerThatTellsAndDies(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.told.lose = map[int]bool{-1: true}
	h.directory.set(ann)
	preview := h.preview()
	r := h.start(importer.SyncRequest{PreviewID: preview.ID})
	if err := h.deliver(); !errors.Is(err, errUnreachable) {
		t.Fatalf("error %v", err)
	}
	h.mustDeliver()
	wantState(t, h.run(r.ID), run.Done)
	if len(h.told.all) != 2 || h.told.all[0].ID != h.told.all[1].ID {
		t.Errorf("told %+v, want the same event twice", h.told.all)
	}
}

// That nobody can be told for a while is no death of a worker: the sync ends as it went.
func TestNewsThatCannotBeToldForAWhile(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.told.lose = make(map[int]bool)
	for call := range 12 {
		h.told.lose[call] = true
	}
	h.directory.set(ann)
	preview := h.preview()
	r := h.start(importer.SyncRequest{PreviewID: preview.ID})
	for tries := 0; h.deliver() != nil; tries++ {
		if tries > 20 {
			t.Fatal("the run does not end")
		}
	}
	wantState(t, h.run(r.ID), run.Done)
	if len(h.told.all) != 1 {
		t.Errorf("told %+v", h.told.all)
	}
}

func TestEditsByHandAreTold(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.addUser("new@example.com")
	row := notify.Change{
		Address: "new@example.com", Kind: user.Primary, PrimaryAddress: "new@example.com", Type: user.TypeUser,
	}
	want := func(change string, applied run.Applied) notify.Event {
		t.Helper()
		entry := h.auditLog()[0]
		row.Change = change
		event := h.wantChange(notify.Data{
			EditID: entry.ID, By: "admin@acme.example", Subject: "new@example.com", Applied: &applied,
			Changes: []notify.Change{row},
		})
		if event.ID != entry.ID+"/changed" || event.Subject != "users/new@example.com" || !event.Time.Equal(entry.At) {
			t.Errorf("event %+v of entry %+v", event, entry)
		}
		return event
	}
	if first := want("create", run.Applied{Create: 1}); first.NoMail {
		t.Error("the first edit is not mailed")
	}
	h.patch("new@example.com", importer.UserPatch{Protected: ptr(true)})
	if want("update", run.Applied{Update: 1}).NoMail == false {
		t.Error("each edit of an hour is mailed")
	}
	h.patch("new@example.com", importer.UserPatch{Protected: ptr(true)})
	if err := h.service.RemoveUser(t.Context(), h.id, "new@example.com"); err == nil {
		t.Error("a protected user was removed")
	}
	if len(h.told.all) != 2 {
		t.Errorf("an edit that did nothing was told: %+v", h.last())
	}
	h.patch("new@example.com", importer.UserPatch{Protected: ptr(false)})
	h.clock = h.clock.Add(time.Hour)
	if err := h.service.RemoveUser(t.Context(), h.id, "new@example.com"); err != nil {
		t.Fatal(err)
	}
	if want("delete", run.Applied{Delete: 1}).NoMail {
		t.Error("an edit an hour later is not mailed")
	}
	h.wantNoneLeft()
}

func (h *harness) wantNoneLeft() {
	h.t.Helper()
	told, err := h.store.Jobs().For(h.id.Account).Told(h.t.Context())
	if err != nil || len(told.Untold) > 0 {
		h.t.Errorf("still to be told: %+v, error %v", told.Untold, err)
	}
}

// An edit that could not be told is made all the same, and told with the next one, as the user is then.
func TestAnEditThatCannotBeToldYet(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.told.lose = map[int]bool{1: true, 2: true}
	h.addUser("new@example.com")
	h.addUser("gone@example.com")
	h.patch("new@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	if err := h.service.RemoveUser(t.Context(), h.id, "gone@example.com"); err != nil {
		t.Fatal(err)
	}
	if len(h.told.all) != 2 {
		t.Fatalf("%d events were told, want those of the last two edits", len(h.told.all))
	}
	h.clock = h.clock.Add(time.Hour)
	h.addUser("third@example.com")
	var got []string
	for _, e := range h.told.all[2:] {
		c := e.Data.Changes[0]
		got = append(got, fmt.Sprint(c.Change, " ", c.Address, " ", e.NoMail))
	}
	want := []string{"create third@example.com false", "create new@example.com true", "delete gone@example.com true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	h.wantNoneLeft()
}

func TestQuickLooksAreMailedNowAndThen(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.server = "dc1"
	h.directory.set(ann)
	h.quick(24, ptr(5))
	h.slot()
	for i, wantMail := range []bool{true, false, false} {
		h.directory.set(append(people(i+1), ann)...)
		h.look()
		e := h.last()
		if e.Data.Trigger != run.TriggerQuick || e.NoMail == wantMail {
			t.Errorf("look %d: %s, mailed: %t", i, e.Data.Trigger, !e.NoMail)
		}
	}
	h.clock = h.clock.Add(time.Hour)
	h.directory.set(append(people(9), ann)...)
	h.look()
	if e := h.last(); e.NoMail {
		t.Error("a look an hour later is not mailed")
	}
}
