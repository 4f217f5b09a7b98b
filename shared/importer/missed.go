package importer

import (
	"context"
	"time"

	"rollcall/shared/notify"
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
// stores. It reports whether there is something to store. Where it cannot be told, the next tick tries again: that keeps
// no sync from starting.
func (c core) tellMissed(
	ctx context.Context, account user.Account, saved *settings.Saved, now time.Time,
) (noted bool) {
	s := saved.Schedule
	latest := c.missedAfter(s, now)
	switch {
	case s.MissedAt.IsZero(), s.MissedAt.After(latest.Add(c.Hour)):
		// An earlier build stored it, or a clock that was wrong. It is stored with the next slot.
		s.MissedAt, s.Missed = latest, false
		return false
	case s.Missed, s.MissedAt.After(now):
		return false
	}
	if c.Notifier != nil {
		at := s.MissedAt.UTC()
		event := notify.New(notify.SyncMissed, "missed/"+at.Format(time.RFC3339Nano), account, "schedule", now)
		d := &event.Data
		d.SyncID, d.IntervalHours = saved.LastSyncID, s.IntervalHours
		d.Since = at.Add(-2 * time.Duration(s.IntervalHours) * c.Hour)
		if err := c.Notifier.Tell(ctx, account, event); err != nil {
			c.failed(ctx, "a missed sync cannot be told", account, err)
			return false
		}
	}
	s.Missed = true
	return true
}
