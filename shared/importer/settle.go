package importer

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/ports/users"
	"rollcall/shared/run"
)

// errNotWritten means that none of some rows was written by an earlier attempt of their run.
var errNotWritten = errors.New("none of these rows was written")

// settle makes up a run's journal where the run ends after its worker had died: somebody cancelled it, or it is given up. What that
// one wrote since it last stored how far it was is found on the Users List: rows are written in an order that never changes, so many at a
// time, and where none of so many was written nothing behind them was.
func (j *job) settle(ctx context.Context) error {
	if j.run.Kind != run.KindSync || !j.run.Checkpoint.Begun || j.planKey == "" {
		return nil
	}
	err := j.apply(ctx, witness{j.Users.For(j.account), j.run.ID})
	switch {
	case errors.Is(err, errNotWritten):
		return nil
	case err != nil && failureOf(err) != nil:
		j.log.WarnContext(ctx, "the plan of a run that ends cannot be read any more, so that its journal may lack what was written last", "error", err)
		return nil
	}
	return err
}

// witness is a Users List that nothing is written to: it tells which changes an earlier attempt of a run made. A row to delete that is gone was
// most likely deleted by that one.
type witness struct {
	users.Users
	runID string
}

// Apply tells what became of changes, or errNotWritten where none of them was made.
func (w witness) Apply(ctx context.Context, _ users.Fence, changes []users.Change) ([]users.Outcome, error) {
	outcomes := make([]users.Outcome, len(changes))
	found := false
	for i := range changes {
		written, err := w.wrote(ctx, &changes[i])
		if err != nil {
			return nil, fmt.Errorf("look for user %s: %w", changes[i].Key, err)
		}
		outcomes[i] = users.Conflict
		if written {
			outcomes[i], found = users.Applied, true
		}
	}
	if !found {
		return nil, errNotWritten
	}
	return outcomes, nil
}

func (w witness) wrote(ctx context.Context, c *users.Change) (bool, error) {
	stored, err := w.Get(ctx, c.Key)
	switch {
	case errors.Is(err, users.ErrNotFound):
		return c.After == nil, nil
	case err != nil:
		return false, err
	}
	return c.After != nil && stored.LastRunID == w.runID, nil
}
