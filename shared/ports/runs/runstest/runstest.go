// Package runstest holds what every adapter of runs must do.
package runstest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Now is the time that a store under test must take for now.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Run holds a store to the contract of runs. open returns an empty store whose clock is now.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) runs.Store) {
	fixed := func(t *testing.T) runs.Store { return open(t, func() time.Time { return Now }) }
	t.Run("settings", func(t *testing.T) { keepSettings(t, fixed(t)) })
	t.Run("runs", func(t *testing.T) { keepRuns(t, fixed(t)) })
	t.Run("runs are listed by kind, the newest first", func(t *testing.T) { listRuns(t, fixed(t)) })
	t.Run("updates of one run come one after another", func(t *testing.T) { raceRuns(t, fixed(t)) })
	t.Run("long settings are kept beside their run", func(t *testing.T) { longImports(t, fixed(t)) })
	t.Run("old runs are gone", func(t *testing.T) { oldRuns(t, open) })
	t.Run("overdue runs", func(t *testing.T) { overdue(t, open) })
	t.Run("what is due is claimed once", func(t *testing.T) { claims(t, fixed(t)) })
	t.Run("a preview and the sync of it are stored together", func(t *testing.T) { previews(t, fixed(t)) })
	t.Run("when the Users List was written", func(t *testing.T) { listWritten(t, fixed(t)) })
	t.Run("what was removed", func(t *testing.T) { removals(t, fixed(t)) })
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

// equalSecrets leaves the password out: no store ever holds it.
var equalSecrets = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Password" }, cmp.Ignore())

func newRun(id string, kind run.Kind) run.Run {
	return run.Run{ID: id, Kind: kind, State: run.Queued, StartedBy: "ann", CreatedAt: Now.Add(-time.Hour)}
}

func keepRuns(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if _, err := j.Run(ctx, "01JX"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no run: error %v", err)
	}
	if _, err := j.Run(ctx, ""); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("an empty id: error %v", err)
	}
	nothing := func(*run.Run) error { return nil }
	if _, err := j.UpdateRun(ctx, "01JX", nothing); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("updating none: error %v", err)
	}
	created, err := j.CreateRun(ctx, newRun("01JA", run.KindSync))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.CreateRun(ctx, newRun("01JA", run.KindSync)); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("the same run again: error %v, want %v", err, runs.ErrConflict)
	}
	confirm := 5
	updated, err := j.UpdateRun(ctx, "01JA", func(r *run.Run) error {
		r.State, r.StartedAt, r.ConfirmRemovals = run.Running, Now, &confirm
		r.Steps = []run.Step{{Step: "bind", OK: true, MS: 12, Detail: "ä"}}
		r.Result = run.Result{Summary: run.Summary{Create: 3, ByType: map[user.Type]int{user.TypeUser: 3}}}
		r.Failure = &run.Failure{Code: "c", Message: "m"}
		r.Checkpoint = run.Checkpoint{Batches: 2, ConflictKeys: []string{"k"}}
		return nil
	})
	if err != nil || updated.Revision == created.Revision {
		t.Fatalf("updated %+v, error %v", updated, err)
	}
	got, err := j.Run(ctx, "01JA")
	updated.ImportFingerprint = ""
	if diff := cmp.Diff(updated, got, equalSecrets); err != nil || diff != "" {
		t.Errorf("error %v, run (-stored +read):\n%s", err, diff)
	}
	stop := errors.New("stop")
	if _, err := j.UpdateRun(ctx, "01JA", func(r *run.Run) error { r.State = run.Done; return stop }); !errors.Is(
		err, stop,
	) {
		t.Errorf("a refused update: error %v", err)
	}
	if got, _ := j.Run(ctx, "01JA"); got.State != run.Running {
		t.Errorf("a refused update was stored: %s", got.State)
	}
}

