// Package runstest holds what every adapter of runs must do.
package runstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Now is the time that a store under test must take for now.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Run holds a store to the contract of runs. open returns an empty store whose clock is now.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) runs.Store) {
	fixed := func(t *testing.T) runs.Store { return open(t, func() time.Time { return Now }) }
	t.Run("settings", func(t *testing.T) { keepSettings(t, fixed(t)) })
	t.Run("revisions of settings do not come back", func(t *testing.T) { revisions(t, open) })
	t.Run("runs", func(t *testing.T) { keepRuns(t, fixed(t)) })
	t.Run("runs are listed by kind, the newest first", func(t *testing.T) { listRuns(t, fixed(t)) })
	t.Run("runs are listed by state and trigger", func(t *testing.T) { filterRuns(t, fixed(t)) })
	t.Run("updates of one run come one after another", func(t *testing.T) { raceRuns(t, fixed(t)) })
	t.Run("long settings are kept beside their run", func(t *testing.T) { longImports(t, fixed(t)) })
	t.Run("old runs are gone", func(t *testing.T) { oldRuns(t, open) })
	t.Run("overdue runs", func(t *testing.T) { overdue(t, open) })
	t.Run("what is due starts once", func(t *testing.T) { slots(t, fixed(t)) })
	t.Run("a preview and the sync of it are stored together", func(t *testing.T) { previews(t, fixed(t)) })
	t.Run("uses of a preview come one after another", func(t *testing.T) { previewsInTurn(t, fixed(t)) })
	t.Run("when the Users List was written", func(t *testing.T) { listWritten(t, fixed(t)) })
	t.Run("what was removed", func(t *testing.T) { removals(t, fixed(t)) })
	t.Run("looks", func(t *testing.T) { looks(t, fixed(t)) })
	t.Run("notifications", func(t *testing.T) { notifications(t, fixed(t)) })
	t.Run("deliveries", func(t *testing.T) { deliveries(t, fixed(t)) })
	t.Run("told", func(t *testing.T) { told(t, fixed(t)) })
	t.Run("one run holds the lease", func(t *testing.T) { leases(t, fixed(t)) })
	t.Run("an audit entry is stored with its change", func(t *testing.T) { audited(t, fixed(t)) })
	t.Run("one of several savers wins", func(t *testing.T) { raceSettings(t, fixed(t)) })
	t.Run("runs wait for the lease", func(t *testing.T) { waiters(t, fixed(t)) })
	t.Run("counts", func(t *testing.T) { counts(t, fixed(t)) })
	t.Run("audit log", func(t *testing.T) { audit(t, fixed(t)) })
	t.Run("idempotency keys", func(t *testing.T) { keys(t, fixed(t)) })
	t.Run("accounts are apart", func(t *testing.T) { isolation(t, fixed(t)) })
}

func sampleSettings() settings.Saved {
	s := settings.Saved{
		SealedPassword: []byte{1, 2, 0, 255}, UpdatedAt: Now, UpdatedBy: "ann", Version: 7, ConsecutiveFailures: 2,
		LastSyncID: "01J", ScheduledRunID: "01K",
	}
	s.Connection = settings.Connection{
		ServerType: settings.Exchange, Host: "dc1.example.com", Port: 389, Username: "reader",
	}
	s.Options = settings.DefaultOptions()
	s.Schedule = &settings.Schedule{IntervalHours: 6, NextRunAt: Now.Add(6 * time.Hour)}
	return s
}

func keepSettings(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if _, err := j.Settings(ctx); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no settings: error %v", err)
	}
	if err := j.DeleteSettings(ctx, sampleSettings()); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("deleting none: error %v", err)
	}
	first, err := j.PutSettings(ctx, sampleSettings())
	if err != nil || first.Revision == 0 {
		t.Fatalf("stored %+v, error %v", first, err)
	}
	if _, err := j.PutSettings(ctx, sampleSettings()); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("a second first save: error %v, want %v", err, runs.ErrConflict)
	}
	first.Schedule.IntervalHours = 12
	second, err := j.PutSettings(ctx, first)
	if err != nil || second.Revision == first.Revision {
		t.Fatalf("stored %+v, error %v", second, err)
	}
	if _, err := j.PutSettings(ctx, first); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("an old revision: error %v, want %v", err, runs.ErrConflict)
	}
	got, err := j.Settings(ctx)
	if diff := cmp.Diff(second, got, equalSecrets); err != nil || diff != "" {
		t.Errorf("error %v, settings (-stored +read):\n%s", err, diff)
	}
	if err := j.DeleteSettings(ctx, first); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("deleting an old revision: error %v, want %v", err, runs.ErrConflict)
	}
	if err := j.DeleteSettings(ctx, second); err != nil {
		t.Error(err)
	}
	if _, err := j.Settings(ctx); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("after deleting: error %v", err)
	}
}

// revisions deletes settings and saves others while somebody still holds the old ones.
func revisions(t *testing.T, open func(*testing.T, func() time.Time) runs.Store) {
	now := Now
	ctx, j := t.Context(), open(t, func() time.Time { return now }).For("acme")
	seen := make(map[int64]bool)
	var held []settings.Saved
	for range 3 {
		saved := sampleSettings()
		for range 3 {
			var err error
			if saved, err = j.PutSettings(ctx, saved); err != nil {
				t.Fatal(err)
			}
			if seen[saved.Revision] {
				t.Errorf("revision %d comes back", saved.Revision)
			}
			seen[saved.Revision] = true
			held = append(held, saved)
		}
		for _, old := range held[:len(held)-1] {
			if err := j.DeleteSettings(ctx, old); !errors.Is(err, runs.ErrConflict) {
				t.Errorf("deleting revision %d in place of %d: error %v", old.Revision, saved.Revision, err)
			}
			if _, err := j.PutSettings(ctx, old); !errors.Is(err, runs.ErrConflict) {
				t.Errorf("storing over revision %d by %d: error %v", saved.Revision, old.Revision, err)
			}
		}
		if err := j.DeleteSettings(ctx, saved); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Millisecond)
	}
}

