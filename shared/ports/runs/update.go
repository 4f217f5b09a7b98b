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
	// updateTries is how often an update is tried, updatePause the longest wait before the second try; it doubles.
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
	err = untilStored(ctx, func() (store func() error, err error) {
		s, err = jobs.Settings(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		entries, err := change(&s)
		return func() (err error) { s, err = jobs.PutSettings(ctx, s, entries...); return err }, err
	})
	return s, err
}

// RemoveSettings deletes the saved settings and stores what entry says about it, in one step. It returns what they
// were, or ErrNotFound.
func RemoveSettings(
	ctx context.Context, jobs Jobs, entry func(settings.Saved) AuditEntry,
) (s settings.Saved, err error) {
	err = untilStored(ctx, func() (store func() error, err error) {
		s, err = jobs.Settings(ctx)
		return func() error { return jobs.DeleteSettings(ctx, s, entry(s)) }, err
	})
	return s, err
}

// NextRevision is the revision of settings that are stored over those with a revision, 0 for none. A first one is the
// time in Unix milliseconds, so that settings that were deleted and saved again do not come to one that somebody still
// holds.
func NextRevision(stored int64, now time.Time) int64 { return max(stored+1, now.UnixMilli()) }

// untilStored calls prepare, whose error ends it, and then what it returned; both again where that was a conflict.
func untilStored(ctx context.Context, prepare func() (store func() error, err error)) error {
	for try := range updateTries {
		if try > 0 {
			if err := wait(ctx, updatePause<<try); err != nil {
				return err
			}
		}
		store, err := prepare()
		if err != nil {
			return err
		}
		if err := store(); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("store a change: %w", ErrBusy)
}

// wait waits for a random time up to a limit.
func wait(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(rand.N(most)) //nolint:gosec // nobody gains from guessing it
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
