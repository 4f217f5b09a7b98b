package lambdahost

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Poll stands in for an event source mapping with batch size 1 and ReportBatchItemFailures: it hands a queue's messages
// to a function and deletes those that the function did not report. Several pollers run at once; it returns when ctx
// ends.
func (h *Host) Poll(ctx context.Context, client *sqs.Client, queueURL, function string) {
	var running sync.WaitGroup
	for range maxInstances / 2 {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := h.poll(ctx, client, queueURL, function); err != nil && ctx.Err() == nil {
					fmt.Fprintf(h.config.Log, "event source mapping of %s: %v\n", function, err)
				}
			}
		})
	}
	running.Wait()
}

// poll handles one message, if one comes within a second.
func (h *Host) poll(ctx context.Context, client *sqs.Client, queueURL, function string) error {
	received, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &queueURL, MaxNumberOfMessages: 1, WaitTimeSeconds: 1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil || len(received.Messages) == 0 {
		return err
	}
	m := received.Messages[0]
	event, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
		Md5OfBody:  aws.ToString(m.MD5OfBody),
		Attributes: m.Attributes, MessageAttributes: map[string]events.SQSMessageAttribute{}, EventSource: "aws:sqs",
		EventSourceARN: "arn:aws:sqs:us-east-1:123456789012:" + path.Base(queueURL), AWSRegion: "us-east-1",
	}}})
	if err != nil {
		return err
	}
	answer, err := h.Invoke(ctx, function, event)
	if err != nil {
		// The message comes back when its visibility timeout is over.
		return err
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		return fmt.Errorf("read the answer %.200s: %w", answer, err)
	}
	if len(response.BatchItemFailures) > 0 {
		return nil
	}
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &queueURL, ReceiptHandle: m.ReceiptHandle})
	return err
}

// Tick stands in for a scheduled rule: it invokes a function at once and then at each interval, until ctx ends.
func (h *Host) Tick(ctx context.Context, interval time.Duration, function string) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		event, err := json.Marshal(events.EventBridgeEvent{
			Version: "0", DetailType: "Scheduled Event", Source: "aws.events", AccountID: "123456789012",
			Time: time.Now().UTC(), Region: "us-east-1",
			Detail: json.RawMessage("{}"),
		})
		if err == nil {
			_, err = h.Invoke(ctx, function, event)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(h.config.Log, "tick of %s: %v\n", function, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