// equalSecrets leaves the password out: no store ever holds it.
var equalSecrets = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Password" }, cmp.Ignore())

func listWritten(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	wants := func(j runs.Jobs, want time.Time) {
		t.Helper()
		if got, err := j.ListWritten(ctx); err != nil || !got.Equal(want) {
			t.Errorf("written at %v, error %v; want %v", got, err, want)
		}
	}
	wants(j, time.Time{})
	// Clocks differ: a time that lies before the one stored is news all the same.
	for _, at := range []time.Time{Now.Add(time.Nanosecond), Now, Now.Add(time.Hour)} {
		if err := j.NoteListWrite(ctx, at); err != nil {
			t.Fatal(err)
		}
		wants(j, at)
	}
	wants(s.For("other"), time.Time{})
}

func removals(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if got, err := j.Removals(ctx); err != nil || len(got) != 0 {
		t.Errorf("at first %+v, error %v", got, err)
	}
	one := run.Removal{RunID: "01J", At: Now, Removed: 1, Stored: 10, StoredImported: 9}
	const writers, each = 4, 5
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for range each {
				err := j.UpdateRemovals(ctx, func(l run.Removals) (run.Removals, error) {
					return append(l, one), nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	refused := errors.New("refused")
	err := j.UpdateRemovals(ctx, func(run.Removals) (run.Removals, error) { return nil, refused })
	if !errors.Is(err, refused) {
		t.Errorf("an update that change ended: error %v", err)
	}
	got, err := j.Removals(ctx)
	if err != nil || len(got) != writers*each || got[0] != one {
		t.Errorf("%d updates are stored, want %d: %+v; error %v", len(got), writers*each, got, err)
	}
	if got, err := s.For("other").Removals(ctx); err != nil || len(got) != 0 {
		t.Errorf("another account has %+v, error %v", got, err)
	}
}

func audit(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	for i := range 5 {
		e := runs.AuditEntry{
			ID: fmt.Sprint("01J", i), At: Now, By: "ann", Action: "user.changed", Subject: "a@example.com",
			Details: map[string]string{"protected": "false → true"},
		}
		if _, err := j.CreateRun(ctx, newRun("01JR"+e.ID, run.KindSync), e); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for after := ""; ; {
		page, err := j.AuditLog(ctx, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			ids = append(ids, e.ID)
			if e.By != "ann" || e.Details["protected"] != "false → true" || !e.At.Equal(Now) {
				t.Errorf("entry %+v", e)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"01J4", "01J3", "01J2", "01J1", "01J0"}, ids); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func keys(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	take := func(k runs.Key) string {
		t.Helper()
		got, err := j.TakeKey(ctx, k)
		if err != nil {
			t.Fatal(err)
		}
		return got.RunID
	}
	first := runs.Key{Route: "sync", Key: "k", Request: "h1", RunID: "run1", At: Now}
	again := first
	again.RunID, again.At = "run2", Now.Add(23*time.Hour)
	late := again
	late.RunID, late.At = "run3", Now.Add(25*time.Hour)
	elsewhere := first
	elsewhere.Route, elsewhere.RunID = "preview", "run4"
	for _, step := range []struct {
		key  runs.Key
		want string
	}{{first, "run1"}, {again, "run1"}, {elsewhere, "run4"}, {late, "run3"}} {
		found, err := j.FindKey(ctx, step.key)
		isNew := step.key.RunID == step.want
		if isNew != errors.Is(err, runs.ErrNotFound) || !isNew && (err != nil || found.RunID != step.want) {
			t.Errorf("before %+v was used there is the use of %q, error %v", step.key, found.RunID, err)
		}
		if got := take(step.key); got != step.want {
			t.Errorf("using %+v gave %s, want %s", step.key, got, step.want)
		}
	}
}

func isolation(t *testing.T, s runs.Store) {
	ctx := t.Context()
	for i, account := range userstest.Accounts {
		j := s.For(account)
		own := sampleSettings()
		own.UpdatedBy = fmt.Sprint(i)
		if _, err := j.PutSettings(ctx, own); err != nil {
			t.Fatal(err)
		}
		if _, err := j.CreateRun(ctx, newRun(fmt.Sprint("01J", i), run.KindSync)); err != nil {
			t.Fatal(err)
		}
	}
	for i, account := range userstest.Accounts {
		j := s.For(account)
		if got, err := j.Settings(ctx); err != nil || got.UpdatedBy != fmt.Sprint(i) {
			t.Errorf("account %q has the settings of %s, error %v", account, got.UpdatedBy, err)
		}
		if page, err := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 10}); err != nil || len(page.Runs) != 1 {
			t.Errorf("account %q has %d runs, error %v", account, len(page.Runs), err)
		}
		if _, err := j.Run(ctx, fmt.Sprint("01J", (i+1)%len(userstest.Accounts))); !errors.Is(err, runs.ErrNotFound) {
			t.Errorf("account %q finds another's run: %v", account, err)
		}
	}
}
