package importer

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// minutes is how many parts of an hour the accounts' syncs are spread over.
const minutes = 60

// newSchedule is the schedule that saving the settings gives. An unchanged interval keeps its next run; any other puts
// it one interval from now, moved forward to the account's own minute.
func (c core) newSchedule(
	account user.Account, req SettingsRequest, old *settings.Saved, now time.Time,
) *settings.Schedule {
	if req.IntervalHours == nil {
		return nil
	}
	interval := time.Duration(*req.IntervalHours) * c.Hour
	quick := 0
	if req.QuickMinutes != nil {
		quick = *req.QuickMinutes
	}
	if old != nil && old.Schedule != nil && old.Schedule.IntervalHours == *req.IntervalHours &&
		old.Schedule.Paused == req.Paused {
		same := *old.Schedule
		same.QuickMinutes = quick
		return &same
	}
	schedule := &settings.Schedule{
		IntervalHours: *req.IntervalHours, QuickMinutes: quick, Paused: req.Paused,
		NextRunAt: c.ownMinute(account, now.Add(interval)),
	}
	if old != nil && old.Schedule != nil && old.Schedule.IntervalHours == schedule.IntervalHours {
		schedule.NextRunAt = old.Schedule.NextRunAt
		if old.Schedule.Paused && !schedule.Paused {
			// What became due while the schedule was paused is not made up for.
			schedule.NextRunAt = nextSlot(schedule.NextRunAt, interval, now)
		}
	}
	// The next run has an interval's time, too.
	schedule.MissedAt = schedule.NextRunAt.Add(interval)
	if schedule.Paused {
		schedule.PausedReason, schedule.PausedAt = byHand, now
	}
	return schedule
}

// ownMinute moves t forward to the account's minute of the hour, so that a thousand accounts do not start at once.
func (c core) ownMinute(account user.Account, t time.Time) time.Time {
	hash := fnv.New32a()
	hash.Write([]byte(account))
	minute := time.Duration(hash.Sum32()%minutes) * (c.Hour / minutes)
	own := t.Truncate(c.Hour).Add(minute)
	if own.Before(t) {
		own = own.Add(c.Hour)
	}
	return own
}

// nextSlot returns the first slot after now. The slots are counted from the time that was due, and not from the time
// that something was done, so that a schedule keeps its rhythm; all that were missed are one.
func nextSlot(due time.Time, interval time.Duration, now time.Time) time.Time {
	if due.After(now) {
		return due
	}
	return due.Add((now.Sub(due)/interval + 1) * interval)
}

// StartDue starts the sync of every schedule that is due, and returns how many it started. Several may run at once:
// each slot is taken by one. An account that fails is logged, and the others go on; the error says how many failed.
func (s *Service) StartDue(ctx context.Context) (started int, err error) {
	return s.startEach(ctx, "sync", s.c.Jobs.Due, func(ctx context.Context, account user.Account) (bool, error) {
		started, err := s.startDueOf(ctx, account)
		if errors.Is(err, runs.ErrConflict) || errors.Is(err, runs.ErrNotFound) {
			// Somebody else took the slot, or saved or deleted the settings: the next tick looks at them again.
			return false, nil
		}
		return started, err
	})
}

// startEach starts what is due, account by account. What fails is logged as "a due sync cannot be started", or "a due
// look cannot be started".
func (s *Service) startEach(
	ctx context.Context, what string, due func(context.Context, time.Time, int) ([]user.Account, error),
	start func(context.Context, user.Account) (bool, error),
) (started int, err error) {
	now := s.c.now()
	list := func(limit int) ([]user.Account, error) { return due(ctx, now, limit) }
	started, err = walk(ctx, list, func(account user.Account) (bool, error) {
		started, err := start(ctx, account)
		if err != nil {
			s.c.failed(ctx, "a due "+what+" cannot be started", account, err)
			err = fmt.Errorf("account %q: %w", account, err)
		}
		return started, err
	})
	if err != nil {
		err = fmt.Errorf("start due %ss: %w", what, err)
	}
	return started, err
}

