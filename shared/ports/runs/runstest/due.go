package runstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func slots(t *testing.T, s runs.Store) {
	ctx := t.Context()
	put := func(account user.Account, change func(*settings.Saved)) {
		t.Helper()
		own := sampleSettings()
		change(&own)
		if _, err := s.For(account).PutSettings(ctx, own); err != nil {
			t.Fatal(err)
		}
	}
	at := func(d time.Duration) func(*settings.Saved) {
		return func(s *settings.Saved) { s.Schedule.NextRunAt = Now.Add(d) }
	}
	put("later", at(time.Minute))
	put("now", at(0))
	put("long ago", at(-time.Hour))
	put("paused", func(s *settings.Saved) { s.Schedule.NextRunAt, s.Schedule.Paused = Now, true })
	put("none", func(s *settings.Saved) { s.Schedule = nil })
	put("missed", func(s *settings.Saved) {
		s.Schedule.NextRunAt, s.Schedule.MissedAt = Now.Add(time.Minute), Now.Add(-time.Minute)
	})
	put("missed, and told", func(s *settings.Saved) {
		s.Schedule.NextRunAt, s.Schedule.MissedAt, s.Schedule.Missed = Now.Add(time.Minute), Now.Add(-time.Minute), true
	})
	put("longest wait", func(s *settings.Saved) {
		s.Schedule.IntervalHours, s.Schedule.NextRunAt = settings.MaxInterval, Now.Add(runs.FarAhead)
	})
	put("by a wrong clock", at(100*24*time.Hour))
	put("by a very wrong clock", at(400*24*time.Hour))
	put("paused, by a wrong clock", func(s *settings.Saved) {
		s.Schedule.NextRunAt, s.Schedule.Paused = Now.Add(100*24*time.Hour), true
	})
	for limit, want := range map[int][]user.Account{
		10: {"long ago", "missed", "now", "by a wrong clock", "by a very wrong clock"},
		4:  {"long ago", "missed", "now", "by a wrong clock"},
		1:  {"long ago"},
	} {
		if got, err := s.Due(ctx, Now, limit); err != nil || !cmp.Equal(want, got) {
			t.Errorf("due at limit %d: %q, error %v; want %q", limit, got, err, want)
		}
	}
	takeSlot(t, s)
}

// takeSlot starts what is due of the account "now".
func takeSlot(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("now")
	saved, err := j.Settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	saved.Schedule.NextRunAt = Now.Add(time.Hour)
	if err := j.Fits(newRun("01JC", run.KindSync)); err != nil {
		t.Errorf("a small run does not fit: %v", err)
	}
	won := race(t, runs.ErrConflict, func(i int) error {
		_, err := j.TakeSlot(ctx, saved, newRun(fmt.Sprint("01JC", i), run.KindSync))
		return err
	})
	page, err := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 10})
	if len(won) != 1 || err != nil || len(page.Runs) != 1 {
		t.Errorf("%d of %d succeeded and left %d runs, error %v; want 1 and 1", len(won), takers, len(page.Runs), err)
	}
	if due, err := s.Due(ctx, Now, 10); err != nil || len(due) != 4 || due[0] != "long ago" {
		t.Errorf("due after that: %q, error %v", due, err)
	}
}

func overdue(t *testing.T, open func(*testing.T, func() time.Time) runs.Store) {
	now := Now
	s := open(t, func() time.Time { return now })
	create := func(account user.Account, id string, state run.State, password []byte) {
		t.Helper()
		r := newRun(id, run.KindPreview)
		r.State, r.SealedPassword, r.ExpiresAt = state, password, Now.Add(24*time.Hour)
		if stored, err := s.For(account).CreateRun(t.Context(), r); err != nil || !stored.UpdatedAt.Equal(now) {
			t.Fatalf("created %+v, error %v", stored, err)
		}
	}
	create("acme", "01JA", run.Queued, []byte("sealed"))
	create("acme", "01JB", run.Done, nil)
	create("acme", "01JC", run.Done, []byte("sealed"))
	now = now.Add(7 * time.Minute)
	create("other", "01JD", run.Running, nil)
	ref := func(account user.Account, id string) runs.Ref {
		return runs.Ref{Account: account, RunID: id}
	}
	a, c, d := ref("acme", "01JA"), ref("acme", "01JC"), ref("other", "01JD")
	wants := func(at time.Duration, limit int, want ...runs.Ref) {
		t.Helper()
		if got, err := s.Overdue(t.Context(), Now.Add(at), limit); err != nil || !cmp.Equal(want, got) {
			t.Errorf("overdue %s later at limit %d: %v, error %v; want %v", at, limit, got, err, want)
		}
	}
	wants(14*time.Minute, 10)
	wants(20*time.Minute, 10, a)
	wants(30*time.Minute, 10, a, d)
	wants(30*time.Minute, 1, a)
	wants(25*time.Hour, 10, a, d, c)
	// A sign of life moves the time, and so does the end.
	now = Now.Add(30 * time.Minute)
	if _, err := s.For("other").UpdateRun(t.Context(), "01JD", func(*run.Run) error { return nil }); err != nil {
		t.Fatal(err)
	}
	wants(30*time.Minute, 10, a)
	if _, err := s.For("acme").UpdateRun(t.Context(), "01JA", func(r *run.Run) error {
		r.State, r.SealedPassword = run.Failed, nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wants(30*time.Minute, 10)
	wants(2*time.Hour, 10, d)
}
