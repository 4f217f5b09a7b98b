package importer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// changeCounter makes a directory of people tell what changed, as a domain controller does. The zero value tells
// nothing.
type changeCounter struct {
	// server is the domain controller that answers; empty where the directory tells nothing.
	server string
	last   int64
	// changes are the numbers of each person's last change, by what the person is.
	changes map[string]int64
}

func (c *changeCounter) count(people []person) {
	before := c.changes
	c.changes = make(map[string]int64)
	for _, p := range people {
		number, known := before[fmt.Sprint(p)]
		if !known {
			c.last++
			number = c.last
		}
		c.changes[fmt.Sprint(p)] = number
	}
}

// since returns those of people that a read with cursors gives.
func (c *changeCounter) since(people []person, cursors []run.Cursor) ([]person, run.Tracking, error) {
	if c.server == "" {
		return people, run.Tracking{Reason: "This directory says nothing."}, nil
	}
	now := run.Tracking{Cursor: &run.Cursor{By: "uSNChanged", Server: c.server, USN: c.last}}
	if cursors == nil {
		return people, now, nil
	}
	i := slices.IndexFunc(cursors, func(k run.Cursor) bool { return k.Server == c.server })
	if i < 0 {
		return nil, run.Tracking{}, &directory.Error{
			Code: directory.CodeOtherServer, Step: directory.StepBase, Message: "Another server answers.",
		}
	}
	var changed []person
	for _, p := range people {
		if c.changes[fmt.Sprint(p)] > cursors[i].USN {
			changed = append(changed, p)
		}
	}
	return changed, now, nil
}

// looking returns an importer whose directory tells what changed, with people in it, after the first full sync of a
// schedule that looks every five minutes.
func looking(t *testing.T, people ...person) *harness {
	t.Helper()
	h := newHarness(t)
	h.directory.server = "dc1"
	h.directory.set(people...)
	h.quick(24, ptr(5))
	h.slot()
	wantState(t, h.history()[0], run.Done)
	return h
}

// quick saves a schedule with quick looks, or without.
func (h *harness) quick(hours int, minutes *int) importer.Saved {
	h.t.Helper()
	options := removing()
	options.SendHSR = true
	options.RemovalLimit.Percent = 100
	return h.save(importer.SettingsRequest{
		Connection: connection(), Options: &options, IntervalHours: &hours, QuickMinutes: minutes,
	})
}

