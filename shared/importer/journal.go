package importer

import (
	"context"
	"errors"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// journal is the plan of a sync together with what became of its rows.
type journal struct {
	run    run.Run
	object objects.Object
	reader *planfile.Reader
	// conflicts and already are the rows with these outcomes.
	conflicts, already planfile.Outcomes
}

// openJournal opens the journal of a run that has a plan. The caller closes it.
func (c core) openJournal(ctx context.Context, account user.Account, r run.Run) (*journal, error) {
	files := c.Objects.For(account)
	j := &journal{run: r}
	err := errors.Join(
		readOutcomes(ctx, files, r.Checkpoint.ConflictKeys, &j.conflicts),
		readOutcomes(ctx, files, r.Checkpoint.AlreadyKeys, &j.already),
	)
	if err != nil {
		return nil, err
	}
	object, err := files.Open(ctx, r.PlanKey)
	if err != nil {
		return nil, err
	}
	j.object = object
	if j.reader, err = c.plans.Open(string(account)+"\x00"+r.PlanKey, object, object.Size()); err != nil {
		object.Close()
		return nil, err
	}
	return j, nil
}

// readOutcomes adds the rows that the objects at keys list.
func readOutcomes(ctx context.Context, files objects.Objects, keys []string, into *planfile.Outcomes) error {
	for _, key := range keys {
		object, err := files.Open(ctx, key)
		if err != nil {
			return err
		}
		err = into.Decode(object, object.Size())
		if err := errors.Join(err, object.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the plan.
func (j *journal) Close() error { return j.object.Close() }

// page returns one page of the rows that the run writes.
func (j *journal) page(ctx context.Context, f planfile.Filter, cursor string, limit int) (ChangePage, error) {
	f.Changes = j.changes(f.Changes)
	f.Keep = j.shown
	page, err := j.reader.Page(ctx, f, cursor, limit)
	if err != nil {
		return ChangePage{}, err
	}
	out := ChangePage{Next: page.Next}
	for i := range page.Rows {
		placed := &page.Rows[i]
		change := Change{Row: placed.Row, Outcome: j.outcome(placed)}
		finishRow(&change.Row, &j.run)
		out.Changes = append(out.Changes, change)
	}
	return out, nil
}

// changes narrows a filter to what a journal holds: the rows that write, and what an undo had to leave.
func (j *journal) changes(asked []plan.Change) []plan.Change {
	all := []plan.Change{plan.Create, plan.Update, plan.Delete}
	if j.run.UndoOf != "" {
		all = append(all, plan.Skipped)
	}
	if len(asked) == 0 {
		return all
	}
	var narrowed []plan.Change
	for _, c := range all {
		for _, a := range asked {
			if a == c {
				narrowed = append(narrowed, c)
			}
		}
	}
	return narrowed
}

// shown reports whether a row belongs to the journal: what the guard held back does, as pending.
func (j *journal) shown(row *plan.Row) bool {
	return row.Change == plan.Skipped || plan.Applies(row, j.run.Import.Options)
}

func (j *journal) outcome(row *planfile.PlacedRow) Outcome {
	at := j.reader.Position(row)
	switch {
	case row.Change == plan.Skipped, j.conflicts.Has(at):
		return OutcomeConflict
	case j.already.Has(at):
		return OutcomeAlready
	case at.Batch < j.run.Checkpoint.Batches && plan.Applies(&row.Row, applicable(&j.run)):
		return OutcomeApplied
	}
	return OutcomePending
}
