package importer_test

import (
	"fmt"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// tick starts what is due and does it.
func (h *harness) tick() int {
	h.t.Helper()
	started, err := h.service.StartDue(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustDeliver()
	return started
}

func (h *harness) schedule(hours int) importer.Saved {
	h.t.Helper()
	return h.save(importer.SettingsRequest{Connection: connection(), Options: ptr(removing()), IntervalHours: &hours})
}

func (h *harness) history() []run.Run {
	h.t.Helper()
	page, err := h.service.Syncs(h.t.Context(), h.id, runs.Query{Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Runs
}

func (h *harness) next() time.Time {
	h.t.Helper()
	saved, err := h.service.Settings(h.t.Context(), h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	return saved.Schedule.NextRunAt
}

func TestAScheduleStartsEachDueSlotOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(6).Schedule.NextRunAt
	if wait := first.Sub(h.clock); wait < 6*time.Hour-time.Second || wait > 7*time.Hour {
		t.Errorf("the first run is due in %s, want 6 hours and at most one more", wait)
	}
	if h.tick() != 0 {
		t.Error("a schedule started before its time")
	}
	for slot := range 3 {
		due := first.Add(time.Duration(slot) * 6 * time.Hour)
		h.clock = due.Add(17 * time.Minute)
		if started := h.tick(); started != 1 {
			t.Fatalf("slot %d: %d syncs started, want 1", slot, started)
		}
		if h.tick() != 0 {
			t.Errorf("slot %d started twice", slot)
		}
		if want := due.Add(6 * time.Hour); !h.next().Equal(want) {
			t.Errorf("slot %d: next run at %s, want %s: counted from the time it was due", slot, h.next(), want)
		}
	}
	runs := h.history()
	if len(runs) != 3 || runs[0].Trigger != run.TriggerSchedule || runs[0].StartedBy != "schedule" ||
		runs[0].State != run.Done {
		t.Errorf("history %+v", runs)
	}
	if len(h.users()) != 2 {
		t.Errorf("users %q", h.users())
	}
}

func TestMissedSlotsRunOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(1).Schedule.NextRunAt
	h.clock = first.Add(50*time.Hour + time.Minute)
	if started := h.tick() + h.tick(); started != 1 {
		t.Errorf("%d syncs for 51 missed slots, want 1", started)
	}
	if want := first.Add(51 * time.Hour); !h.next().Equal(want) {
		t.Errorf("next run at %s, want %s", h.next(), want)
	}
}

func TestARunThatIsStillGoingIsNotDoubled(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(1).Schedule.NextRunAt
	for slot := range 3 {
		h.clock = first.Add(time.Duration(slot) * time.Hour).Add(time.Minute)
		if _, err := h.service.StartDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if runs := h.history(); len(runs) != 1 {
		t.Errorf("%d syncs while the first one waits, want 1", len(runs))
	}
	if want := first.Add(3 * time.Hour); !h.next().Equal(want) {
		t.Errorf("next run at %s, want %s: the rhythm goes on", h.next(), want)
	}
}

func TestAFailingScheduleSaysSoAndGoesOn(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set()
	first := h.schedule(1).Schedule.NextRunAt
	for failures := 1; failures <= 2; failures++ {
		h.clock = first.Add(time.Duration(failures-1) * time.Hour).Add(time.Minute)
		h.tick()
		saved, err := h.service.Settings(t.Context(), h.id)
		if err != nil || saved.ConsecutiveFailures != failures || saved.LastRun == nil ||
			saved.LastRun.Failure.Code != "empty_read" {
			t.Errorf("after %d failures: %d counted, last run %+v, error %v", failures, saved.ConsecutiveFailures,
				saved.LastRun, err)
		}
	}
	h.directory.set(ann)
	h.clock = first.Add(2*time.Hour + time.Minute)
	h.tick()
	if saved, err := h.service.Settings(t.Context(), h.id); err != nil || saved.ConsecutiveFailures != 0 ||
		saved.LastRun.State != run.Done {
		t.Errorf("after a success: %d failures, error %v", saved.ConsecutiveFailures, err)
	}
}

func TestABlockedScheduleStillBringsNewUsers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(20)...)
	first := h.schedule(1).Schedule.NextRunAt
	h.clock = first.Add(time.Minute)
	h.tick()
	h.directory.set(append(people(10), cat)...)
	h.clock = first.Add(time.Hour + time.Minute)
	h.tick()
	r := h.history()[0]
	wantState(t, r, run.Blocked)
	if len(h.users()) != 41 || r.Guard.Removals != 20 {
		t.Errorf("%d users, guard %+v; want the 40 and cat, and 20 removals held", len(h.users()), r.Guard)
	}
	want := map[string]importer.Outcome{"cat@example.com": importer.OutcomeApplied,
		"p00015@example.com": importer.OutcomePending}
	for _, line := range h.changes(r.ID) {
		var change, key, outcome string
		fmt.Sscan(line, &change, &key, &outcome)
		if wanted, ok := want[key]; ok && string(wanted) != outcome {
			t.Errorf("%s is %s, want %s", key, outcome, wanted)
		}
	}
}

func TestAccountsAreSpreadOverTheHour(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	starts := make(map[time.Time]int)
	for i := range 120 {
		id := run.Identity{Account: user.Account(fmt.Sprint("account", i)), Subject: "a"}
		saved, err := h.service.SaveSettings(t.Context(), id, importer.SettingsRequest{
			Connection: &settings.Connection{ServerType: settings.GroupWise, Host: "h.example.com",
				Port: 389}, IntervalHours: ptr(1),
		})
		if err != nil {
			t.Fatal(err)
		}
		starts[saved.Schedule.NextRunAt.Truncate(time.Minute)]++
	}
	for at, n := range starts {
		if n > 12 {
			t.Errorf("%d of 120 accounts start at %s", n, at)
		}
	}
	if len(starts) < 30 {
		t.Errorf("120 accounts start in %d different minutes", len(starts))
	}
}

func TestPausingAndResuming(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(1).Schedule.NextRunAt
	h.save(importer.SettingsRequest{IntervalHours: ptr(1), Paused: true})
	h.clock = first.Add(10*time.Hour + time.Minute)
	if h.tick() != 0 {
		t.Error("a paused schedule started")
	}
	resumed := h.save(importer.SettingsRequest{IntervalHours: ptr(1)})
	if want := first.Add(11 * time.Hour); !resumed.Schedule.NextRunAt.Equal(want) || h.tick() != 0 {
		t.Errorf("resumed, the next run is at %s, want %s", resumed.Schedule.NextRunAt, want)
	}
}

// TestAScheduleThatAWrongClockSetComesBack has the clock 400 days ahead for one tick.
func TestAScheduleThatAWrongClockSetComesBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	first := h.schedule(6).Schedule.NextRunAt
	right := h.clock
	h.clock = right.Add(400 * 24 * time.Hour)
	if h.tick() != 1 {
		t.Fatal("nothing was due 400 days later")
	}
	h.clock = right.Add(time.Second)
	for range 2 {
		if h.tick() != 0 {
			t.Error("a sync started before its time")
		}
	}
	if next := h.next(); next.After(first) || next.Before(first.Add(-6*time.Hour)) {
		t.Errorf("the next run is at %s, want one not after %s", next, first)
	}
	h.clock = first
	if h.tick() != 1 {
		t.Error("the schedule is silent")
	}
}

// TestASyncOfAWrongClockHidesNoLaterOne has a sync run while the clock is 40 days ahead, and one that fails after it.
func TestASyncOfAWrongClockHidesNoLaterOne(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.schedule(6)
	right := h.clock
	h.clock = right.Add(40 * 24 * time.Hour)
	h.sync(importer.SyncRequest{})
	h.clock = right.Add(time.Minute)
	h.directory.err = &directory.Error{Step: directory.StepConnect, Code: "connect_failed", Message: "refused"}
	last := h.sync(importer.SyncRequest{})
	saved, err := h.service.Settings(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if saved.LastSyncID != last.ID || saved.Health.State != settings.Failing {
		t.Errorf("the settings name %s and are %s; want %s, which failed",
			saved.LastSyncID, saved.Health.State, last.ID)
	}
}
