package runs

import (
	"context"
	"time"
)

// Leases make an account's syncs run one at a time, also where a queue delivers a message twice.
type Leases interface {
	// AcquireLease stores l if the account's lease Yields to it, else ErrConflict. Acquiring it again with a later
	// expiry is the heartbeat.
	AcquireLease(ctx context.Context, l Lease, now time.Time) error
	// ReleaseLease removes the lease if l's run and attempt hold it.
	ReleaseLease(ctx context.Context, l Lease) error
}

// Lease says which attempt of which run may write an account's users, and until when if it gives no sign of life. The
// attempt is the fencing token. A later one waits until the lease of an earlier one is over or was released: a worker
// that only stalls may go on at any moment.
type Lease struct {
	RunID     string    `json:"runId"`
	Attempt   int       `json:"attempt"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Yields reports whether a held lease, or none (the zero value), gives way to next.
func (l Lease) Yields(next Lease, now time.Time) bool {
	return l.HeldBy(next.RunID, next.Attempt) || !l.ExpiresAt.After(now)
}

// HeldBy reports whether an attempt of a run holds the lease.
func (l Lease) HeldBy(runID string, attempt int) bool {
	return l.RunID == runID && l.Attempt == attempt
}
