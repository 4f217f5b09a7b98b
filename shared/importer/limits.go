package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// limit bounds what an account may ask for of one kind.
type limit struct {
	kind string
	// waiting is how many runs of the kind may wait or be at work, 0 for any number.
	waiting int
	// starts is how many may be started within a window.
	starts int
	window time.Duration
	// code and what name it to the caller.
	code, what string
}

const (
	// maxWaiting is how many runs of a kind may wait or be at work.
	maxWaiting = 10
	// waitingRetry is when a caller should try again who has too many that wait: nobody knows when one ends.
	waitingRetry = 10 * time.Second
	// storeTime is how long the request that counted a run may take to store it.
	storeTime = time.Minute
)

// The limits of one account.
func limitOf(kind run.Kind) limit {
	switch kind {
	case run.KindPreview:
		return limit{string(kind), maxWaiting, 60, 10 * time.Minute, "too_many_previews", "previews were started"}
	case run.KindExport:
		// A request writes its export itself, as long as that takes no longer than a request may.
		return limit{string(kind), 0, 120, time.Minute, "too_many_exports", "exports were started"}
	case run.KindExplanation:
		// Each takes a second at most, and whoever looks for several people asks for one after the other.
		return limit{string(kind), 60, 120, time.Minute, "too_many_explanations", "explanations were started"}
	}
	return limit{string(kind), maxWaiting, 120, time.Minute, "too_many_syncs", "syncs were started"}
}

// editLimit bounds edits of the Users List by hand: more than the thousand that the page sends in one go.
func editLimit() limit {
	return limit{"edit", 0, 1200, time.Minute, "too_many_edits", "users were edited"}
}

// admit counts a run that is about to be stored, or refuses it where the account has too many.
func (s *Service) admit(ctx context.Context, jobs runs.Jobs, kind run.Kind, runID string) error {
	l := limitOf(kind)
	waits, err := s.count(ctx, jobs, l, runID, nil)
	if waits == nil || err != nil {
		return err
	}
	// Some may have ended: their records say so.
	ended, err := s.endedOf(ctx, jobs, waits)
	if err != nil {
		return err
	}
	waits, err = s.count(ctx, jobs, l, runID, ended)
	if waits == nil || err != nil {
		return err
	}
	return tooMany("too_many_waiting", waitingRetry,
		"%d %ss of this account wait already. Cancel some, or wait for them to end.", len(waits), kind)
}

// countEdit counts an edit of the Users List by hand, or refuses it.
func (s *Service) countEdit(ctx context.Context, id run.Identity) error {
	_, err := s.count(ctx, s.c.Jobs.For(id.Account), editLimit(), "", nil)
	return err
}

// count counts a start in one step, after it has forgotten the runs that have ended. Where too many runs wait it counts
// nothing and returns them.
func (s *Service) count(
	ctx context.Context, jobs runs.Jobs, l limit, runID string, ended []string,
) (waiting []runs.Opened, err error) {
	err = jobs.Count(ctx, func(c *runs.Counts) error {
		waiting = nil
		now := s.c.now()
		c.Ended(l.kind, ended)
		if l.waiting > 0 {
			if c.IsOpen(l.kind, runID) {
				return runs.ErrUnchanged
			}
			if open := c.Open[l.kind]; len(open) >= l.waiting {
				waiting = open
				return runs.ErrUnchanged
			}
		}
		if wait := c.Started(l.kind, l.starts, l.window, now); wait > 0 {
			return tooMany(l.code, wait,
				"%d %s within %s. Wait a little before the next.", l.starts, l.what, words(l.window))
		}
		if l.waiting > 0 {
			c.Opened(l.kind, runID, now)
		}
		return nil
	})
	if errors.Is(err, runs.ErrUnchanged) {
		err = nil
	}
	return waiting, err
}

// endedOf returns those of some runs that have ended, or that nobody will store any more.
func (s *Service) endedOf(ctx context.Context, jobs runs.Jobs, open []runs.Opened) (ended []string, err error) {
	for _, o := range open {
		r, err := jobs.LeanRun(ctx, o.RunID)
		switch {
		case errors.Is(err, runs.ErrNotFound):
			if s.c.now().Sub(o.At) > storeTime {
				ended = append(ended, o.RunID)
			}
		case err != nil:
			return nil, fmt.Errorf("look whether run %s has ended: %w", o.RunID, err)
		case r.State.Ended():
			ended = append(ended, o.RunID)
		}
	}
	return ended, nil
}

// words is a window of whole minutes as people say it.
func words(window time.Duration) string {
	if window == time.Minute {
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", int(window.Minutes()))
}

func tooMany(code string, retryAfter time.Duration, format string, args ...any) *Error {
	e := problem(TooMany, code, format, args...)
	e.RetryAfter = max(retryAfter, time.Second)
	return e
}
