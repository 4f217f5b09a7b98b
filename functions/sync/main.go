// Command sync is the Lambda binary of everything that writes: api takes settings, syncs and edits of the Users List, worker
// runs syncs, and schedule starts those that are due.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"rollcall/docs"
	"rollcall/functions/sync/syncs"
	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
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
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	work := s.Stores(c)
	work.Sealer = kms.New(kms.NewClient(c), s.Get(manifest.PasswordKey))
	service := importer.NewService(work)
	return lambda.API(func() http.Handler {
		a := s.API(docs.OpenAPI)
		syncs.Register(a, service, time.Now)
		return a
	}, s.Log), nil
}

func buildWorker(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	work := s.Work(c)
	work.Opener = kms.New(kms.NewClient(c), s.Get(manifest.PasswordKey))
	work.Events = eventbridge.New(eventbridge.NewClient(c), s.Get(manifest.EventBus))
	return lambda.Worker(s.Get(manifest.SyncsQueue), s.Consumer(c), syncs.Worker(importer.NewWorker(work))), nil
}

func buildSchedule(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	return lambda.Schedule(importer.NewService(s.Stores(c)), s.Log), nil
}
