package importer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rollcall/shared/user"
)

const (
	// walkBatch is how many things are listed at first.
	walkBatch = 100
	// walkers is how many visits are under way at a time: nearly all of one is waiting for the stores.
	walkers = 16
	// walkMargin is how long before its context's deadline a walk starts no more visits, so that those under way can
	// end.
	walkMargin = 10 * time.Second
	// walkErrors is how many errors a walk returns; the log has them all.
	walkErrors = 5
)

// errLeft means that a walk ran out of time.
var errLeft = errors.New("the time is up")

// walk visits what list finds, several at a time and each once, and goes on past those that fail: one account must not
// stop the others. It returns how many visits did something, and one error for all that failed. list returns the first
// things up to a limit. What was visited may still be among them, so the limit grows; what it cannot read it leaves
// out, with an error.
func walk[T comparable](
	ctx context.Context, list func(limit int) ([]T, error), visit func(T) (bool, error),
) (did int, err error) {
	var sum outcome
	visited := make(map[T]bool)
	for more := true; more; {
		limit := walkBatch + len(visited)
		found, err := list(limit)
		if sum.unlisted == nil {
			// What a store sets aside is missing from its first list only.
			sum.unlisted = err
		}
		more = false
		var running sync.WaitGroup
		slots := make(chan struct{}, walkers)
		for _, thing := range found {
			if visited[thing] {
				continue
			}
			slots <- struct{}{}
			if !timeLeft(ctx) {
				<-slots
				sum.left++
				continue
			}
			visited[thing] = true
			more = len(found) >= limit
			running.Go(func() {
				defer func() { <-slots }()
				sum.note(visit(thing))
			})
		}
		running.Wait()
		more = more && sum.left == 0
	}
	return sum.did, sum.err(len(visited))
}

// failed tells of an account whose visit failed: whoever is alarmed by the walk's error finds the account there.
func (c core) failed(ctx context.Context, what string, account user.Account, err error, args ...any) {
	c.Log.ErrorContext(ctx, what, append(args, "account", account, "error", err)...)
	if c.Failed != nil {
		c.Failed(ctx, account)
	}
}

// timeLeft reports whether ctx goes on for longer than the margin.
func timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(deadline) > walkMargin)
}

// outcome counts what became of a walk's visits.
type outcome struct {
	mu                sync.Mutex
	did, failed, left int
	first             []error
	unlisted          error
}

// note adds a visit.
func (o *outcome) note(did bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if did {
		o.did++
	}
	if err == nil {
		return
	}
	o.failed++
	if len(o.first) < walkErrors {
		o.first = append(o.first, err)
	}
}

// err is the walk's error, nil where all went well.
func (o *outcome) err(visited int) error {
	var failed, left error
	if o.failed > 0 {
		failed = fmt.Errorf("%d of %d failed, the first of them: %w", o.failed, visited, errors.Join(o.first...))
	}
	if o.left > 0 {
		left = fmt.Errorf("%w: at least %d are left", errLeft, o.left)
	}
	return errors.Join(o.unlisted, failed, left)
}
