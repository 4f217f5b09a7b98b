package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// leaseMargin is the part of the lease's time that is left when the last write is sent: a sixth. Other machines' clocks
// differ, and the last write takes its time.
const leaseMargin = 6

var (
	// errLeased means that another attempt of the run is at work.
	errLeased = errors.New("another attempt of the run is at work")
	// errWaits means that another sync of the account is at work. Whoever ends that one sends this one again.
	errWaits = errors.New("another sync of the account is at work")
)

// lease takes the account's lease for an attempt of a run, or renews it. It returns the time, with a monotonic clock
// reading, until which the attempt may write.
func (c core) lease(ctx context.Context, jobs runs.Jobs, runID string, attempt int) (until time.Time, err error) {
	now, asked := c.now(), time.Now()
	err = jobs.AcquireLease(ctx, runs.Lease{RunID: runID, Attempt: attempt, ExpiresAt: now.Add(c.LeaseTime)}, now)
	switch {
	case errors.Is(err, runs.ErrConflict):
		return until, fmt.Errorf("run %s, attempt %d: %w", runID, attempt, errLeased)
	case errors.Is(err, runs.ErrHeld):
		return until, fmt.Errorf("run %s, attempt %d: %w", runID, attempt, errWaits)
	}
	return asked.Add(c.LeaseTime - c.LeaseTime/leaseMargin), err
}

// release gives the account's lease up and sends the syncs again that wait for it. Where that fails, or where the
// worker dies before it, whoever holds the lease next does it, or the tick once they are overdue.
func (c core) release(ctx context.Context, account user.Account, runID string, attempt int) error {
	jobs := c.Jobs.For(account)
	waiting, err := jobs.ReleaseLease(ctx, runs.Lease{RunID: runID, Attempt: attempt})
	if err != nil {
		return fmt.Errorf("release the lease of run %s: %w", runID, err)
	}
	for _, w := range waiting {
		r, err := jobs.LeanRun(ctx, w.RunID)
		if errors.Is(err, runs.ErrNotFound) || err == nil && r.State.Ended() {
			continue
		}
		if err == nil {
			m := message(account, &r)
			m.Again = w.Turn
			err = c.Queue.Send(ctx, m)
		}
		if err != nil {
			c.Log.ErrorContext(ctx, "a sync that waits cannot be sent again yet",
				"account", account, "run", w.RunID, "error", err)
		}
	}
	return nil
}

// message asks a worker to go on with a run.
func message(account user.Account, r *run.Run) queue.Message {
	return queue.Message{
		Task: queue.Task(r.Kind), Account: account, RunID: r.ID, Slice: r.Slice,
		Scheduled: r.Trigger == run.TriggerSchedule || r.Trigger == run.TriggerQuick,
	}
}

// renewLease takes the account's lease for some more time.
func (j *job) renewLease(ctx context.Context) error {
	until, err := j.lease(ctx, j.jobs, j.run.ID, j.run.Attempts)
	if err == nil {
		j.set(func() { j.leased = until })
	}
	return err
}

// leaseIsOver returns errReplaced where a sync's lease, as it was renewed last, is over: its worker stalled, and
// another one may have taken the run up. Whoever does notes what belongs beside the run's record.
func (j *job) leaseIsOver() (err error) {
	j.set(func() {
		if j.run.Kind == run.KindSync && time.Now().After(j.leased) {
			err = fmt.Errorf("attempt %d of run %s, whose lease is over: %w", j.run.Attempts, j.run.ID, errReplaced)
		}
	})
	return err
}

// fence lets the job write users as long as it holds the account's lease.
func (j *job) fence() users.Fence {
	return users.Fence{RunID: j.run.ID, Attempt: j.run.Attempts, Until: func() (until time.Time) {
		j.set(func() { until = j.leased })
		return until
	}}
}

// objectKey is where the job stores its plan below a prefix. Each attempt has a key of its own, so that one that was
// replaced overwrites nothing; the record names the key that counts.
func (j *job) objectKey(prefix string) string {
	return fmt.Sprintf("%s%s.%d", prefix, j.run.ID, j.run.Attempts)
}
