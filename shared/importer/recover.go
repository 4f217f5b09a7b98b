package importer

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// codeWorkerLost is the failure of a run whose workers died too often.
const codeWorkerLost = "worker_lost"

// unwritten is the outcome of a row that no attempt of an ended run wrote.
const unwritten users.Outcome = 0

// errNotWritten means that an earlier attempt of a run did not come to write some rows.
var errNotWritten = errors.New("these rows were not written")

// recover ends a run that is not to go on: its workers died, or somebody cancelled it. The error says how it ends; nil
// lets it go on.
func (j *job) recover(ctx context.Context) error {
	var end error
	switch {
	case j.run.Deaths > maxDeaths:
		message := fmt.Sprintf("The run was started %d times and its worker died each time.", maxDeaths)
		if j.run.Trouble != nil {
			message += " The last error was: " + j.run.Trouble.Error
		}
		end = &run.Failure{Code: codeWorkerLost, Message: message}
		if j.run.Deaths > 2*maxDeaths {
			// Completing the journal is what ends its workers.
			return end
		}
	case j.run.CancelRequested:
		end = errCancelled
	default:
		return nil
	}
	if err := j.completeJournal(ctx); err != nil {
		return err
	}
	return end
}

// deathsAfterProgress is how many deaths count once a run got on. One that is given up stays so: it makes progress with
// its journal only.
func (j *job) deathsAfterProgress() int {
	if j.run.Deaths > maxDeaths {
		return maxDeaths + 1
	}
	return 1
}

// completeJournal adds what a worker wrote after its last checkpoint, and before it died. Rows are written in an order
// that never changes, so many at a time: where none of so many was written, and one still could be, nothing behind them
// was.
func (j *job) completeJournal(ctx context.Context) error {
	if j.run.Kind != run.KindSync || !j.run.Checkpoint.Begun || j.planKey == "" {
		return nil
	}
	ctx, stop := j.report(ctx)
	defer stop()
	err := j.apply(ctx, readOnly{j.Users.For(j.account), j.run.ID})
	switch {
	case errors.Is(err, errNotWritten), errors.Is(err, errCancelled):
		return nil
	case err != nil && failureOf(err) != nil:
		j.log.WarnContext(ctx, "the plan of a run that ends cannot be read: its journal may lack what was written last",
			"error", err)
		return nil
	}
	return err
}

// readOnly is a Users List to which nothing is written: its Apply finds out which changes an earlier attempt of a run
// made. A row to delete that is gone was most likely deleted by that attempt.
type readOnly struct {
	users.Users
	runID string
}

// Apply returns what became of changes, or errNotWritten where none of them was made although one of them can be.
func (o readOnly) Apply(ctx context.Context, _ users.Fence, changes []users.Change) ([]users.Outcome, error) {
	keys := make([]string, len(changes))
	for i := range changes {
		keys[i] = changes[i].Key
	}
	there, err := o.Find(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("find the users of %d rows: %w", len(changes), err)
	}
	stored := make(map[string]*user.User, len(there))
	for i := range there {
		stored[there[i].Key] = &there[i]
	}
	outcomes := make([]users.Outcome, len(changes))
	written, waits := false, false
	for i := range changes {
		c := &changes[i]
		u := stored[c.Key]
		outcomes[i] = unwritten
		switch {
		case c.After == nil && u == nil, c.After != nil && u != nil && u.LastRunID == o.runID:
			outcomes[i], written = users.Applied, true
		case u == nil && c.Expect == 0, u != nil && u.Version == c.Expect:
			waits = true
		}
	}
	if !written && waits {
		return nil, errNotWritten
	}
	return outcomes, nil
}
