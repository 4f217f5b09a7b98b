package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

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
	conflicts, already, pending planfile.Outcomes
	// withSkipped also yields what the plan skipped. That is no change, and has no outcome.
	withSkipped bool
}

// openJournal opens the journal of a run that has a plan. The caller closes it.
func (c core) openJournal(ctx context.Context, account user.Account, r run.Run) (*journal, error) {
	files := c.Objects.For(account)
	j := &journal{run: r}
	err := errors.Join(
		readOutcomes(ctx, files, r.Checkpoint.ConflictKeys, &j.conflicts),
		readOutcomes(ctx, files, r.Checkpoint.AlreadyKeys, &j.already),
		readOutcomes(ctx, files, r.Checkpoint.PendingKeys, &j.pending),
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
func (j *journal) page(ctx context.Context, q ChangeQuery) (ChangePage, error) {
	f := j.filter(q)
	if len(f.Changes) == 0 {
		return ChangePage{}, nil
	}
	page, err := j.reader.Page(ctx, f, q.Cursor, q.Limit)
	if err != nil {
		return ChangePage{}, err
	}
	out := ChangePage{Next: page.Next, Scanned: page.Scanned}
	for i := range page.Rows {
		placed := &page.Rows[i]
		change := Change{Row: placed.Row, Outcome: j.outcome(placed)}
		finishRow(&change.Row, &j.run)
		out.Changes = append(out.Changes, change)
	}
	return out, nil
}

// rows yields all rows of a query that the run writes, ordered by key.
func (j *journal) rows(ctx context.Context, q ChangeQuery) iter.Seq2[*planfile.PlacedRow, error] {
	f := j.filter(q)
	if len(f.Changes) == 0 {
		return func(func(*planfile.PlacedRow, error) bool) {}
	}
	return j.reader.Rows(ctx, f)
}

// filter narrows a query to what a journal holds: the rows that write, those that the guard held among them, and what
// an undo had to leave. Where Changes is empty, the query asks for nothing of it.
func (j *journal) filter(q ChangeQuery) planfile.Filter {
	f := q.Filter
	f.Changes = []plan.Change{plan.Create, plan.Update, plan.Delete}
	if j.run.UndoOf != "" || j.withSkipped {
		f.Changes = append(f.Changes, plan.Skipped)
	}
	f.Changes = slices.DeleteFunc(f.Changes, func(c plan.Change) bool {
		return len(q.Changes) > 0 && !slices.Contains(q.Changes, c)
	})
	f.Keep = func(row *planfile.PlacedRow) bool {
		return (row.Change == plan.Skipped || plan.Applies(&row.Row, j.run.Import.Options)) &&
			(len(q.Outcomes) == 0 || slices.Contains(q.Outcomes, j.outcome(row)))
	}
	f.KeepName = fmt.Sprint(q.Outcomes)
	return f
}

func (j *journal) outcome(row *planfile.PlacedRow) Outcome {
	at := j.reader.Position(row)
	switch {
	case row.Change == plan.Skipped && j.run.UndoOf == "":
		return ""
	case row.Change == plan.Skipped, j.conflicts.Has(at):
		return OutcomeConflict
	case j.already.Has(at):
		return OutcomeAlready
	case j.pending.Has(at):
		return OutcomePending
	case at.Batch < j.run.Checkpoint.Batches && plan.Applies(&row.Row, applicable(&j.run)):
		return OutcomeApplied
	}
	return OutcomePending
}
