// Command preview is the Lambda binary of previews: api starts and shows them, worker runs them.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"rollcall/functions/preview/previews"
	"rollcall/shared/deployment"
	"rollcall/shared/function"
	"rollcall/shared/importer"
	"rollcall/shared/passwordkey"
)

func main() {
	err := function.Main(
		function.Handler{Function: deployment.PreviewAPI(), Build: buildAPI},
		function.Handler{Function: deployment.PreviewWorker(), Build: buildWorker},
	)
	fmt.Fprintln(os.Stderr, "preview:", err)
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
		a := s.API(nil)
		previews.Register(a, service)
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
	return function.Worker(s.Get(deployment.PreviewsQueue), s.Consumer(c), previews.Worker(importer.NewWorker(work))), nil
}
