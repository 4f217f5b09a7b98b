package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/jobstore"
)

// leaseTime is how long a sync keeps its account's lease without a heartbeat. The worker's Tick renews it.
const leaseTime = 90 * time.Second

// errLeased means that another sync of the account is at work, or that a later attempt of this one is.
var errLeased = errors.New("another sync of the account is at work")

// lease takes the account's lease for an attempt of a run, or renews it.
func (c Config) lease(ctx context.Context, jobs jobstore.Jobs, runID string, attempt int) error {
	now := c.now()
	err := jobs.AcquireLease(ctx, jobstore.Lease{RunID: runID, Attempt: attempt, ExpiresAt: now.Add(leaseTime)}, now)
	if errors.Is(err, jobstore.ErrConflict) {
		return fmt.Errorf("run %s, attempt %d: %w", runID, attempt, errLeased)
	}
	return err
}
