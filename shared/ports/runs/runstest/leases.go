package runstest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/shared/ports/runs"
)

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
