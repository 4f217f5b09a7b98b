package runs

import (
	"context"

	"rollcall/shared/run"
)

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
