package lambda

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
)

// Worker handles the messages of a FIFO queue one after another. It answers with the messages that failed
// (ReportBatchItemFailures), and so with all behind the first of those: their order is the queue's promise.
func Worker(handle func(context.Context, events.SQSMessage) error) Invoker {
	return awslambda.NewHandler(func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		for at, record := range event.Records {
			if handle(ctx, record) != nil {
				// Whoever handles it has logged why and said when it comes again.
				return failures(event.Records[at:]), nil //nolint:nilerr // the answer is how a function says so
			}
		}
		return events.SQSEventResponse{}, nil
	})
}

func failures(records []events.SQSMessage) events.SQSEventResponse {
	var response events.SQSEventResponse
	for _, r := range records {
		response.BatchItemFailures = append(response.BatchItemFailures,
			events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
	}
	return response
}
