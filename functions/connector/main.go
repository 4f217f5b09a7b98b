// Command connector is the Lambda binary of what connectors call: api gives them their work and takes what they read.
// The program on the customer's site is the command of the same name at the top of the repository.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"rollcall/functions/connector/orders"
	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
)

func main() {
	err := lambda.Main(lambda.Handler{Function: manifest.ConnectorAPI(), Build: build})
	fmt.Fprintln(os.Stderr, "connector:", err)
	os.Exit(1)
}

func build(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	desk := importer.NewDesk(d.Stores())
	return s.Serve(func() http.Handler { return orders.Handler(desk, s.Log) }), nil
}
