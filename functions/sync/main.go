// Command sync is the Lambda binary of everything that writes: api takes settings, syncs and edits of the Users List,
// worker runs syncs, and schedule starts those that are due.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"rollcall/functions/sync/syncs"
	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/notify"
	"rollcall/shared/notify/delivery"
)

func main() {
	err := lambda.Main(
		lambda.Handler{Function: manifest.SyncAPI(), Build: buildAPI},
		lambda.Handler{Function: manifest.SyncWorker(), Build: buildWorker},
		lambda.Handler{Function: manifest.SyncSchedule(), Build: buildSchedule},
	)
	fmt.Fprintln(os.Stderr, "sync:", err)
	os.Exit(1)
}

func buildAPI(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	work := d.Stores()
	work.Sealer = kms.New(kms.NewClient(d.SDK), d.Get(manifest.PasswordKey))
	work.Notifier = notifier(work)
	work.Webhooks, work.MailFrom = notify.Rules{Allow: s.Policy().Allow}, d.Get(manifest.MailFrom)
	// It tells of edits by hand.
	work.Events = eventbridge.New(eventbridge.NewClient(d.SDK), d.Get(manifest.EventBus))
	service := importer.NewService(work)
	return s.Serve(func() http.Handler {
		a := s.API()
		syncs.Register(a, service, time.Now)
		return a
	}), nil
}

func buildWorker(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	work := s.Work(d.Stores())
	work.Opener = kms.New(kms.NewClient(d.SDK), d.Get(manifest.PasswordKey))
	work.Notifier = notifier(work)
	work.Events = eventbridge.New(eventbridge.NewClient(d.SDK), d.Get(manifest.EventBus))
	return lambda.Worker(d.Consume(importer.NewWorker(work).Work)), nil
}

func buildSchedule(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	work := d.Stores()
	deliveries := notifier(work)
	work.Notifier = deliveries
	service := importer.NewService(work)
	return lambda.Schedule(func(ctx context.Context) error {
		_, err := deliveries.SendDue(ctx)
		return errors.Join(err, syncs.Tick(ctx, service, s.Log))
	}), nil
}

func notifier(work importer.Config) delivery.Notifier {
	return delivery.Notifier{Jobs: work.Jobs, Queue: work.Queue, Log: work.Log}
}
