package importer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/run"
)

func (h *harness) wantTypes(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.told.types()); diff != "" {
		h.t.Errorf("told (-want +got):\n%s", diff)
	}
}

// last is the event that was told last.
func (h *harness) last() notify.Event {
	h.t.Helper()
	if len(h.told.all) == 0 {
		h.t.Fatal("nothing was told")
	}
	return h.told.all[len(h.told.all)-1]
}

func TestAStateIsToldOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, people(20)...)
	h.schedule(1)
	h.slot()
	h.wantTypes()
	h.answers(unreachable())
	h.slot()
	failed := h.last()
	h.slot()
	h.answers(incomplete())
	h.slot()
	h.wantTypes("failed")
	h.answers(nil, people(1)...)
	h.slot()
	blocked := h.last()
	h.slot()
	h.answers(nil, people(20)...)
	h.slot()
	recovered := h.last()
	h.slot()
	h.wantTypes("failed", "blocked", "recovered")

	all := h.history()
	slices.Reverse(all)
	if d := failed.Data; failed.ID != all[1].ID+"/failed" || d.SyncID != all[1].ID || d.Code != all[1].Failure.Code ||
		d.Message != "The server does not answer." || d.Trigger != run.TriggerSchedule ||
		failed.Subject != "syncs/"+all[1].ID || failed.Source != "/accounts/acme" {
		t.Errorf("failed: %+v", failed)
	}
	if d := blocked.Data; blocked.ID != all[4].ID+"/blocked" || d.Code != "removal_limit" || d.Removals != 38 ||
		!strings.Contains(d.Message, "38 of 40") {
		t.Errorf("blocked: %+v", blocked)
	}
	if d := recovered.Data; recovered.ID != all[6].ID+"/recovered" || d.After != run.Blocked || d.Syncs != 5 ||
		d.Since.Sub(all[1].FinishedAt).Abs() > time.Second {
		t.Errorf("recovered: %+v", recovered)
	}
}

func TestOnlyFullSyncsOfTheSettingsTellAState(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, people(20)...)
	h.schedule(1)
	first := h.run(func() string { h.slot(); return h.history()[0].ID }())
	h.answers(unreachable())
	h.slot()
	// An undo, and a sync with other settings, say nothing about those that fail.
	h.undo(first.ID)
	h.directory.set(people(20)...)
	other := *connection()
	other.Host = "other.example.com"
	preview, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: &other})
	if err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	wantState(t, h.sync(importer.SyncRequest{PreviewID: preview.ID}), run.Done)
	h.wantTypes("failed")
	// Somebody cancels one; then one by hand goes well.
	cancelled := h.start(importer.SyncRequest{})
	if _, err := h.service.CancelSync(t.Context(), h.id, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	h.wantTypes("failed")
	wantState(t, h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: ptr(removing())}), run.Done)
	h.wantTypes("failed", "recovered")
}

// A sync that is too large to be stored fails in the tick.
func TestASyncThatIsSetAsideIsTold(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.withBad()
	h.plant("acme", h.clock, "a@example.com")
	for range 2 {
		if _, err := h.service.StartDue(t.Context()); err == nil {
			t.Error("no error of a sync that does not fit")
		}
		h.clock = h.clock.Add(time.Hour)
	}
	h.wantTypes("failed")
	if d := h.last().Data; d.Code != "settings_too_large" || d.SyncID == "" {
		t.Errorf("told %+v", d)
	}
}

func TestMissedSyncs(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	saved := h.schedule(2)
	// A worker that never comes: the run waits, and its slots pass.
	tick := func() {
		t.Helper()
		if _, err := h.service.StartDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.clock = saved.Schedule.NextRunAt.Add(time.Second)
	tick()
	h.clock = saved.Schedule.NextRunAt.Add(2*time.Hour - time.Minute)
	tick()
	h.wantTypes()
	h.clock = saved.Schedule.NextRunAt.Add(2*time.Hour + time.Second)
	tick()
	h.wantTypes("missed")
	missed := h.last()
	if d := missed.Data; d.IntervalHours != 2 || d.SyncID != "" || missed.Subject != "schedule" ||
		!d.Since.Equal(saved.Schedule.NextRunAt.Add(-2*time.Hour)) {
		t.Errorf("missed: %+v", missed)
	}
	for range 3 {
		h.clock = h.clock.Add(2 * time.Hour)
		tick()
	}
	h.wantTypes("missed")
	// It runs; from its end on the time counts again, and to the second.
	h.mustDeliver()
	ended := h.history()[0].FinishedAt
	h.clock = ended.Add(4*time.Hour - time.Minute)
	tick()
	h.wantTypes("missed")
	h.clock = ended.Add(4*time.Hour + time.Second)
	tick()
	h.wantTypes("missed", "missed")
	if d := h.last().Data; d.SyncID == "" || d.Since.Sub(ended).Abs() > time.Second {
		t.Errorf("missed: %+v, want since %s", d, ended)
	}
}

func TestWhatIsNotMissed(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]func(h *harness){
		"a paused schedule": func(h *harness) {
			h.save(importer.SettingsRequest{IntervalHours: ptr(1), Paused: true})
		},
		"no schedule": func(h *harness) { h.save(importer.SettingsRequest{}) },
		"deleted settings": func(h *harness) {
			if _, err := h.service.DeleteSettings(h.t.Context(), h.id); err != nil {
				h.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(ann)
			h.schedule(1)
			h.slot()
			pause(h)
			h.clock = h.clock.Add(100 * time.Hour)
			h.tick()
			h.wantTypes()
			// What was not done meanwhile is not missed when it is resumed, either.
			h.save(importer.SettingsRequest{Connection: connection(), IntervalHours: ptr(1)})
			h.tick()
			h.slot()
			h.wantTypes()
		})
	}
}

