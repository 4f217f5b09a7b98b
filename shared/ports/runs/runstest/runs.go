package runstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

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
		r.Filter = &run.Filter{Q: "q", Prefix: "ä", Types: []user.Type{user.TypeUser}, Changes: []string{"create"}}
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
		id, started, used := fmt.Sprint("01JA", at), fmt.Sprint("01JB", at), fmt.Sprint("01JC", at)
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
		r.ID = started
		saved, _ := j.Settings(ctx)
		if _, err := j.TakeSlot(ctx, saved, r); err != nil {
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
		other, otherErr := j.Run(ctx, started)
		brief, briefErr := j.LeanRun(ctx, id)
		page, listErr := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 1})
		if err := errors.Join(readErr, otherErr, briefErr, listErr); err != nil {
			t.Fatal(err)
		}
		for what, imports := range map[string][2]settings.Import{
			"preview's": {want, preview.Import}, "sync's of it": {want, synced.Import},
			"created": {want, created.Import}, "read": {want, read.Import}, "started": {want, other.Import},
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
	if _, err := j.CreateRun(t.Context(), newRun("01JX", run.KindExplanation)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(22 * time.Hour)
	if _, err := j.Run(t.Context(), "01JX"); err != nil {
		t.Errorf("an explanation of 23 hours: %v", err)
	}
	now = now.Add(2 * time.Hour)
	if _, err := j.Run(t.Context(), "01JX"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("an explanation of 25 hours: error %v, want %v", err, runs.ErrNotFound)
	}
	now = now.Add(88 * 24 * time.Hour)
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
	const takers = 6
	var mu sync.Mutex
	var running sync.WaitGroup
	var won []string
	for i := range takers {
		running.Go(func() {
			used, r := preview, syncOf(fmt.Sprint("01JS", i))
			used.Syncs = []string{r.ID}
			entry := runs.AuditEntry{ID: "01JE" + r.ID, At: Now, By: "ann", Action: "sync.started", Subject: r.ID}
			created, err := j.UsePreview(ctx, used, r, entry)
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
		t.Fatalf("%v succeeded; the preview names %v, %d syncs are stored", won, stored.Syncs, len(page.Runs))
	}
	log, err := j.AuditLog(ctx, "", 10)
	if err != nil || len(log.Entries) != 1 || log.Entries[0].Subject != won[0] {
		t.Errorf("the audit log has %+v, error %v; want the entry of %s", log.Entries, err, won[0])
	}
	// A run that is stored already changes nothing.
	twice := stored
	twice.Syncs = append(twice.Syncs, won[0])
	if _, err := j.UsePreview(ctx, twice, syncOf(won[0])); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("a run that is stored already: error %v, want %v", err, runs.ErrConflict)
	}
	if got, err := j.Run(ctx, preview.ID); err != nil || got.Revision != stored.Revision || len(got.Syncs) != 1 {
		t.Errorf("after a refused use the preview is %+v, error %v", got, err)
	}
	unknown := stored
	unknown.ID = "01JU"
	if _, err := j.UsePreview(ctx, unknown, syncOf("01JV")); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no such preview: error %v, want %v", err, runs.ErrNotFound)
	}
}

// previewsInTurn uses a preview many times at once: those that read it again all get their turn.
func previewsInTurn(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	preview, err := j.CreateRun(ctx, newRun("01JP", run.KindPreview))
	if err != nil {
		t.Fatal(err)
	}
	const takers = 6
	var running sync.WaitGroup
	for i := range takers {
		running.Go(func() {
			r := newRun(fmt.Sprint("01JT", i), run.KindSync)
			r.PreviewID = preview.ID
			use := func(p *run.Run) error { p.Syncs = append(p.Syncs, r.ID); return nil }
			if _, err := runs.CreateFromPreview(ctx, j, r, use); err != nil {
				t.Errorf("create %s: %v", r.ID, err)
			}
		})
	}
	running.Wait()
	if got, err := j.Run(ctx, preview.ID); err != nil || len(got.Syncs) != takers {
		t.Errorf("the preview names %v, error %v; want all syncs", got.Syncs, err)
	}
}
