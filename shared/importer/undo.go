package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// planUndo stores the inverse of what the run named by UndoOf applied, held against the users as they are now.
func (j *job) planUndo(ctx context.Context, key string) error {
	undone, err := j.jobs.Run(ctx, j.run.UndoOf)
	if err != nil {
		return fmt.Errorf("read sync %s: %w", j.run.UndoOf, err)
	}
	journal, err := j.openJournal(ctx, j.account, undone)
	if errors.Is(err, objects.ErrNotFound) {
		return &run.Failure{Code: codeJournalExpired, Message: journalExpired}
	}
	if err != nil {
		return err
	}
	defer journal.Close()
	stored, err := j.loadUsers(ctx)
	if err != nil {
		return err
	}
	j.set(func() { j.progress.Phase = run.PhasePlanning })
	applied, failed := journal.applied(ctx, stored.Walk())
	return j.writePlan(ctx, key, func(emit func(*plan.Row) error) (run.Result, error) {
		result, err := plan.Invert(applied, stored.Walk, emit)
		if err == nil {
			err = *failed
		}
		return result, err
	})
}

// pauseSchedule keeps the next scheduled run from doing again what is undone. Saving the settings resumes it.
func (j *job) pauseSchedule(ctx context.Context) error {
	return j.updateSettings(ctx, func(s *settings.Saved) bool {
		if s.Schedule == nil || s.Schedule.Paused {
			return false
		}
		schedule := *s.Schedule
		schedule.Paused, schedule.PausedAt = true, j.now()
		schedule.PausedReason = fmt.Sprintf("sync %s was undone: the next run would do the same again. Save the "+
			"settings to resume.", j.run.UndoOf)
		s.Schedule = &schedule
		return true
	})
}

// applied yields the rows that the run wrote, ordered by key, each with its after-user as it was written. next gives
// the stored users: one that carries the run's id was written by it, also where its workers died before the journal
// told of it. The error is set once the sequence has ended.
func (j *journal) applied(ctx context.Context, next func() *user.User) (iter.Seq[plan.Row], *error) {
	failed := new(error)
	filter := planfile.Filter{Changes: []plan.Change{plan.Create, plan.Update, plan.Delete}}
	return func(yield func(plan.Row) bool) {
		stored := next()
		for placed, err := range j.reader.Rows(ctx, filter) {
			if err != nil {
				*failed = err
				return
			}
			for stored != nil && stored.Key < placed.Key {
				stored = next()
			}
			if !j.wrote(placed, stored) {
				continue
			}
			row := placed.Row
			finishRow(&row, &j.run)
			if !yield(row) {
				return
			}
		}
	}, failed
}

// wrote reports whether the run wrote a row. stored is the user at the row's key or behind it, or nil.
func (j *journal) wrote(row *planfile.PlacedRow, stored *user.User) bool {
	if !plan.Applies(&row.Row, j.run.Import.Options) {
		return false
	}
	switch j.outcome(row) {
	case OutcomeApplied:
		return true
	case OutcomePending:
		return stored != nil && stored.Key == row.Key && stored.LastRunID == j.run.ID
	}
	return false
}
