package runs

import (
	"context"

	"rollcall/shared/run"
)

// ToldRecords remember what was told of an account's syncs and edits.
type ToldRecords interface {
	// Told returns what UpdateTold stored last, and the zero value where it stored nothing.
	Told(ctx context.Context) (run.Told, error)
	// UpdateTold stores what change makes of the stored record, if nobody stored another meanwhile, trying again if
	// somebody did; so change may be called more than once. What change returns ends the update without a write.
	UpdateTold(ctx context.Context, change func(*run.Told) error) (run.Told, error)
}
