package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// writeRows is how many rows are written in one go: enough to make the store's own cost of a write small, few enough
// that a cancelled sync stops soon.
const writeRows = 1024

// batchesAhead is how many batches are read while others are written.
const batchesAhead = 4

// checkpointEvery is how often a sync stores how far it is. What came after the last one is applied again after a
// crash, which changes nothing: rows that carry the run's id count as applied.
const checkpointEvery = time.Second

// finishRow gives a row's after-user what only the run knows, in place. It depends on nothing but the row and the run,
// so that a repeated attempt writes, and an undo expects, the very same user.
func finishRow(row *plan.Row, r *run.Run) {
	after := row.After
	if after == nil {
		return
	}
	after.LastRunID, after.UpdatedAt = r.ID, r.StartedAt
	if row.New && r.Import.Options.SendHSR {
		after.HeldSpamReport = user.ReportDaily
	}
	if row.Before == nil {
		after.Version = r.CreatedAt.UnixMilli()
		if after.CreatedAt.IsZero() {
			after.CreatedAt = r.StartedAt
		}
	} else {
		after.Version = row.Before.Version + 1
	}
}

// applier writes a plan's batches.
type applier struct {
	*job
	options settings.Options
	users   users.Users
	// changes wait to be written; rows says which row of the plan each one is.
	changes []users.Change
	rows    []placedChange
	// conflicts, already and pending are the rows with these outcomes since the last checkpoint.
	conflicts, already, pending *planfile.Outcomes
	// next is the batch after the last one whose rows were collected.
	next int
	// at is how far the writing is, and planned the conflicts that the plan itself found.
	at      run.Checkpoint
	planned int
	// noted is the rows of which the account's records of the Users List and of its removals know for certain: none
	// where the run was taken up again, since its worker may have died before it told them.
	noted run.Applied
	// savedAt is the time of the last checkpoint; cancelled is set where it showed that somebody wants the run to stop.
	savedAt   time.Time
	cancelled bool
}

// placedChange is the place of a row that is written, and what the plan wants with it.
type placedChange struct {
	place  planfile.Position
	change plan.Change
}

// apply writes the stored plan to list, from the first batch that the record does not know of.
func (j *job) apply(ctx context.Context, list users.Users) error {
	a := &applier{
		job: j, users: list, options: applicable(&run.Run{Import: j.run.Import, Guard: j.guard}),
		conflicts: new(planfile.Outcomes), already: new(planfile.Outcomes), pending: new(planfile.Outcomes),
		at: countedRows(j.run.Checkpoint, j.result.Summary), next: j.run.Checkpoint.Batches,
	}
	if j.run.UndoOf != "" {
		a.planned = j.result.Summary.Skipped
	}
	j.set(func() { j.progress.Phase = run.PhaseApplying })
	err := cause(ctx, j.readPlan(ctx, j.account, j.planKey, func(r *planfile.Reader) error {
		if err := a.begin(ctx, r); err != nil {
			return err
		}
		batches := r.Batches(ctx, []plan.Change{plan.Create, plan.Update, plan.Delete}, a.at.Batches)
		for batch, err := range prefetch(batches, batchesAhead) {
			if err != nil {
				return err
			}
			if err := a.add(ctx, batch); err != nil {
				return err
			}
		}
		return a.flush(ctx)
	}))
	if !a.at.Begun {
		return err
	}
	// What was written stays in the journal, also where the run ends here. A run whose record lags behind what it wrote
	// must not end: it is taken up again, whatever ended the writing.
	if saveErr := a.save(context.WithoutCancel(ctx)); saveErr != nil {
		if err != nil {
			j.log.WarnContext(ctx, "the writing ended early", "error", err)
		}
		return fmt.Errorf("%w: store how far run %s is: %w", errBehind, j.run.ID, saveErr)
	}
	return err
}

// countedRows is a checkpoint with its rows counted by what the plan wanted, also where version 0.4 stored it:
// creations come first, then updates, then removals.
func countedRows(at run.Checkpoint, s run.Summary) run.Checkpoint {
	if at.OldApplied+at.OldConflicts > 0 {
		left := at.OldApplied
		at.Rows.Create = min(left, s.Create)
		left -= at.Rows.Create
		at.Rows.Update = min(left, s.Update)
		at.Rows.Delete = left - at.Rows.Update
		at.Rows.Conflicts = at.OldConflicts
		at.OldApplied, at.OldConflicts = 0, 0
	}
	return at
}

// begin stores that the writing begins, once all of the plan is known to be readable: a run with a damaged plan writes
// nothing.
func (a *applier) begin(ctx context.Context, r *planfile.Reader) error {
	if a.at.Begun {
		return nil
	}
	if err := r.Verify(ctx); err != nil {
		return err
	}
	a.at.Begun = true
	err := a.save(ctx)
	// The first write is followed by a checkpoint, so that every attempt gets the run on.
	a.savedAt = time.Time{}
	return err
}