// startDueOf moves an account's schedule to its next slot and starts the sync of the one that is due, in one step. A
// sync that the schedule started before and that is still going is not doubled: then only the slot moves.
func (s *Service) startDueOf(ctx context.Context, account user.Account) (started bool, err error) {
	jobs := s.c.Jobs.For(account)
	saved, err := jobs.Settings(ctx)
	if err != nil {
		return false, err
	}
	now := s.c.now()
	if saved.Schedule == nil || saved.Schedule.Paused {
		return false, runs.ErrConflict
	}
	if saved.Schedule.IntervalHours < 1 {
		return false, fmt.Errorf("the schedule's interval is %d hours", saved.Schedule.IntervalHours)
	}
	schedule, interval := *saved.Schedule, time.Duration(saved.Schedule.IntervalHours)*s.c.Hour
	saved.Schedule = &schedule
	missed, err := s.c.tellMissed(ctx, account, jobs, &saved, now)
	if err != nil {
		return false, err
	}
	ahead := schedule.NextRunAt.Sub(now)
	switch {
	case ahead > interval+s.c.Hour:
		// The clock was wrong when the slot was chosen. It moves back by whole intervals.
		schedule.NextRunAt = schedule.NextRunAt.Add(-ahead / interval * interval)
	case ahead <= 0:
		schedule.NextRunAt = nextSlot(schedule.NextRunAt, interval, now)
		return s.startSlot(ctx, account, jobs, saved)
	case !missed:
		return false, runs.ErrConflict
	}
	_, err = jobs.PutSettings(ctx, saved)
	return false, err
}

// startSlot starts the sync of a slot, and stores the schedule, which waits for the next one already.
func (s *Service) startSlot(
	ctx context.Context, account user.Account, jobs runs.Jobs, saved settings.Saved,
) (started bool, err error) {
	going, err := scheduledRunGoing(ctx, jobs, saved.ScheduledRunID)
	if err != nil {
		return false, err
	}
	if going != "" {
		saved.ScheduledRunID = going
		_, err := jobs.PutSettings(ctx, saved)
		return false, err
	}
	r := scheduledRun(saved, run.TriggerSchedule, s.c.NewID(), s.c.now())
	saved.ScheduledRunID = r.ID
	r, err = jobs.TakeSlot(ctx, saved, r)
	if errors.Is(err, runs.ErrTooLarge) {
		return false, errors.Join(err, s.setAside(ctx, account, jobs, saved, r))
	}
	if err != nil {
		return false, err
	}
	return true, s.c.Queue.Send(ctx, message(account, &r))
}

// scheduledRun is the sync that a schedule, or one of its looks, makes of the settings.
func scheduledRun(saved settings.Saved, trigger run.Trigger, id string, now time.Time) run.Run {
	return run.Run{
		ID: id, Kind: run.KindSync, State: run.Queued, Trigger: trigger, StartedBy: "schedule",
		CreatedAt: now, Import: saved.Import, SealedPassword: saved.SealedPassword,
	}
}

// setAside takes the slot with a run that failed, without what makes the one that was meant too large to be stored:
// the account's people see it in their history, and its schedule is not looked at again before the next slot. Settings
// that are saved now cannot come to this (Service.fits).
func (s *Service) setAside(
	ctx context.Context, account user.Account, jobs runs.Jobs, saved settings.Saved, r run.Run,
) error {
	now := s.c.now()
	r.State, r.StartedAt, r.FinishedAt, r.SealedPassword, r.Applied = run.Failed, now, now, nil, new(run.Applied)
	r.Import.Advanced, r.Import.Connection.CACertificate = settings.Advanced{}, ""
	r.Failure = &run.Failure{
		Code: "settings_too_large",
		Message: "The saved settings are too large for a sync to be stored. Save them with fewer exclusions: " +
			"exclude whole domains (*@example.com) in place of their addresses, or use a filter.",
	}
	e := ending{run: r, state: r.State, failure: r.Failure, at: r.FinishedAt}
	e.noteIn(&saved)
	s.c.noteRan(&saved, e.at)
	if _, err := jobs.TakeSlot(ctx, saved, r); err != nil {
		return err
	}
	// Whoever dies before it leaves the news to the next slot's sync.
	return s.c.tellEnding(ctx, account, jobs, e, func() error { return nil })
}

// scheduledRunGoing returns the sync that the schedule started and that has not ended, or nothing. Settings that an
// earlier build stored do not name it: then it is looked for among the newest syncs.
func scheduledRunGoing(ctx context.Context, jobs runs.Jobs, id string) (string, error) {
	if id == "" {
		return listedRunGoing(ctx, jobs)
	}
	r, err := jobs.LeanRun(ctx, id)
	if errors.Is(err, runs.ErrNotFound) || err == nil && r.State.Ended() {
		return "", nil
	}
	return id, err
}

func listedRunGoing(ctx context.Context, jobs runs.Jobs) (string, error) {
	page, err := jobs.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 20})
	if err != nil {
		return "", err
	}
	for i := range page.Runs {
		if r := &page.Runs[i]; r.Trigger == run.TriggerSchedule && !r.State.Ended() {
			return r.ID, nil
		}
	}
	return "", nil
}
