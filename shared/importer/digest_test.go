package importer_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/run"
)

// digests are the digests that were told.
func (h *harness) digests() (digests []notify.Event) {
	for _, e := range h.told.all {
		if e.Digest != "" {
			digests = append(digests, e)
		}
	}
	return digests
}

// slots does the syncs of the next slots.
func (h *harness) slots(n int) {
	h.t.Helper()
	for range n {
		h.slot()
	}
}

func TestAStateThatLastsIsSummedUpOnceADay(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.answers(nil, people(20)...)
	h.schedule(3)
	h.slot()
	h.answers(unreachable())
	h.slots(8)
	if got := h.digests(); len(got) != 0 {
		t.Fatalf("within a day: %+v", got)
	}
	h.slots(2)
	got := h.digests()
	if len(got) != 1 {
		t.Fatalf("%d digests after a day, want 1", len(got))
	}
	failed := h.told.all[slices.IndexFunc(h.told.all, func(e notify.Event) bool { return e.Type == notify.SyncFailed })]
	if e, d := got[0], got[0].Data; e.Type != notify.SyncFailed || e.Digest != notify.SameReason ||
		d.Message != "The server does not answer." || d.Syncs < 9 || d.SyncID == failed.Data.SyncID ||
		d.Since.Sub(failed.Time).Abs() > time.Second {
		t.Errorf("digest %+v", e)
	}
	h.slots(6)
	h.answers(incomplete())
	h.slots(2)
	if got = h.digests(); len(got) != 2 || got[1].Digest != notify.OtherReason || got[1].Data.Syncs < 17 {
		t.Errorf("after two days: %+v", got)
	}
	h.answers(nil, people(20)...)
	h.slots(10)
	if got = h.digests(); len(got) != 2 {
		t.Errorf("after the recovery: %+v", got[2:])
	}
	h.wantTypes("failed", "recovered")
	// Another state begins its own day.
	h.answers(nil, people(1)...)
	h.slots(10)
	if got = h.digests(); len(got) != 3 || got[2].Type != notify.SyncBlocked || got[2].Data.Removals != 38 {
		t.Errorf("blocked for a day: %+v", got)
	}
}

func TestNoDigestOfAScheduleThatIsNotToRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(h *harness)
		want int
	}{
		"a schedule": {func(*harness) {}, 1},
		"a paused schedule": {func(h *harness) {
			h.save(importer.SettingsRequest{IntervalHours: ptr(1), Paused: true})
		}, 0},
		"deleted settings": {func(h *harness) {
			if _, err := h.service.DeleteSettings(h.t.Context(), h.id); err != nil {
				h.t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.answers(unreachable())
			h.schedule(1)
			h.slot()
			h.clock = h.clock.Add(25 * time.Hour)
			byHand := h.start(importer.SyncRequest{})
			test.end(h)
			h.mustDeliver()
			wantState(t, h.run(byHand.ID), run.Failed)
			h.wantTypes("failed")
			if got := h.digests(); len(got) != test.want {
				t.Errorf("digests %+v", got)
			}
		})
	}
}

func TestMissedSyncsAreSummedUpOnceADay(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.schedule(2)
	// A worker that never comes.
	for range 3 * 24 * 4 {
		h.clock = h.clock.Add(15 * time.Minute)
		if _, err := h.service.StartDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.wantTypes("missed")
	got := h.digests()
	if len(got) != 2 {
		t.Fatalf("%d digests in three days, want 2", len(got))
	}
	missed := h.told.all[0]
	for _, e := range got {
		if e.Type != notify.SyncMissed || !e.Data.Since.Equal(missed.Data.Since) || e.Data.IntervalHours != 2 {
			t.Errorf("digest %+v of %+v", e, missed)
		}
	}
}

// wantDigestsApart fails where a digest is told of a state that was not told or is over, or within a day of what was
// told before.
func (h *harness) wantDigestsApart(r *rapid.T) {
	var before notify.Event
	var ending notify.Type
	seen := make(map[string]bool)
	for _, e := range h.told.all {
		if e.Type == notify.UsersChanged || seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		lasts := e.Type == ending || e.Type == notify.SyncMissed && before.Type == e.Type
		if e.Digest != "" && (!lasts || e.Time.Sub(before.Time) < 24*time.Hour-time.Minute) {
			r.Fatalf("digest %+v\nafter %+v", e, before)
		}
		if e.Type != notify.SyncMissed {
			ending = e.Type
		}
		before = e
	}
}
