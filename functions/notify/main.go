// Command notify is the Lambda binary that tells people and programs what happened: worker delivers events by mail and
// by webhook.
package main

import (
	"context"
	"fmt"
	"os"

	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/adapters/aws/ses"
	"rollcall/shared/manifest"
	"rollcall/shared/notify"
	"rollcall/shared/notify/delivery"
)

func main() {
	err := lambda.Main(lambda.Handler{Function: manifest.NotifyWorker(), Build: build})
	fmt.Fprintln(os.Stderr, "notify:", err)
	os.Exit(1)
}

func build(ctx context.Context, s lambda.Setup) (lambda.Invoker, error) {
	d, err := aws.Open(ctx, aws.Caller{Environment: s.Environment, Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		return nil, err
	}
	stores := d.Stores()
	worker := &delivery.Worker{
		Notifier: delivery.Notifier{Jobs: stores.Jobs, Queue: stores.Queue, Log: s.Log},
		Opener:   kms.New(kms.NewClient(d.SDK), d.Get(manifest.PasswordKey)),
		Webhooks: &delivery.Webhooks{Rules: notify.Rules{Allow: s.Policy().Allow}},
		Page:     d.Get(manifest.PageURL),
	}
	if from := d.Get(manifest.MailFrom); from != "" {
		worker.Mail = ses.New(ses.NewClient(d.SDK), from)
	}
	return lambda.Worker(d.Consume(worker.Work)), nil
}
