package syncs

import (
	"context"
	"log/slog"
)

// Scheduler starts what is due; importer.Service is it.
type Scheduler interface {
	StartDue(ctx context.Context) (started int, err error)
}

// Schedule does what each tick of the clock asks for.
func Schedule(ctx context.Context, s Scheduler, log *slog.Logger) error {
	started, err := s.StartDue(ctx)
	if started > 0 {
		log.InfoContext(ctx, "scheduled syncs started", "started", started)
	}
	return err
}