// look lets the next look be due and does it. It returns how many were started.
func (h *harness) look() int {
	h.t.Helper()
	h.clock = h.clock.Add(5*time.Minute + time.Second)
	started, err := h.service.StartLooks(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustDeliver()
	// The sync of what was found has a message of its own.
	h.mustDeliver()
	return started
}

func TestALookCreatesAndUpdates(t *testing.T) {
	t.Parallel()
	bob := person{id: "bob", primary: "bob@x.org"}
	h := looking(t, ann, bob)
	bob.aliases = []string{"robert@x.org"}
	h.directory.set(ann, bob, person{id: "eve", primary: "eve@x.org"})
	h.read = 0
	if h.look() != 1 {
		t.Fatal("no look was started")
	}
	newest := h.history()[0]
	wantState(t, newest, run.Done)
	if newest.Trigger != run.TriggerQuick || h.directory.query.Since == nil {
		t.Errorf("the sync has trigger %s, and its read the query %+v", newest.Trigger, h.directory.query)
	}
	want := []string{"create eve@x.org applied", "create robert@x.org applied"}
	if diff := cmp.Diff(want, h.changes(newest.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if u := h.list()["eve@x.org"]; u.HeldSpamReport != user.ReportDaily {
		t.Errorf("the new user has %+v, although the saved options send reports", u)
	}
	if h.read > 12 {
		t.Errorf("%d users were read for 3 addresses", h.read)
	}
	if got := h.settings(); got.Looks == nil || got.Looks.LastAt.IsZero() || got.LastSyncID == newest.ID {
		t.Errorf("settings %+v", got)
	}
	undone := h.undo(newest.ID)
	wantState(t, undone, run.Done)
	if _, there := h.list()["eve@x.org"]; there {
		t.Error("the undo left what the look created")
	}
	if !h.settings().Schedule.Paused || h.look() != 0 {
		t.Error("after an undo the looks go on")
	}
}

func TestALookThatFindsNothingWritesNoRun(t *testing.T) {
	t.Parallel()
	h := looking(t, people(30)...)
	before, revision := h.history(), h.settings().Revision
	h.read = 0
	for range 3 {
		if at := h.settings().Looks.LastAt; h.look() != 1 || !h.settings().Looks.LastAt.After(at) {
			t.Fatal("there was no look")
		}
	}
	if after := h.history(); len(after) != len(before) {
		t.Errorf("%d syncs after looks that found nothing, want %d", len(after), len(before))
	}
	if h.read != 0 || h.settings().Revision != revision {
		t.Errorf("%d users were read, and the settings written %d times", h.read, h.settings().Revision-revision)
	}
}

func TestALookTakesNothingFromAnother(t *testing.T) {
	t.Parallel()
	bob := person{id: "bob", primary: "bob@x.org", aliases: []string{"shared@x.org", "old@x.org"}}
	h := looking(t, ann, bob)
	before := h.list()
	// Bob loses an alias and Ann claims the other one; somebody added a user by hand whom Carl claims.
	h.addUser("carl@x.org")
	claims := person{id: ann.id, primary: ann.primary, aliases: append(slices.Clone(ann.aliases), "shared@x.org")}
	h.directory.set(claims, person{id: "bob", primary: "bob@x.org"}, person{id: "carl", primary: "carl@x.org"})
	syncs := len(h.history())
	for range 2 {
		h.look()
	}
	if got := len(h.history()); got != syncs {
		t.Errorf("claims that wait made %d syncs", got-syncs)
	}
	after := h.list()
	delete(after, "carl@x.org")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the list (-before +after):\n%s", diff)
	}
	h.slot()
	if got := h.list(); got["shared@x.org"].SourceID != before[ann.primary].SourceID || got["old@x.org"].Key != "" {
		t.Errorf("after the full sync %+v", got)
	}
}

// addUser adds a user by hand.
func (h *harness) addUser(address string) {
	h.t.Helper()
	_, err := h.service.AddUser(h.t.Context(), h.id,
		importer.UserRequest{Address: address, Type: user.TypeUser, HeldSpamReport: user.ReportOff})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestLooksBeginAfterAFullSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.server = "dc1"
	h.directory.set(people(3)...)
	h.quick(1, ptr(5))
	if h.look() != 0 || h.settings().Looks != nil {
		t.Error("a look before the first full sync")
	}
	h.slot()
	if h.look() != 1 {
		t.Error("no look after the full sync")
	}
	h.quick(1, nil)
	if h.look() != 0 {
		t.Error("a look that nobody asked for")
	}
	h.quick(1, ptr(6))
	if h.look() != 0 || h.look() != 1 {
		t.Error("saving the settings does not start the looks again")
	}
	// A search that no full sync was done with.
	h.save(importer.SettingsRequest{
		Connection: connection(), Advanced: &settings.Advanced{SearchBase: "OU=A,DC=x"}, IntervalHours: ptr(1),
		QuickMinutes: ptr(5),
	})
	if h.look() != 0 || h.settings().Looks != nil {
		t.Error("a look with settings of which there was no full sync")
	}
	h.directory.server = ""
	h.slot()
	if got := h.settings().Looks; got == nil || got.Possible() || got.Reason == "" || h.look() != 0 {
		t.Errorf("looks of a directory that says nothing: %+v", got)
	}
}

func TestAFullSyncThatIsDueGoesFirst(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.directory.set(people(4)...)
	reads := h.directory.reads
	h.clock = h.next().Add(time.Minute)
	if _, err := h.service.StartLooks(h.t.Context()); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	if h.directory.reads != reads {
		t.Error("a look began although a full sync was due")
	}
	// A sync that is open finds what the look found.
	h.clock = h.next().Add(-time.Hour)
	waiting := h.start(importer.SyncRequest{})
	messages := h.queue.messages
	h.queue.messages = nil
	h.look()
	if newest := h.history()[0]; newest.ID != waiting.ID {
		t.Errorf("sync %+v was started beside one that waits", newest)
	}
	h.queue.messages = messages
	h.mustDeliver()
	wantState(t, h.run(waiting.ID), run.Done)
}

func TestAnotherServerWaitsForTheFullSync(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.directory.server = "dc2"
	h.directory.set(people(4)...)
	at := h.settings().Looks.LastAt
	if h.look(); h.settings().Looks.Error != "Another server answers." || !h.settings().Looks.LastAt.Equal(at) {
		t.Errorf("looks %+v", h.settings().Looks)
	}
	h.slot()
	h.directory.set(people(5)...)
	h.look()
	// Both are known by now.
	h.directory.server = "dc1"
	h.directory.set(people(6)...)
	h.look()
	looks := h.settings().Looks
	if looks.Error != "" || len(looks.Cursors) != 2 || looks.Cursors[0].Server != "dc1" || len(h.list()) != 12 {
		t.Errorf("looks %+v, %d users", looks, len(h.list()))
	}
}

func TestRefusedLooksPauseTheSchedule(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.answers(refusal(), people(3)...)
	reads, syncs := h.directory.reads, len(h.history())
	for i := range 3 {
		if h.settings().Schedule.Paused {
			t.Fatalf("paused after %d refusals", i)
		}
		h.look()
	}
	saved := h.settings()
	if !saved.Schedule.Paused || saved.Health.State != settings.Paused || h.directory.reads != reads+3 {
		t.Errorf("after 3 refusals %+v, %d reads", saved.Schedule, h.directory.reads-reads)
	}
	if saved.ConsecutiveFailures != 0 || len(h.history()) != syncs || !strings.Contains(saved.Looks.Error, "locked") {
		t.Errorf("failed looks left %d failures, %d syncs, looks %+v", saved.ConsecutiveFailures, len(h.history()),
			saved.Looks)
	}
	if h.look() != 0 {
		t.Error("a look while the schedule is paused")
	}
	h.directory.set(people(3)...)
	h.quick(24, ptr(5))
	h.look()
	if got := h.settings(); got.Refusals != 0 || got.Looks.Error != "" {
		t.Errorf("after a look that signed in %d refusals, error %q", got.Refusals, got.Looks.Error)
	}
}

// TestALookAndAScheduledSyncCountRefusalsTogether also has a look whose failure is not the password's.
func TestALookAndAScheduledSyncCountRefusalsTogether(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.answers(refusal(), people(3)...)
	h.look()
	h.answers(unreachable(), people(3)...)
	h.look()
	h.answers(refusal(), people(3)...)
	h.slot()
	if h.settings().Schedule.Paused {
		t.Fatal("paused after two refusals")
	}
	h.look()
	if !h.settings().Schedule.Paused {
		t.Error("not paused after two looks and a scheduled sync were refused")
	}
}

func TestAQuickSyncIsNotTheLastSync(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.answers(unreachable(), people(3)...)
	h.slot()
	failing := h.settings()
	h.directory.set(people(4)...)
	h.look()
	got := h.settings()
	if quick := h.history()[0]; quick.Trigger != run.TriggerQuick || quick.State != run.Done {
		t.Fatalf("the newest sync is %+v", quick)
	}
	if got.Health != failing.Health || got.ConsecutiveFailures != 1 || got.LastSyncID != failing.LastSyncID {
		t.Errorf("after a quick sync %+v, failures %d", got.Health, got.ConsecutiveFailures)
	}
	// Settings that nobody has previewed: the quick sync must not stand for a sync with them.
	jobs := h.store.Jobs().For(h.id.Account)
	_, err := runs.UpdateSettings(t.Context(), jobs, func(s *settings.Saved) error {
		s.Advanced.SearchBase = "OU=A,DC=example,DC=com"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	quick := h.history()[0]
	quick.ID, quick.State, quick.Import = "ZZZZ", run.Done, h.settings().Import
	if _, err := jobs.CreateRun(t.Context(), quick); err != nil {
		t.Fatal(err)
	}
	h.directory.set(people(1)...)
	if h.slot(); h.settings().Health.State != settings.Blocked {
		t.Errorf("a sync with new settings removes users after a quick one: %+v", h.settings().Health)
	}
}

func TestTooManyChangesAreLeftToTheFullSync(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.answers(&directory.Error{Code: directory.CodeManyChanges, Step: directory.StepSearch, Message: "Many."})
	h.look()
	if h.settings().Looks.Error != "Many." || h.look() != 0 {
		t.Errorf("looks go on after %+v", h.settings().Looks)
	}
	if !strings.Contains(h.log.String(), `msg="a look failed"`) {
		t.Errorf("the log does not say that a look failed: %s", h.log)
	}
	h.directory.set(people(3)...)
	h.slot()
	if h.look() != 1 || h.settings().Looks.Error != "" {
		t.Error("looks do not go on after the full sync")
	}
}

func TestAPreviewsSyncStartsLooks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.server = "dc1"
	h.directory.set(people(3)...)
	preview := h.preview()
	// What changes after the preview's read is found by the first look.
	h.directory.set(people(4)...)
	h.sync(importer.SyncRequest{PreviewID: preview.ID})
	h.quick(24, ptr(5))
	if h.look() != 1 || len(h.list()) != 8 {
		t.Errorf("the list has %d users", len(h.list()))
	}
}

func TestALookThatCannotBeStoredTriesAgain(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.directory.set(people(4)...)
	h.calls = 0
	h.clock = h.clock.Add(6 * time.Minute)
	if _, err := h.service.StartLooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	if err := h.deliver(); !errors.Is(err, errUnreachable) {
		t.Fatalf("error %v", err)
	}
	h.calls = -1
	h.mustDeliver()
	if quick := h.history()[0]; quick.Trigger != run.TriggerQuick || quick.State != run.Done || len(h.list()) != 8 {
		t.Errorf("the sync of the look is %s, the list has %d users", quick.State, len(h.list()))
	}
}

// TestALookThatCannotBeStartedNamesItsAccount has settings that cannot be read when the look is due.
func TestALookThatCannotBeStartedNamesItsAccount(t *testing.T) {
	t.Parallel()
	h := looking(t, people(3)...)
	h.clock = h.clock.Add(6 * time.Minute)
	told := &tally{of: make(map[user.Account]int)}
	h.config.Failed = func(_ context.Context, account user.Account) { told.add(account) }
	h.withBad(h.id.Account)
	if started, err := h.service.StartLooks(t.Context()); started != 0 || !errors.Is(err, errDamaged) {
		t.Errorf("%d looks were started, error %v", started, err)
	}
	if told.of[h.id.Account] != 1 || !strings.Contains(h.log.String(), "account="+string(h.id.Account)) {
		t.Errorf("somebody was told %v, the log says %s", told.of, h.log)
	}
}
