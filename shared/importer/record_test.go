package importer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// slowSettings gives the reporter time to store the run's progress. Nothing but time passes: whatever the goroutines
// exchanged here would hide a race.
type slowSettings struct{ runs.Store }

func (s slowSettings) For(a user.Account) runs.Jobs { return slowAccountSettings{s.Store.For(a)} }

type slowAccountSettings struct{ runs.Jobs }

func (j slowAccountSettings) Settings(ctx context.Context) (settings.Saved, error) {
	saved, err := j.Jobs.Settings(ctx)
	time.Sleep(50 * time.Millisecond)
	return saved, err
}

// TestARunIsReportedWhileItWorks is for the race detector: the reporter reads what the work writes. An undo reads the
// settings between its planning and its verdict.
func TestARunIsReportedWhileItWorks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(1500)...)
	created := h.importAll()
	c := h.config
	c.Tick = time.Millisecond
	c.Jobs = slowSettings{h.store.Jobs()}
	h.worker = importer.NewWorker(c)
	undo := h.undo(created.ID)
	wantState(t, undo, run.Done)
	if left := h.users(); len(left) > 0 {
		t.Errorf("%d users are left", len(left))
	}
}

// blinkingJobs cannot be reached for a number of updates of a run after the first one; then it calls over.
type blinkingJobs struct {
	runs.Store
	calls  *atomic.Int32
	failed int32
	over   func()
}

func (s blinkingJobs) For(a user.Account) runs.Jobs { return blinkingAccountJobs{s.Store.For(a), s} }

type blinkingAccountJobs struct {
	runs.Jobs
	s blinkingJobs
}

func (j blinkingAccountJobs) UpdateRun(
	ctx context.Context, id string, change func(*run.Run) error,
) (run.Run, error) {
	n := j.s.calls.Add(1)
	if n == 1 || n > j.s.failed+1 {
		return j.Jobs.UpdateRun(ctx, id, change)
	}
	if n == j.s.failed+1 {
		j.s.over()
	}
	return run.Run{}, errUnreachable
}

// TestAReadSurvivesAStoreThatBlinks has a directory answer once the progress of the read could not be stored.
func TestAReadSurvivesAStoreThatBlinks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failed int32
		lease  time.Duration
		reads  int
	}{
		"for a moment": {4, time.Minute, 1}, "for longer than it waits": {1 << 20, 50 * time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(people(3)...)
			h.save(importer.SettingsRequest{Connection: connection()})
			r := h.start(importer.SyncRequest{})
			answer := make(chan struct{})
			h.directory.block = answer
			c := h.config
			c.Tick, c.LeaseTime = time.Millisecond, test.lease
			c.Jobs = blinkingJobs{h.store.Jobs(), new(atomic.Int32), test.failed, func() { close(answer) }}
			worker := h.worker
			h.worker = importer.NewWorker(c)
			err := h.deliver()
			if test.failed > 100 {
				if !errors.Is(err, errUnreachable) {
					t.Errorf("error %v, want %v", err, errUnreachable)
				}
				h.worker, h.directory.block = worker, nil
				h.outlast()
				err, test.reads = h.deliver(), test.reads+1
			}
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, h.run(r.ID), run.Done)
			if h.directory.reads != test.reads || len(h.users()) != 6 {
				t.Errorf("%d reads made %d users, want %d and 6", h.directory.reads, len(h.users()), test.reads)
			}
		})
	}
}

// endingJobs dies once the end of a sync is stored.
type endingJobs struct {
	runs.Store
	dead *bool
}

func (s endingJobs) For(a user.Account) runs.Jobs {
	return endingAccountJobs{s.Store.For(a), s.dead}
}

type endingAccountJobs struct {
	runs.Jobs
	dead *bool
}

func (j endingAccountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	r, err := j.Jobs.UpdateRun(ctx, id, change)
	if err == nil && r.Kind == run.KindSync && r.State.Ended() {
		*j.dead = true
	}
	return r, err
}

func (j endingAccountJobs) PutSettings(
	ctx context.Context, s settings.Saved, entries ...runs.AuditEntry,
) (settings.Saved, error) {
	if *j.dead {
		return s, errKilled
	}
	return j.Jobs.PutSettings(ctx, s, entries...)
}

// TestTheSettingsKnowOfEveryEndedSync kills the worker as soon as the end of its sync is stored: whoever sees a sync as
// ended finds it in the settings.
func TestTheSettingsKnowOfEveryEndedSync(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err      error
		state    run.State
		failures int
	}{
		"done": {state: run.Done},
		"failed": {err: &directory.Error{Code: "incomplete_read", Step: "search", Message: "The server stopped early."},
			state: run.Failed, failures: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.save(importer.SettingsRequest{Connection: connection(), IntervalHours: ptr(1)})
			h.directory.set(ann, bob)
			h.directory.err = test.err
			h.clock = h.clock.Add(3 * time.Hour)
			if started, err := h.service.StartDue(t.Context()); err != nil || started != 1 {
				t.Fatalf("started %d, error %v", started, err)
			}
			c := h.config
			c.Jobs = endingJobs{h.store.Jobs(), new(bool)}
			h.worker = importer.NewWorker(c)
			_ = h.deliver()
			saved, err := h.service.Settings(t.Context(), h.id)
			if err != nil {
				t.Fatal(err)
			}
			if saved.LastRun == nil {
				t.Fatal("the settings know of no run")
			}
			wantState(t, *saved.LastRun, test.state)
			if saved.ConsecutiveFailures != test.failures {
				t.Errorf("%d failures in a row, want %d", saved.ConsecutiveFailures, test.failures)
			}
		})
	}
}
