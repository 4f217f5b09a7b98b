// Command export is the Lambda binary of CSV exports. It has no worker of its own: what outlasts a request is written
// by the previews' worker.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"rollcall/functions/export/exports"
	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
)

func main() {
	err := lambda.Main(lambda.Handler{Function: manifest.ExportAPI(), Build: buildAPI})
	fmt.Fprintln(os.Stderr, "export:", err)
	os.Exit(1)
}

func buildAPI(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	service := importer.NewService(d.Stores())
	return s.Serve(func() http.Handler {
		a := s.API()
		exports.Register(a, service)
		return a
	}), nil
}
