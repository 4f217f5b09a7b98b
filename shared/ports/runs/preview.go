package runs

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/run"
)

// EditRun is UpdateRun for a change that somebody makes by hand: what change returns about it is stored with the run,
// in one step.
func EditRun(
	ctx context.Context, jobs Jobs, id string, change func(*run.Run) ([]AuditEntry, error),
) (r run.Run, err error) {
	err = untilStored(ctx, func() (store func() error, err error) {
		if r, err = jobs.Run(ctx, id); err != nil {
			return nil, err
		}
		entries, err := change(&r)
		return func() (err error) { r, err = jobs.PutRun(ctx, r, entries...); return err }, err
	})
	return r, err
}

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
		if created, err := jobs.UsePreview(ctx, preview, r, entries...); !errors.Is(err, ErrConflict) {
			return created, err
		}
	}
	return run.Run{}, fmt.Errorf("create a run from preview %s: %w", r.PreviewID, ErrBusy)
}
