package importer

import (
	"context"
	"fmt"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// missedAfter is when a schedule counts as missed after a full sync ended at a time.
func (c core) missedAfter(s *settings.Schedule, at time.Time) time.Time {
	return at.Add(2 * time.Duration(s.IntervalHours) * c.Hour)
}

// noteRan notes that a full sync of the settings ended.
func (c core) noteRan(s *settings.Saved, at time.Time) {
	if s.Schedule == nil {
		return
	}
	schedule := *s.Schedule
	schedule.MissedAt, schedule.Missed = c.missedAfter(&schedule, at), false
	s.Schedule = &schedule
}

// tellMissed tells that no full sync ended in twice the interval, once, and notes it in the schedule, which the caller
// stores. It reports whether there is something to store. While that lasts, a digest a day tells it again.
func (c core) tellMissed(
	ctx context.Context, account user.Account, jobs runs.Jobs, saved *settings.Saved, now time.Time,
) (noted bool, err error) {
	s := saved.Schedule
	latest := c.missedAfter(s, now)
	switch {
	case s.MissedAt.IsZero(), s.MissedAt.After(latest.Add(c.Hour)):
		// An earlier build stored it, or a clock that was wrong. It is stored with the next slot.
		s.MissedAt, s.Missed = latest, false
		return false, nil
	case s.Missed && c.Notifier != nil:
		if err := c.tellMissedDigest(ctx, account, jobs, saved, now); err != nil {
			// The next digest comes a day later.
			c.failed(ctx, "that syncs are still missed cannot be told", account, err)
		}
		return false, nil
	case s.Missed, s.MissedAt.After(now):
		return false, nil
	}
	s.Missed = true
	if c.Notifier == nil {
		return true, nil
	}
	event := c.missedEvent(account, saved, now)
	// The note outlasts a tick that dies, and the next sync, before which this has to be told.
	u, err := untold(event, now)
	if err != nil {
		return false, err
	}
	_, err = jobs.UpdateTold(ctx, func(t *run.Told) error {
		t.Forget(u.ID)
		t.Untold, t.ToldAt = append(t.Untold, u), now
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("note that a sync was missed: %w", err)
	}
	if err := c.tellNoted(ctx, account, jobs, []run.Untold{u}); err != nil {
		// That keeps no sync from starting, and that one's end tells it.
		c.failed(ctx, "a missed sync cannot be told yet", account, err)
	}
	return true, nil
}

// missedEvent is the event that tells that no full sync ended in twice the interval.
func (c core) missedEvent(account user.Account, saved *settings.Saved, now time.Time) notify.Event {
	at := saved.Schedule.MissedAt.UTC()
	event := notify.New(notify.SyncMissed, "missed/"+at.Format(time.RFC3339Nano), account, "schedule", now)
	d := &event.Data
	d.SyncID, d.IntervalHours = saved.LastSyncID, saved.Schedule.IntervalHours
	d.Since = at.Add(-2 * time.Duration(d.IntervalHours) * c.Hour)
	return event
}
