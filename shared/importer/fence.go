package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
)

const (
	// leaseTime is how long a sync keeps its account's lease without a heartbeat. The worker's Tick renews it. It is
	// shorter than the time after which a queue hands out the message of a dead worker again, less that time's own
	// heartbeat.
	leaseTime = time.Minute
	// leaseMargin is how long before the lease is over the last write is sent: other machines' clocks differ.
	leaseMargin = 10 * time.Second
)

// errLeased means that another sync of the account is at work, or that another attempt of this one is.
var errLeased = errors.New("another sync of the account is at work")

// lease takes the account's lease for an attempt of a run, or renews it. It returns the time, with a monotonic clock
// reading, until which the attempt may write.
func (c core) lease(ctx context.Context, jobs runs.Jobs, runID string, attempt int) (until time.Time, err error) {
	now, asked := c.now(), time.Now()
	err = jobs.AcquireLease(ctx, runs.Lease{RunID: runID, Attempt: attempt, ExpiresAt: now.Add(leaseTime)}, now)
	if errors.Is(err, runs.ErrConflict) {
		return until, fmt.Errorf("run %s, attempt %d: %w", runID, attempt, errLeased)
	}
	return asked.Add(leaseTime - leaseMargin), err
}

// renewLease takes the account's lease for some more time.
func (j *job) renewLease(ctx context.Context) error {
	until, err := j.lease(ctx, j.jobs, j.run.ID, j.run.Attempts)
	if err == nil {
		j.set(func() { j.leased = until })
	}
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
