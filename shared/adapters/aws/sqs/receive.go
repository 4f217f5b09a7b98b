package sqs

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithytime "github.com/aws/smithy-go/time"

	"rollcall/shared/ports/queue"
)

const (
	// longPoll is SQS's longest wait for a message.
	longPoll = 20 * time.Second
	// pause is the wait after a receive that failed.
	pause = time.Second
)

// Receive handles the messages of queues until ctx ends, and then waits for the handlers at work, whose context ends
// too. Each queue gets as many receivers as workers says, which handle one message at a time.
func (c Consumer) Receive(ctx context.Context, urls URLs, workers int, handle queue.Handler) {
	c = c.withDefaults()
	var running sync.WaitGroup
	for _, url := range urls {
		for range workers {
			running.Go(func() {
				for ctx.Err() == nil {
					c.receive(ctx, url, handle)
				}
			})
		}
	}
	running.Wait()
}

// receive waits for a message and handles it.
func (c Consumer) receive(ctx context.Context, url string, handle queue.Handler) {
	out, err := c.Client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 1, WaitTimeSeconds: int32(longPoll / time.Second),
		VisibilityTimeout: int32(Visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil {
		if ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "messages cannot be received", "queue", url, "error", err)
			// The wait ends with ctx, and so does the caller's loop.
			_ = smithytime.SleepWithContext(ctx, pause)
		}
		return
	}
	for _, m := range out.Messages {
		// A count that cannot be read is 0, and then the wait after a failure is the shortest.
		receives, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		d := Delivery{
			QueueURL: url, ReceiptHandle: aws.ToString(m.ReceiptHandle), MessageID: aws.ToString(m.MessageId),
			Body: aws.ToString(m.Body), Receives: receives,
		}
		if c.Handle(ctx, d, handle) == nil {
			c.remove(ctx, d)
		}
	}
}

// remove deletes a message that was handled. One that cannot be deleted comes again, which handlers are made for.
func (c Consumer) remove(ctx context.Context, d Delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	if _, err := c.Client.DeleteMessage(ctx, &awssqs.DeleteMessageInput{QueueUrl: &d.QueueURL,
		ReceiptHandle: &d.ReceiptHandle}); err != nil {
		c.Log.WarnContext(ctx, "a message that was handled cannot be deleted", "message", d.MessageID, "error", err)
	}
}
