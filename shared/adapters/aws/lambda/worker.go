package lambda

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"

	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/ports/queue"
)

// receiveCount is the attribute of an SQS message that says how often it was received.
const receiveCount = "ApproximateReceiveCount"

// Worker does what the messages of a FIFO queue ask for, while consumer keeps them from being handed out again. It answers with
// the messages that failed (ReportBatchItemFailures), and so with all behind the first of those: their order is the queue's
// promise.
func Worker(queueURL string, consumer sqs.Consumer, handle queue.Handler) Invoker {
	return awslambda.NewHandler(func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		for at, record := range event.Records {
			// A count that cannot be read is 0, and then the wait after a failure is the shortest.
			receives, _ := strconv.Atoi(record.Attributes[receiveCount])
			delivery := sqs.Delivery{QueueURL: queueURL, ReceiptHandle: record.ReceiptHandle, MessageID: record.MessageId, Body: record.Body, Receives: receives}
			if consumer.Handle(ctx, delivery, handle) != nil {
				// The consumer has logged why and said when it comes again.
				return failures(event.Records[at:]), nil //nolint:nilerr // the answer is how a function says so
			}
		}
		return events.SQSEventResponse{}, nil
	})
}

func failures(records []events.SQSMessage) events.SQSEventResponse {
	var response events.SQSEventResponse
	for _, r := range records {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
	}
	return response
}