// add takes one batch and writes what has come together once it is enough.
func (a *applier) add(ctx context.Context, batch planfile.Batch) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for i := range batch.Rows {
		row := &batch.Rows[i]
		if !plan.Applies(row, a.options) {
			continue
		}
		finishRow(row, &a.run)
		change := users.Change{Key: row.Key, After: row.After}
		if row.Before != nil {
			change.Expect = row.Before.Version
		}
		a.changes = append(a.changes, change)
		a.rows = append(a.rows, placedChange{planfile.Position{Batch: batch.Index, Row: i}, row.Change})
	}
	a.next = batch.Index + 1
	if len(a.changes) < writeRows {
		return nil
	}
	// Only after a write, so that each worker gets the run on.
	if err := a.flush(ctx); err != nil {
		return err
	}
	switch {
	case a.cancelled && !a.run.CancelRequested:
		return errCancelled
	case a.timeIsUp(ctx):
		return errHandOver
	}
	return nil
}

// flush writes the collected changes and, now and then, stores how far the sync is.
func (a *applier) flush(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(a.changes) > 0 {
		whole, end := unlessCancelled(ctx)
		results, err := a.users.Apply(whole, a.fence(), a.changes)
		end()
		if err != nil {
			return fmt.Errorf("write %d users: %w", len(a.changes), err)
		}
		a.count(results)
		a.changes, a.rows = a.changes[:0], a.rows[:0]
	}
	a.at.Batches = a.next
	if a.now().Sub(a.savedAt) < checkpointEvery {
		return nil
	}
	// Whatever ends ctx, what was just written is stored.
	return a.save(context.WithoutCancel(ctx))
}

// unlessCancelled returns a context for the writing of rows, which goes on where ctx ends because somebody cancelled
// the run: of rows that are written in part nobody knows which, and the journal would not name them.
func unlessCancelled(ctx context.Context) (context.Context, func()) {
	whole, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if why := context.Cause(ctx); !errors.Is(why, errCancelled) {
			end(why)
		}
	})
	return whole, func() {
		stop()
		end(nil)
	}
}

// count notes what became of the rows that were just written.
func (a *applier) count(results []users.Outcome) {
	for i, outcome := range results {
		row := a.rows[i]
		if outcome == users.Absent {
			// Once an attempt has died while it wrote, an absent row is most likely the one that it deleted.
			outcome = users.Already
			if a.run.Checkpoint.Begun {
				outcome = users.Applied
			}
		}
		switch {
		case outcome == unwritten:
			a.pending.Add(row.place)
		case outcome == users.Conflict:
			a.conflicts.Add(row.place)
			a.at.Rows.Conflicts++
		case outcome == users.Already:
			a.already.Add(row.place)
			a.at.Rows.Already++
		case row.change == plan.Create:
			a.at.Rows.Create++
		case row.change == plan.Update:
			a.at.Rows.Update++
		default:
			a.at.Rows.Delete++
		}
	}
	a.set(func() {
		a.rowsDone = a.at.Rows
		a.progress.Applied = a.at.Rows.Written()
		a.result.Summary.Conflicts = a.planned + a.at.Rows.Conflicts
	})
}

// save stores the outcomes since the last save, and then how far the sync is.
func (a *applier) save(ctx context.Context) error {
	if err := a.saveOutcomes(ctx, "conflicts", &a.conflicts, &a.at.ConflictKeys); err != nil {
		return err
	}
	if err := a.saveOutcomes(ctx, "already", &a.already, &a.at.AlreadyKeys); err != nil {
		return err
	}
	if err := a.saveOutcomes(ctx, "pending", &a.pending, &a.at.PendingKeys); err != nil {
		return err
	}
	r, err := a.update(ctx, func(r *run.Run) {
		a.recordInto(r)
		if a.at.Batches > r.Checkpoint.Batches {
			// The run got on: what went wrong before does not count any more.
			r.Deaths, r.Trouble = a.deathsAfterProgress(), nil
		}
		r.Checkpoint = a.at
	})
	if err != nil {
		return err
	}
	a.savedAt, a.cancelled = a.now(), r.CancelRequested
	// Behind the record, which a worker that was replaced cannot write.
	return a.noteWrites(ctx)
}

// noteWrites stores that the Users List was written, and how many users were removed, if there is news since the last
// save. After a crash it is done again.
func (a *applier) noteWrites(ctx context.Context) error {
	if err := a.leaseIsOver(); err != nil {
		return err
	}
	if a.at.Rows.Written() != a.noted.Written() {
		if err := a.jobs.NoteListWrite(ctx, a.now()); err != nil {
			return fmt.Errorf("note that the Users List was written: %w", err)
		}
	}
	if a.at.Rows.Delete != a.noted.Delete {
		if err := a.noteRemoved(ctx, a.at.Rows.Delete); err != nil {
			return err
		}
	}
	a.noted = a.at.Rows
	return nil
}

// saveOutcomes stores the rows in found, if there are any, adds their object's key to keys, and empties found.
func (a *applier) saveOutcomes(ctx context.Context, name string, found **planfile.Outcomes, keys *[]string) error {
	if (*found).Len() == 0 {
		return nil
	}
	key := fmt.Sprintf("%s.%s.%d", a.objectKey(objects.JournalPrefix), name, a.at.Batches)
	if err := a.Objects.For(a.account).Put(ctx, key, (*found).Encode); err != nil {
		return fmt.Errorf("store the %s of run %s: %w", name, a.run.ID, err)
	}
	*keys = append(slices.Clip(*keys), key)
	*found = new(planfile.Outcomes)
	return nil
}
