package runs

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrHeld means that another run holds the account's lease, and that the run that asked for it is noted as waiting.
var ErrHeld = errors.New("another run holds the lease")

const (
	// maxWaiters is how many waiting runs a lease remembers, and waiterLifetime how long. A run that is forgotten is
	// found when it is overdue.
	maxWaiters     = 32
	waiterLifetime = 30 * time.Minute
)

// Leases make an account's syncs run one at a time, also where two queues hand them out, or one twice.
type Leases interface {
	// AcquireLease stores l if the account's lease yields to it. Acquiring it again with a later expiry is the
	// heartbeat. Where another attempt of the same run holds it, the error is ErrConflict. Where another run does, the
	// error is ErrHeld, and the same write has noted that l's run waits.
	AcquireLease(ctx context.Context, l Lease, now time.Time) error
	// ReleaseLease gives the lease up if l's run and attempt hold it, and returns the runs that wait for it. They stay
	// noted until they hold the lease themselves: whoever dies before it has told them leaves that to the next.
	ReleaseLease(ctx context.Context, l Lease) ([]Waiter, error)
}

// Lease says which attempt of which run may write an account's users, and until when if it gives no sign of life. The
// attempt is the fencing token. A later one waits until the lease of an earlier one is over or was released: a worker
// that only stalls may go on at any moment.
type Lease struct {
	RunID     string    `json:"runId"`
	Attempt   int       `json:"attempt"`
	ExpiresAt time.Time `json:"expiresAt"`
	// Waiting are the runs that asked while another one held the lease, in that order. Turns counts how often any did.
	Waiting []Waiter `json:"waiting,omitempty"`
	Turns   int      `json:"turns,omitempty"`
}

// Waiter is a run that waits for the lease of another. Turn is a number that no other wait in the account has.
type Waiter struct {
	RunID string    `json:"runId"`
	Turn  int       `json:"turn"`
	At    time.Time `json:"at"`
}

// Yields reports whether a held lease, or none (the zero value), gives way to next.
func (l Lease) Yields(next Lease, now time.Time) bool {
	return l.HeldBy(next.RunID, next.Attempt) || !l.ExpiresAt.After(now)
}

// HeldBy reports whether an attempt of a run holds the lease.
func (l Lease) HeldBy(runID string, attempt int) bool {
	return l.RunID == runID && l.Attempt == attempt
}

// After returns what is stored in place of l once next has asked for it, and the error for whoever asked. With
// ErrConflict nothing changes.
func (l Lease) After(next Lease, now time.Time) (Lease, error) {
	waiting := slices.DeleteFunc(slices.Clone(l.Waiting), func(w Waiter) bool {
		return w.RunID == next.RunID || now.Sub(w.At) > waiterLifetime
	})
	switch {
	case l.Yields(next, now):
		next.Waiting, next.Turns = waiting, l.Turns
		return next, nil
	case l.RunID == next.RunID:
		return l, ErrConflict
	}
	l.Turns++
	waiting = append(waiting, Waiter{RunID: next.RunID, Turn: l.Turns, At: now})
	l.Waiting = waiting[max(0, len(waiting)-maxWaiters):]
	return l, ErrHeld
}

// Released returns what is stored in place of a lease that was given up.
func (l Lease) Released() Lease { return Lease{Waiting: l.Waiting, Turns: l.Turns} }
