package runs

import (
	"context"

	"rollcall/shared/run"
)

// EditRun is UpdateRun for a change that somebody makes by hand: what change returns about it is stored with the run,
// in one step.
func EditRun(
	ctx context.Context, jobs Jobs, id string, change func(*run.Run) ([]AuditEntry, error),
) (r run.Run, err error) {
	err = Retry(ctx, func() error {
		if r, err = jobs.Run(ctx, id); err != nil {
			return err
		}
		entries, err := change(&r)
		if err != nil {
			return err
		}
		r, err = jobs.PutRun(ctx, r, entries...)
		return err
	})
	return r, err
}

// CreateFromPreview stores r, a sync of a preview, with the audit entries and what use makes of the preview's record,
// all or nothing; again, after a growing pause, where somebody else stored the preview meanwhile, so use may be
// called more than once. What use returns ends it without a write.
func CreateFromPreview(
	ctx context.Context, jobs Jobs, r run.Run, use func(preview *run.Run) error, entries ...AuditEntry,
) (created run.Run, err error) {
	err = Retry(ctx, func() error {
		preview, err := jobs.LeanRun(ctx, r.PreviewID)
		if err != nil {
			return err
		}
		if err := use(&preview); err != nil {
			return err
		}
		created, err = jobs.UsePreview(ctx, preview, r, entries...)
		return err
	})
	return created, err
}
