// Command preview is the Lambda binary of previews and explanations: api starts and shows them, worker runs them.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"rollcall/functions/preview/explanations"
	"rollcall/functions/preview/previews"
	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
)

func main() {
	err := lambda.Main(
		lambda.Handler{Function: manifest.PreviewAPI(), Build: buildAPI},
		lambda.Handler{Function: manifest.PreviewWorker(), Build: buildWorker},
	)
	fmt.Fprintln(os.Stderr, "preview:", err)
	os.Exit(1)
}

func buildAPI(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	work := d.Stores()
	work.Sealer = kms.New(kms.NewClient(d.SDK), d.Get(manifest.PasswordKey))
	service := importer.NewService(work)
	return s.Serve(func() http.Handler {
		a := s.API()
		previews.Register(a, service)
		explanations.Register(a, service)
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
	return lambda.Worker(d.Consume(importer.NewWorker(work).Work)), nil
}
