package runs

import (
	"context"
	"time"

	"rollcall/shared/run"
)

// ListRecords remember of an account's Users List what no user's row tells.
type ListRecords interface {
	// ListWritten returns the time that NoteListWrite stored last, and the zero time where it stored none.
	ListWritten(ctx context.Context) (time.Time, error)
	// NoteListWrite stores that the Users List was written. The time tells one state of the list from another and
	// nothing more: clocks differ, so whoever compares two of them asks whether they are equal.
	NoteListWrite(ctx context.Context, at time.Time) error
	// Removals returns what UpdateRemovals stored last, and nothing where it stored nothing.
	Removals(ctx context.Context) (run.Removals, error)
	// UpdateRemovals stores what change makes of the stored removals, if nobody stored others meanwhile, trying again
	// if somebody did; so change may be called more than once. Its error ends the update without a write.
	UpdateRemovals(ctx context.Context, change func(run.Removals) (run.Removals, error)) error
}
