package runs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"rollcall/shared/settings"
)

const (
	// updateTries is how often a change is tried, updatePause the longest wait before the second try; it doubles.
	updateTries = 12
	updatePause = 5 * time.Millisecond
)

// UpdateSettings reads the saved settings, lets change alter them, and stores them; again, after a growing pause, where
// somebody else stored them meanwhile, so change may be called more than once. Where nothing is stored change gets the
// zero value, whose Revision is 0. What change returns ends the update without a write.
func UpdateSettings(ctx context.Context, jobs Jobs, change func(*settings.Saved) error) (settings.Saved, error) {
	return EditSettings(ctx, jobs, func(s *settings.Saved) ([]AuditEntry, error) { return nil, change(s) })
}

// EditSettings is UpdateSettings for a change that somebody makes by hand: what change returns about it is stored with
// the settings, in one step.
func EditSettings(
	ctx context.Context, jobs Jobs, change func(*settings.Saved) ([]AuditEntry, error),
) (s settings.Saved, err error) {
	err = Retry(ctx, func() error {
		s, err = jobs.Settings(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		entries, err := change(&s)
		if err != nil {
			return err
		}
		s, err = jobs.PutSettings(ctx, s, entries...)
		return err
	})
	return s, err
}

// RemoveSettings deletes the saved settings and stores what entry says about it, in one step. It returns what they
// were, or ErrNotFound.
func RemoveSettings(
	ctx context.Context, jobs Jobs, entry func(settings.Saved) AuditEntry,
) (s settings.Saved, err error) {
	err = Retry(ctx, func() error {
		if s, err = jobs.Settings(ctx); err != nil {
			return err
		}
		return jobs.DeleteSettings(ctx, s, entry(s))
	})
	return s, err
}

// NextRevision is the revision of settings that are stored over those with a revision, 0 for none. A first one is the
// time in Unix milliseconds, so that settings that were deleted and saved again do not come to one that somebody still
// holds.
func NextRevision(stored int64, now time.Time) int64 { return max(stored+1, now.UnixMilli()) }

// Retry calls try again, after a growing pause, while it returns ErrConflict: somebody else was quicker. In the end it
// returns ErrBusy.
func Retry(ctx context.Context, try func() error) error {
	for n := range updateTries {
		if n > 0 {
			if err := Wait(ctx, rand.N(updatePause<<n)); err != nil { //nolint:gosec // nobody gains from guessing it
				return err
			}
		}
		if err := try(); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("store a change: %w", ErrBusy)
}

// Wait waits until d is over, or returns why ctx ended before.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
