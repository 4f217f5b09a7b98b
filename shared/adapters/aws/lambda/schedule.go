package lambda

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
)

// Scheduler does what each tick of the clock asks for; importer.Service is it.
type Scheduler interface {
	StartDue(ctx context.Context) (started int, err error)
	CareFor(ctx context.Context, overdueAt time.Time) (cared int, err error)
}

// Schedule starts what is due and looks after runs that were lost, whatever the event says: EventBridge delivers a tick
// at least once, and a doubled one does nothing.
func Schedule(s Scheduler, log *slog.Logger) Invoker {
	return awslambda.NewHandler(func(ctx context.Context) error {
		var cared int
		var careErr error
		var running sync.WaitGroup
		// Beside each other: each may take all of the time, and neither must go without.
		running.Go(func() { cared, careErr = s.CareFor(ctx, time.Now()) })
		started, err := s.StartDue(ctx)
		running.Wait()
		log.InfoContext(ctx, "tick", "started", started, "caredFor", cared)
		return errors.Join(err, careErr)
	})
}