// longImports has runs whose settings are short and long.
func longImports(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	for at, exclusions := range []int{1, 3000} {
		id, claimed, used := fmt.Sprint("01JA", at), fmt.Sprint("01JB", at), fmt.Sprint("01JC", at)
		r := newRun(id, run.KindSync)
		r.Import.Connection = settings.Connection{ServerType: settings.Exchange, Host: "dc1", CACertificate: "ca"}
		r.Import.Options = settings.Options{RemoveAccounts: true}
		for i := range exclusions {
			r.Import.Advanced.Exclude = append(r.Import.Advanced.Exclude, fmt.Sprintf("somebody%d@example.com", i))
		}
		want := r.Import
		short := settings.Import{Connection: want.Connection, Options: want.Options}
		short.Connection.CACertificate = ""
		created, err := j.CreateRun(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		r.ID = claimed
		saved, _ := j.Settings(ctx)
		if _, err := j.Claim(ctx, saved, r); err != nil {
			t.Fatal(err)
		}
		preview := r
		preview.ID, preview.Kind = fmt.Sprint("01JD", at), run.KindPreview
		r.ID, r.PreviewID = used, preview.ID
		_, err = j.CreateRun(ctx, preview)
		if err == nil {
			_, err = runs.CreateFromPreview(ctx, j, r, func(p *run.Run) error {
				p.Syncs = append(p.Syncs, used)
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		preview, previewErr := j.Run(ctx, preview.ID)
		synced, syncedErr := j.Run(ctx, used)
		if err := errors.Join(previewErr, syncedErr); err != nil || len(preview.Syncs) != 1 {
			t.Fatalf("the preview names %v, error %v", preview.Syncs, err)
		}
		updated, err := j.UpdateRun(ctx, id, func(r *run.Run) error { r.State = run.Running; return nil })
		if err != nil {
			t.Fatal(err)
		}
		read, readErr := j.Run(ctx, id)
		other, otherErr := j.Run(ctx, claimed)
		brief, briefErr := j.LeanRun(ctx, id)
		page, listErr := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 1})
		if err := errors.Join(readErr, otherErr, briefErr, listErr); err != nil {
			t.Fatal(err)
		}
		for what, imports := range map[string][2]settings.Import{
			"preview's": {want, preview.Import}, "sync's of it": {want, synced.Import},
			"created": {want, created.Import}, "read": {want, read.Import}, "claimed": {want, other.Import},
			"updated": {short, updated.Import}, "lean": {short, brief.Import}, "listed": {short, page.Runs[0].Import},
		} {
			if diff := cmp.Diff(imports[0], imports[1], equalSecrets); diff != "" {
				t.Errorf("%d exclusions, the %s run (-want +got):\n%.500s", exclusions, what, diff)
			}
		}
		if read.State != run.Running || brief.State != run.Running ||
			brief.Fingerprint() != want.Fingerprint() || page.Runs[0].Fingerprint() != want.Fingerprint() {
			t.Errorf("%d exclusions: read %s and %s; fingerprints differ from the whole settings'",
				exclusions, read.State, brief.State)
		}
	}
	if _, err := j.LeanRun(ctx, "01JX"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no run: error %v", err)
	}
}

func listRuns(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	const n = 25
	for i := range n {
		for _, kind := range []run.Kind{run.KindSync, run.KindPreview} {
			if _, err := j.CreateRun(ctx, newRun(fmt.Sprintf("01J%03d%s", i, kind[:1]), kind)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, limit := range []int{1, 10, n, n + 1} {
		var ids []string
		for q := (runs.Query{Kind: run.KindSync, Limit: limit}); ; {
			page, err := j.Runs(ctx, q)
			if err != nil || len(page.Runs) > limit {
				t.Fatalf("%d runs at limit %d, error %v", len(page.Runs), limit, err)
			}
			for _, r := range page.Runs {
				ids = append(ids, r.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		var want []string
		for i := n - 1; i >= 0; i-- {
			want = append(want, fmt.Sprintf("01J%03ds", i))
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

func raceRuns(t *testing.T, s runs.Store) {
	j := s.For("acme")
	if _, err := j.CreateRun(t.Context(), newRun("01JA", run.KindSync)); err != nil {
		t.Fatal(err)
	}
	const writers, each = 4, 10
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for range each {
				if _, err := j.UpdateRun(t.Context(), "01JA", func(r *run.Run) error {
					r.Progress.Applied++
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if got, err := j.Run(t.Context(), "01JA"); err != nil || got.Progress.Applied != writers*each {
		t.Errorf("%d updates counted, want %d; error %v", got.Progress.Applied, writers*each, err)
	}
}

func oldRuns(t *testing.T, open func(*testing.T, func() time.Time) runs.Store) {
	now := Now
	j := open(t, func() time.Time { return now }).For("acme")
	if _, err := j.CreateRun(t.Context(), newRun("01JA", run.KindSync)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(89 * 24 * time.Hour)
	if _, err := j.Run(t.Context(), "01JA"); err != nil {
		t.Errorf("after 89 days: %v", err)
	}
	now = now.Add(2 * 24 * time.Hour)
	if _, err := j.Run(t.Context(), "01JA"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("after 91 days: error %v, want %v", err, runs.ErrNotFound)
	}
	if page, err := j.Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: 10}); err != nil || len(page.Runs) != 0 {
		t.Errorf("after 91 days %d runs are listed, error %v", len(page.Runs), err)
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

func claims(t *testing.T, s runs.Store) {
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
	for limit, want := range map[int][]user.Account{10: {"long ago", "now"}, 1: {"long ago"}} {
		if got, err := s.Due(ctx, Now, limit); err != nil || !cmp.Equal(want, got) {
			t.Errorf("due at limit %d: %q, error %v; want %q", limit, got, err, want)
		}
	}
	j := s.For("now")
	saved, err := j.Settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	saved.Schedule.NextRunAt = Now.Add(time.Hour)
	if err := j.Fits(newRun("01JC", run.KindSync)); err != nil {
		t.Errorf("a small run does not fit: %v", err)
	}
	const claimers = 6
	var mu sync.Mutex
	var running sync.WaitGroup
	won := 0
	for i := range claimers {
		running.Go(func() {
			_, err := j.Claim(ctx, saved, newRun(fmt.Sprint("01JC", i), run.KindSync))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, runs.ErrConflict) {
				t.Error(err)
			}
		})
	}
	running.Wait()
	page, err := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 10})
	if won != 1 || err != nil || len(page.Runs) != 1 {
		t.Errorf(
			"%d of %d claims succeeded and left %d runs, error %v; want 1 and 1", won, claimers, len(page.Runs), err,
		)
	}
	if due, err := s.Due(ctx, Now, 10); err != nil || !cmp.Equal([]user.Account{"long ago"}, due) {
		t.Errorf("due after the claim: %q, error %v", due, err)
	}
}

func previews(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	preview, err := j.CreateRun(ctx, newRun("01JP", run.KindPreview))
	if err != nil {
		t.Fatal(err)
	}
	syncOf := func(id string) run.Run {
		r := newRun(id, run.KindSync)
		r.PreviewID = preview.ID
		return r
	}
	const claimers = 6
	var mu sync.Mutex
	var running sync.WaitGroup
	var won []string
	for i := range claimers {
		running.Go(func() {
			used, r := preview, syncOf(fmt.Sprint("01JS", i))
			used.Syncs = []string{r.ID}
			entry := runs.AuditEntry{ID: "01JE" + r.ID, At: Now, By: "ann", Action: "sync.started", Subject: r.ID}
			created, err := j.ClaimPreview(ctx, used, r, entry)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && created.Revision == 1 && created.UpdatedAt.Equal(Now) {
				won = append(won, r.ID)
			} else if !errors.Is(err, runs.ErrConflict) {
				t.Errorf("created %+v, error %v", created, err)
			}
		})
	}
	running.Wait()
	stored, err := j.Run(ctx, preview.ID)
	page, listErr := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 10})
	if err := errors.Join(err, listErr); err != nil {
		t.Fatal(err)
	}
	if len(won) != 1 || !cmp.Equal(stored.Syncs, won) || len(page.Runs) != 1 || page.Runs[0].ID != won[0] {
		t.Fatalf("claims of %v succeeded; the preview names %v, %d syncs are stored", won, stored.Syncs, len(page.Runs))
	}
	log, err := j.AuditLog(ctx, "", 10)
	if err != nil || len(log.Entries) != 1 || log.Entries[0].Subject != won[0] {
		t.Errorf("the audit log has %+v, error %v; want the entry of %s", log.Entries, err, won[0])
	}
	// A run that is stored already changes nothing.
	twice := stored
	twice.Syncs = append(twice.Syncs, won[0])
	if _, err := j.ClaimPreview(ctx, twice, syncOf(won[0])); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("a run that is stored already: error %v, want %v", err, runs.ErrConflict)
	}
	if got, err := j.Run(ctx, preview.ID); err != nil || got.Revision != stored.Revision || len(got.Syncs) != 1 {
		t.Errorf("after a refused claim the preview is %+v, error %v", got, err)
	}
	unknown := stored
	unknown.ID = "01JU"
	if _, err := j.ClaimPreview(ctx, unknown, syncOf("01JV")); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no such preview: error %v, want %v", err, runs.ErrNotFound)
	}
	// Those that read again all get their turn.
	for i := range claimers {
		running.Go(func() {
			r := syncOf(fmt.Sprint("01JT", i))
			use := func(p *run.Run) error { p.Syncs = append(p.Syncs, r.ID); return nil }
			if _, err := runs.CreateFromPreview(ctx, j, r, use); err != nil {
				t.Errorf("create %s: %v", r.ID, err)
			}
		})
	}
	running.Wait()
	if got, err := j.Run(ctx, preview.ID); err != nil || len(got.Syncs) != 1+claimers {
		t.Errorf("the preview names %v, error %v; want all syncs", got.Syncs, err)
	}
}

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
				err := j.UpdateRemovals(ctx, func(l run.Removals) run.Removals {
					return append(l, one)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	got, err := j.Removals(ctx)
	if err != nil || len(got) != writers*each || got[0] != one {
		t.Errorf("%d updates are stored, want %d: %+v; error %v", len(got), writers*each, got, err)
	}
	if got, err := s.For("other").Removals(ctx); err != nil || len(got) != 0 {
		t.Errorf("another account has %+v, error %v", got, err)
	}
}

func lease(run string, attempt int, seconds int) runs.Lease {
	return runs.Lease{RunID: run, Attempt: attempt, ExpiresAt: after(seconds)}
}

func after(seconds int) time.Time { return Now.Add(time.Duration(seconds) * time.Second) }

func leases(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	for _, step := range []struct {
		name  string
		lease runs.Lease
		at    int
		want  error
	}{
		{"the first", lease("a", 1, 90), 0, nil},
		{"another run", lease("b", 1, 90), 0, runs.ErrHeld},
		{"a heartbeat", lease("a", 1, 120), 30, nil},
		{"another run, where the first one's time would be over", lease("b", 1, 200), 100, runs.ErrHeld},
		{"a second attempt beside the first", lease("a", 2, 150), 60, runs.ErrConflict},
		{"a second attempt, once the first one's time is over", lease("a", 2, 150), 120, nil},
		{"the first attempt has lost it", lease("a", 1, 180), 130, runs.ErrConflict},
		{"another run, once nobody renews it", lease("b", 1, 300), 151, nil},
	} {
		if err := j.AcquireLease(ctx, step.lease, after(step.at)); !errors.Is(err, step.want) {
			t.Errorf("%s: error %v, want %v", step.name, err, step.want)
		}
	}
	if _, err := j.ReleaseLease(ctx, lease("a", 2, 0)); err != nil {
		t.Error(err)
	}
	if err := j.AcquireLease(ctx, lease("c", 1, 400), after(160)); !errors.Is(err, runs.ErrHeld) {
		t.Errorf("somebody else's release freed the lease: %v", err)
	}
	for range 2 {
		if _, err := j.ReleaseLease(ctx, lease("b", 1, 0)); err != nil {
			t.Error(err)
		}
	}
	if err := j.AcquireLease(ctx, lease("c", 1, 400), after(160)); err != nil {
		t.Errorf("after its release: %v", err)
	}
	if err := s.For("other").AcquireLease(ctx, lease("d", 1, 400), Now); err != nil {
		t.Errorf("another account: %v", err)
	}
}

// waiters has runs ask for a lease that another run holds.
func waiters(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	acquire := func(at int, run string, want error) {
		t.Helper()
		if err := j.AcquireLease(ctx, lease(run, 1, at+90), after(at)); !errors.Is(err, want) {
			t.Fatalf("%s asks for the lease after %d s: error %v, want %v", run, at, err, want)
		}
	}
	release := func(run string, want ...string) (turns []int) {
		t.Helper()
		waiting, err := j.ReleaseLease(ctx, lease(run, 1, 0))
		var names []string
		for _, w := range waiting {
			names, turns = append(names, w.RunID), append(turns, w.Turn)
		}
		if err != nil || !slices.Equal(names, want) {
			t.Fatalf("for the lease of %s wait %q, want %q; error %v", run, names, want, err)
		}
		return turns
	}
	acquire(0, "a", nil)
	acquire(1, "b", runs.ErrHeld)
	acquire(2, "c", runs.ErrHeld)
	acquire(3, "a", nil)
	first := release("a", "b", "c")
	release("a")
	acquire(10, "c", nil)
	acquire(11, "b", runs.ErrHeld)
	acquire(12, "d", runs.ErrHeld)
	second := release("c", "b", "d")
	if turns := append(first, second...); len(turns) != len(slices.Compact(slices.Sorted(slices.Values(turns)))) {
		t.Errorf("two waits have the same turn: %v", turns)
	}
	// b and d were cancelled, say, and ask no more: after a while nobody waits for them.
	acquire(3600, "e", nil)
	release("e")
}

// counts has many count at once: none is lost, and a limit that change holds is not passed.
func counts(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	const many, most = 60, 10
	full := errors.New("full")
	var counting sync.WaitGroup
	var passed, refused atomic.Int64
	for i := range many {
		counting.Go(func() {
			err := j.Count(ctx, func(c *runs.Counts) error {
				if len(c.Open["sync"]) >= most {
					return full
				}
				c.Opened("sync", fmt.Sprint(i), Now)
				return nil
			})
			switch {
			case err == nil:
				passed.Add(1)
			case errors.Is(err, full):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	counting.Wait()
	var stored runs.Counts
	if err := j.Count(ctx, func(c *runs.Counts) error { stored = *c; return runs.ErrUnchanged }); !errors.Is(err,
		runs.ErrUnchanged) {
		t.Error(err)
	}
	if passed.Load() != most || refused.Load() != many-most || len(stored.Open["sync"]) != most {
		t.Errorf("%d passed, %d refused, %d stored; want %d, %d and %d", passed.Load(), refused.Load(),
			len(stored.Open["sync"]), most, many-most, most)
	}
	if err := s.For("other").Count(ctx, func(c *runs.Counts) error {
		if len(c.Open) > 0 {
			t.Errorf("another account has %+v", c.Open)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func audit(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	for i := range 5 {
		e := runs.AuditEntry{
			ID: fmt.Sprint("01J", i), At: Now, By: "ann", Action: "user.changed", Subject: "a@example.com",
			Details: map[string]string{"protected": "false → true"},
		}
		for range 2 {
			if err := j.AddAudit(ctx, e); err != nil {
				t.Fatal(err)
			}
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
	claim := func(k runs.Key) string {
		t.Helper()
		got, err := j.ClaimKey(ctx, k)
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
			t.Errorf("before claiming %+v there is the claim of %q, error %v", step.key, found.RunID, err)
		}
		if got := claim(step.key); got != step.want {
			t.Errorf("claiming %+v gave %s, want %s", step.key, got, step.want)
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
