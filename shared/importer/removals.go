package importer

import (
	"context"
	"fmt"

	"rollcall/shared/plan"
	"rollcall/shared/run"
)

// day returns what the guard remembers of the last 24 hours.
func (j *job) day(ctx context.Context) (run.Day, error) {
	removals, err := j.jobs.Removals(ctx)
	if err != nil {
		return run.Day{}, fmt.Errorf("read what was removed: %w", err)
	}
	return removals.Day(j.now(), j.run.Import.Options.RemoveScope), nil
}

// noteJudged lets the guard remember the sync that it judged. Removals that somebody confirmed by their number start
// the count again, with the users that they leave.
func (j *job) noteJudged(ctx context.Context, g run.Guard) error {
	r := j.removal(0)
	if !plan.Confirms(j.run.ConfirmRemovals, g) {
		return j.updateRemovals(ctx, func(l run.Removals) run.Removals { return l.Note(r) })
	}
	r.Stored = max(0, r.Stored-g.Removals)
	r.StoredImported = max(0, r.StoredImported-j.result.Census.RemovalsImported)
	return j.updateRemovals(ctx, func(run.Removals) run.Removals { return run.Removals{r} })
}

// noteRemoved lets the guard remember how many users the sync has removed. What was confirmed does not count, nor
// what an undo removes.
func (j *job) noteRemoved(ctx context.Context, removed int) error {
	if j.run.UndoOf != "" || plan.Confirms(j.run.ConfirmRemovals, j.guard) {
		return nil
	}
	r := j.removal(removed)
	return j.updateRemovals(ctx, func(l run.Removals) run.Removals { return l.Note(r) })
}

// noteUndone lets the guard forget the removals of the sync that an undo took back.
func (j *job) noteUndone(ctx context.Context) error {
	return j.updateRemovals(ctx, func(l run.Removals) run.Removals { return l.Undone(j.run.UndoOf) })
}

// removal is what the guard remembers of the sync.
func (j *job) removal(removed int) run.Removal {
	census := j.result.Census
	return run.Removal{
		RunID: j.run.ID, Attempt: j.run.Attempts, At: j.now(), Removed: removed,
		Stored: census.Stored, StoredImported: census.StoredImported,
	}
}

// updateRemovals changes what the guard remembers, unless the job may have been replaced.
func (j *job) updateRemovals(ctx context.Context, change func(run.Removals) run.Removals) error {
	err := j.jobs.UpdateRemovals(ctx, func(l run.Removals) (run.Removals, error) {
		return change(l), j.leaseIsOver()
	})
	if err != nil {
		return fmt.Errorf("store what was removed: %w", err)
	}
	return nil
}
