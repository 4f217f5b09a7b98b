package syncs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Scheduler is what a tick calls; importer.Service is it.
type Scheduler interface {
	StartDue(ctx context.Context) (started int, err error)
	StartLooks(ctx context.Context) (started int, err error)
	CareFor(ctx context.Context, overdueAt time.Time) (cared int, err error)
}

// Tick starts what is due and looks after runs that were lost. Several ticks at once do no more than one.
func Tick(ctx context.Context, s Scheduler, log *slog.Logger) error {
	var cared int
	var careErr error
	var running sync.WaitGroup
	// Beside each other: each may take all of the time, and neither must go without.
	running.Go(func() { cared, careErr = s.CareFor(ctx, time.Now()) })
	started, err := s.StartDue(ctx)
	// Behind what is due: a look leaves the directory to a sync.
	looks, looksErr := s.StartLooks(ctx)
	running.Wait()
	if started > 0 || cared > 0 {
		log.InfoContext(ctx, "tick", "started", started, "looks", looks, "caredFor", cared)
	}
	return errors.Join(err, looksErr, careErr)
}
