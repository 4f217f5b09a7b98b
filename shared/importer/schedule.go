package importer

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// dueBatch is how many due accounts are looked up at a time.
const dueBatch = 100

// minutes is how many parts of an hour the accounts' syncs are spread over.
const minutes = 60

// newSchedule is the schedule that saving the settings gives. An unchanged interval keeps its next run; any other puts it
// one interval from now, moved forward to the account's own minute.
func (c Config) newSchedule(account user.Account, req SettingsRequest, old *settings.Saved, now time.Time) *settings.Schedule {
	if req.IntervalHours == nil {
		return nil
	}
	interval := time.Duration(*req.IntervalHours) * c.Hour
	schedule := &settings.Schedule{IntervalHours: *req.IntervalHours, NextRunAt: c.ownMinute(account, now.Add(interval)), Paused: req.Paused}
	if old != nil && old.Schedule != nil && old.Schedule.IntervalHours == schedule.IntervalHours {
		schedule.NextRunAt = old.Schedule.NextRunAt
		if old.Schedule.Paused && !schedule.Paused {
			// What became due while the schedule was paused is not made up for.
			schedule.NextRunAt = nextSlot(schedule.NextRunAt, interval, now)
		}
	}
	if schedule.Paused {
		schedule.PausedReason = "paused with the settings"
	}
	return schedule
}

// ownMinute moves t forward to the account's minute of the hour, so that a thousand accounts do not start at once.
func (c Config) ownMinute(account user.Account, t time.Time) time.Time {
	hash := fnv.New32a()
	hash.Write([]byte(account))
	minute := time.Duration(hash.Sum32()%minutes) * (c.Hour / minutes)
	own := t.Truncate(c.Hour).Add(minute)
	if own.Before(t) {
		own = own.Add(c.Hour)
	}
	return own
}

// nextSlot returns the first slot after now. The slots are counted from the time that was due, and not from the time that
// something was done, so that a schedule keeps its rhythm; all that were missed are one.
func nextSlot(due time.Time, interval time.Duration, now time.Time) time.Time {
	if due.After(now) {
		return due
	}
	return due.Add((now.Sub(due)/interval + 1) * interval)
}

// StartDue starts the sync of every schedule that is due, and returns how many it started. Several may run at once: each slot
// is claimed by one.
func (s *Service) StartDue(ctx context.Context) (started int, err error) {
	for {
		accounts, err := s.c.Jobs.Due(ctx, s.c.now(), dueBatch)
		if err != nil {
			return started, fmt.Errorf("look for due schedules: %w", err)
		}
		claimed := 0
		for _, account := range accounts {
			run, err := s.claimDue(ctx, account)
			switch {
			case errors.Is(err, runs.ErrConflict), errors.Is(err, runs.ErrNotFound):
				// Somebody else claimed the slot, or saved or deleted the settings: they are looked at again.
				continue
			case err != nil:
				return started, fmt.Errorf("start the due sync of %q: %w", account, err)
			}
			claimed++
			if run != "" {
				started++
			}
		}
		if len(accounts) < dueBatch || claimed == 0 {
			return started, nil
		}
	}
}

// claimDue moves an account's schedule to its next slot and starts the sync of the one that is due, in one step. A sync that
// the schedule started before and that is still going is not doubled: then only the slot moves.
func (s *Service) claimDue(ctx context.Context, account user.Account) (runID string, err error) {
	jobs := s.c.Jobs.For(account)
	saved, err := jobs.Settings(ctx)
	if err != nil {
		return "", err
	}
	now := s.c.now()
	if saved.Schedule == nil || saved.Schedule.Paused || saved.Schedule.NextRunAt.After(now) {
		return "", runs.ErrConflict
	}
	schedule := *saved.Schedule
	schedule.NextRunAt = nextSlot(schedule.NextRunAt, time.Duration(schedule.IntervalHours)*s.c.Hour, now)
	saved.Schedule = &schedule
	going, err := scheduledRunGoing(ctx, jobs)
	if err != nil {
		return "", err
	}
	if going {
		_, err := jobs.PutSettings(ctx, saved)
		return "", err
	}
	r := run.Run{
		ID: s.c.NewID(), Kind: run.KindSync, State: run.Queued, Trigger: run.TriggerSchedule, StartedBy: "schedule", CreatedAt: now,
		Import: saved.Import, SealedPassword: saved.SealedPassword,
	}
	if r, err = jobs.Claim(ctx, saved, r); err != nil {
		return "", err
	}
	return r.ID, s.c.Queue.Send(ctx, queue.Message{Task: queue.TaskSync, Account: account, RunID: r.ID})
}

// scheduledRunGoing tells whether a sync that the schedule started has not ended.
func scheduledRunGoing(ctx context.Context, jobs runs.Jobs) (bool, error) {
	page, err := jobs.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 20})
	if err != nil {
		return false, err
	}
	for i := range page.Runs {
		if r := &page.Runs[i]; r.Trigger == run.TriggerSchedule {
			return !r.State.Ended(), nil
		}
	}
	return false, nil
}