// An account whose news cannot be told stops no other one, and its sync starts.
func TestAMissedSyncThatCannotBeToldYet(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.schedule(1)
	h.told.lose = map[int]bool{1: true}
	h.clock = h.clock.Add(10 * time.Hour)
	if started, err := h.service.StartDue(t.Context()); started != 1 || err != nil {
		t.Errorf("started %d, error %v", started, err)
	}
	h.wantTypes()
	h.mustDeliver()
	h.wantTypes("missed")
}

// wantOnce fails where an event was told twice with different words, or where the bus knows another change.
func (h *harness) wantOnce(r *rapid.T) {
	seen := make(map[string]notify.Event)
	for _, e := range h.told.all {
		e.Time = time.Time{}
		if was, there := seen[e.ID]; there && !cmp.Equal(was, e) {
			r.Fatalf("told again in other words:\n%s", cmp.Diff(was, e))
		}
		seen[e.ID] = e
	}
}

// TestPropertyEachStateIsToldOnce plays random histories of syncs that fail, are blocked or go well, with pauses in
// which none runs, while telling fails or its answer is lost. Whatever happens, each change of state is told, in its
// order, a repetition has the id of the first, and digests tell of states that last, a day apart.
func TestPropertyEachStateIsToldOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := newHarness(t)
		defer h.store.Close()
		// A worker's lease is over by the machine's clock, too: no wait for a busy disk is to take it.
		h.config.LeaseTime = time.Hour
		h.worker = importer.NewWorker(h.config)
		h.answers(nil, people(20)...)
		interval := rapid.SampledFrom([]int{1, 7, 13}).Draw(r, "interval")
		h.schedule(interval)
		h.slot()
		h.told.lose = make(map[int]bool)
		for call := range 60 {
			switch rapid.IntRange(0, 5).Draw(r, "fault") {
			case 0:
				h.told.lose[call] = true
			case 1:
				h.told.lose[-call] = true
			}
		}
		var want []string
		state := ""
		for range rapid.IntRange(1, 8).Draw(r, "syncs") {
			if rapid.IntRange(0, 4).Draw(r, "gap") == 0 {
				h.clock = h.clock.Add(time.Duration(2*interval+3) * time.Hour)
				want = append(want, "missed")
				for range rapid.IntRange(0, 4).Draw(r, "slots without a worker") {
					h.startDue(r)
					h.clock = h.clock.Add(time.Duration(interval) * time.Hour)
				}
			}
			next := rapid.SampledFrom([]string{"failed", "blocked", ""}).Draw(r, "end")
			switch next {
			case "failed":
				h.answers(unreachable())
			case "blocked":
				h.answers(nil, people(1)...)
			default:
				h.answers(nil, people(20)...)
			}
			h.slotWithFaults(r)
			switch next {
			case state:
			case "":
				want = append(want, "recovered")
			default:
				want = append(want, next)
			}
			state = next
		}
		// What could not be told yet is told by the next sync.
		h.told.lose = nil
		h.slotWithFaults(r)
		if diff := cmp.Diff(want, h.told.types()); diff != "" {
			r.Fatalf("told (-want +got):\n%s", diff)
		}
		h.wantOnce(r)
		h.wantDigestsApart(r)
	})
}

func (h *harness) startDue(r *rapid.T) {
	if _, err := h.service.StartDue(h.t.Context()); err != nil {
		r.Fatal(err)
	}
}

// slotWithFaults does the sync of the next slot, again while something cannot be told.
func (h *harness) slotWithFaults(r *rapid.T) {
	if next := h.next().Add(time.Minute); next.After(h.clock) {
		h.clock = next
	}
	h.startDue(r)
	for tries := 0; h.deliver() != nil; tries++ {
		if tries > 60 {
			r.Fatal("a run does not end")
		}
	}
}
