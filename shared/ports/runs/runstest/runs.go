package runstest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
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
