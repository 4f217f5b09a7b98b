package runs

import (
	"context"

	"rollcall/shared/run"
)

// LookRecords remember how far an account's directory was looked at between its full syncs. They are a record of their
// own: a look that finds nothing writes this and nothing else.
type LookRecords interface {
	// Looks returns what UpdateLooks stored last, and the zero value where it stored nothing.
	Looks(ctx context.Context) (run.Looks, error)
	// UpdateLooks stores what change makes of the stored record, if nobody stored another meanwhile, trying again if
	// somebody did; so change may be called more than once. What change returns ends the update without a write.
	UpdateLooks(ctx context.Context, change func(*run.Looks) error) (run.Looks, error)
}
