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
	"rollcall/shared/bus"
	"rollcall/shared/deployment"
	"rollcall/shared/function"
	"rollcall/shared/importer"
	"rollcall/shared/passwordkey"
)

func main() {
	err := function.Main(
		function.Handler{Function: deployment.SyncAPI(), Build: buildAPI},
		function.Handler{Function: deployment.SyncWorker(), Build: buildWorker},
		function.Handler{Function: deployment.SyncSchedule(), Build: buildSchedule},
	)
	fmt.Fprintln(os.Stderr, "sync:", err)
	os.Exit(1)
}

func buildAPI(ctx context.Context, s function.Setup) (function.Invoker, error) {
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	work := s.Stores(c)
	work.Sealer = passwordkey.New(passwordkey.NewClient(c), s.Get(deployment.PasswordKey))
	service := importer.NewService(work)
	return function.API(func() http.Handler {
		a := s.API(docs.OpenAPI)
		syncs.Register(a, service, time.Now)
		return a
	}, s.Log), nil
}

func buildWorker(ctx context.Context, s function.Setup) (function.Invoker, error) {
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	work := s.Work(c)
	work.Opener = passwordkey.New(passwordkey.NewClient(c), s.Get(deployment.PasswordKey))
	work.Events = bus.New(bus.NewClient(c), s.Get(deployment.EventBus))
	return function.Worker(s.Get(deployment.SyncsQueue), s.Consumer(c), syncs.Worker(importer.NewWorker(work))), nil
}

func buildSchedule(ctx context.Context, s function.Setup) (function.Invoker, error) {
	c, err := s.AWS(ctx)
	if err != nil {
		return nil, err
	}
	return function.Schedule(importer.NewService(s.Stores(c)), s.Log), nil
}
