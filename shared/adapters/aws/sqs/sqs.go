// Package sqs is the queue on AWS: SQS FIFO queues, whose message group is the account, so that an account's messages
// of a queue are handled one at a time and in order. Sender sends; Consumer stands around the handler that a message
// was received for, in a Lambda function as well as in Receive's own loop.
package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"rollcall/shared/ports/queue"
)

var (
	// ErrLost is the cause of a handler's context that ended because the message was handed to another consumer, or may
	// have been.
	ErrLost = errors.New("the message was handed to another worker")
	// ErrPoison means that a message's body is none that this program writes. It goes to the dead letters.
	ErrPoison = errors.New("the message cannot be read")
)

// NewClient returns a client that slows down where SQS throttles it. Its endpoint may come from AWS_ENDPOINT_URL_SQS.
func NewClient(c aws.Config) *awssqs.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return awssqs.NewFromConfig(c)
}

// URLs are the queues' URLs.
type URLs map[queue.Name]string

// Sender is a queue.Sender on SQS.
type Sender struct {
	client *awssqs.Client
	urls   URLs
}

// NewSender returns a sender to queues. A message for one that is not among them is an error.
func NewSender(client *awssqs.Client, urls URLs) *Sender { return &Sender{client, urls} }

// Send sends a message to the end of its account's group. The same message sent again within five minutes counts once,
// also where it was handled meanwhile.
func (s *Sender) Send(ctx context.Context, m queue.Message) error {
	url, ok := s.urls[m.Queue()]
	if !ok {
		return fmt.Errorf("send the message of run %s: there is no queue %s", m.RunID, m.Queue())
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("send the message of run %s: %w", m.RunID, err)
	}
	if _, err := s.client.SendMessage(ctx, &awssqs.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String(string(body)),
		// Ids are at most 128 letters, digits and punctuation marks, and accounts may be named otherwise.
		MessageGroupId: aws.String(groupID(m.Group())), MessageDeduplicationId: aws.String(hash(body)),
	}); err != nil {
		return fmt.Errorf("send the message of run %s: %w", m.RunID, err)
	}
	return nil
}

// groupID names a group within its queue.
func groupID(g queue.Group) string {
	if g.Lane != "" {
		return hash([]byte(string(g.Account) + "\x00" + g.Lane))
	}
	return hash([]byte(g.Account))
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
