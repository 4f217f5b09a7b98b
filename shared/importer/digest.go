package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// day is how long a state lasts before a digest tells of it again, and how far apart an account's digests are.
func (c core) day() time.Duration { return 24 * c.Hour }

// within reports whether at is less than d ago. What lies ahead of now, as a wrong clock leaves it, is not.
func within(d time.Duration, at, now time.Time) bool {
	since := now.Sub(at)
	return 0 <= since && since < d
}

// tellDigest sums up syncs that keep ending as it was told a day ago or more. told is what was told before this one
// ended. Where the schedule is paused or the settings are deleted, somebody knows. stands is as in tellEnding.
func (c core) tellDigest(
	ctx context.Context, account user.Account, jobs runs.Jobs, told run.Told, e *ending, stands func() error,
) error {
	if told.State != e.state || within(c.day(), told.Since, e.at) {
		return nil
	}
	saved, err := jobs.Settings(ctx)
	if errors.Is(err, runs.ErrNotFound) || err == nil && saved.Schedule != nil && saved.Schedule.Paused {
		return nil
	}
	if err != nil {
		return err
	}
	event := e.event(account, e.state, told)
	event.ID += "/digest"
	told, claimed, err := c.claimDigest(ctx, jobs, event.ID, e.at, stands)
	if err != nil || !claimed {
		return err
	}
	event.Data.Since, event.Data.Syncs, event.Digest = told.Since, told.Syncs, notify.SameReason
	if told.Code != e.code() {
		event.Digest = notify.OtherReason
	}
	return c.Notifier.Tell(ctx, account, event)
}

// tellMissedDigest tells once more, at the slot that is due, that no full sync ends.
func (c core) tellMissedDigest(
	ctx context.Context, account user.Account, jobs runs.Jobs, saved *settings.Saved, now time.Time,
) error {
	s := saved.Schedule
	if s.NextRunAt.After(now) || within(c.day(), s.MissedAt, now) {
		return nil
	}
	event := c.missedEvent(account, saved, now)
	event.ID = fmt.Sprintf("%s/digest/%s", event.ID, s.NextRunAt.UTC().Format(time.RFC3339Nano))
	told, claimed, err := c.claimDigest(ctx, jobs, event.ID, now, func() error { return nil })
	if err != nil || !claimed {
		return err
	}
	// That the first one was missed may not be told yet.
	if err := c.tellNoted(ctx, account, jobs, told.Untold); err != nil {
		return err
	}
	event.Digest = notify.SameReason
	return c.Notifier.Tell(ctx, account, event)
}

// claimDigest notes that a digest is told, and reports whether it may be: not within a day of what was told before. It
// is noted first, so that of several that try one tells it; whoever repeats the same one may tell it again, which is
// not delivered twice.
func (c core) claimDigest(
	ctx context.Context, jobs runs.Jobs, id string, now time.Time, stands func() error,
) (told run.Told, claimed bool, err error) {
	_, err = jobs.UpdateTold(ctx, func(t *run.Told) error {
		claimed = t.Digest == id
		if told = *t; claimed || within(c.day(), t.ToldAt, now) {
			return runs.ErrUnchanged
		}
		claimed, t.Digest, t.ToldAt = true, id, now
		return stands()
	})
	return told, claimed, unlessUnchanged(err)
}
