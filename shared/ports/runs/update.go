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
	for try := range updateTries {
		if try > 0 {
			if err := wait(ctx, updatePause<<try); err != nil {
				return settings.Saved{}, err
			}
		}
		s, err := jobs.Settings(ctx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return settings.Saved{}, err
		}
		if err := change(&s); err != nil {
			return s, err
		}
		if s, err = jobs.PutSettings(ctx, s); !errors.Is(err, ErrConflict) {
			return s, err
		}
	}
	return settings.Saved{}, fmt.Errorf("update the settings: %w", ErrBusy)
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
