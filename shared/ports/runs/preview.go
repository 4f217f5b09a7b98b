package runs

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/run"
)

// CreateFromPreview stores r, a sync of a preview, with the audit entries and what use makes of the preview's record,
// all or nothing; again, after a growing pause, where somebody else stored the preview meanwhile, so use may be
// called more than once. What use returns ends it without a write.
func CreateFromPreview(
	ctx context.Context, jobs Jobs, r run.Run, use func(preview *run.Run) error, entries ...AuditEntry,
) (run.Run, error) {
	for try := range updateTries {
		if try > 0 {
			if err := wait(ctx, updatePause<<try); err != nil {
				return run.Run{}, err
			}
		}
		preview, err := jobs.LeanRun(ctx, r.PreviewID)
		if err != nil {
			return run.Run{}, err
		}
		if err := use(&preview); err != nil {
			return run.Run{}, err
		}
		if created, err := jobs.ClaimPreview(ctx, preview, r, entries...); !errors.Is(err, ErrConflict) {
			return created, err
		}
	}
	return run.Run{}, fmt.Errorf("create a run from preview %s: %w", r.PreviewID, ErrBusy)
}
