package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"rollcall/shared/ports/queue"
)

const (
	// Visibility is how long a message stays invisible without a heartbeat: so soon a dead worker is replaced. It is
	// the lease of a sync, too.
	Visibility = 90 * time.Second
	// heartbeat is how often a message at work is made invisible again. One may fail: after two in a row there is no
	// time left for a third.
	heartbeat = 30 * time.Second
	// firstDelay is the wait after a message's first failure. It doubles with each, up to lastDelay. The first five
	// together are longer than a lease, so a message that waits for the lease of a dead worker outlives it.
	firstDelay = 5 * time.Second
	lastDelay  = time.Minute
	// callTime bounds a call about a message, retries included.
	callTime = 10 * time.Second
)

// Consumer looks after messages while they are handled. Make one with Client; the rest has defaults.
type Consumer struct {
	Client *awssqs.Client
	// Log defaults to slog.Default.
	Log *slog.Logger
	// Heartbeat defaults to 30 seconds, and Delay, the wait before a message that was received so often and failed
	// comes again, to 5 seconds that double up to a minute. SQS counts whole seconds.
	Heartbeat time.Duration
	Delay     func(receives int) time.Duration
	// Now defaults to time.Now.
	Now func() time.Time
}

// Delivery is a received message.
type Delivery struct {
	QueueURL, ReceiptHandle, MessageID, Body string
	// Receives is the message's ApproximateReceiveCount: 1 for the first time.
	Receives int
}

// Handle handles a message. Meanwhile it keeps the message invisible, for 90 seconds at a time; where that is lost, the
// handler's context ends with the cause ErrLost. A handler's error is returned after the message got the time of its
// next delivery. The caller deletes a message that was handled without an error: for a Lambda function, Lambda does.
func (c Consumer) Handle(ctx context.Context, d Delivery, handle queue.Handler) error {
	c = c.withDefaults()
	m, err := decode(d.Body)
	if err != nil {
		c.Log.ErrorContext(ctx, "a message cannot be read; it goes to the dead letters", "message", d.MessageID,
			"queue", d.QueueURL, "error", err)
		// Again at once: to be received too often is what sends it there.
		c.release(ctx, d, 0)
		return fmt.Errorf("message %s: %w", d.MessageID, err)
	}
	lost, err := c.work(ctx, d, m, handle)
	if err == nil || lost {
		return err
	}
	c.Log.WarnContext(ctx, "a message comes again", "task", m.Task, "account", m.Account, "run", m.RunID, "receives",
		d.Receives, "error", err)
	delay := c.Delay(d.Receives)
	if ctx.Err() != nil {
		// This worker was told to stop, which is nothing to wait for.
		delay = 0
	}
	c.release(ctx, d, delay)
	return err
}

// decode reads a message's body.
func decode(body string) (m queue.Message, err error) {
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrPoison, err)
	}
	if m.Account == "" || m.RunID == "" || m.Task == "" {
		return m, fmt.Errorf("%w: it names no run", ErrPoison)
	}
	return m, nil
}

// work calls the handler while the message is held, and reports whether it was lost.
func (c Consumer) work(ctx context.Context, d Delivery, m queue.Message, handle queue.Handler) (lost bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		c.hold(ctx, d, cancel)
	}()
	defer func() {
		lost = errors.Is(context.Cause(ctx), ErrLost)
		cancel(nil)
		// A heartbeat under way would undo what is said of the message next.
		<-stopped
	}()
	return false, handle(ctx, m)
}

func (c Consumer) withDefaults() Consumer {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = heartbeat
	}
	if c.Delay == nil {
		c.Delay = defaultDelay
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func defaultDelay(receives int) time.Duration {
	delay := firstDelay
	for range receives - 1 {
		delay = min(2*delay, lastDelay)
	}
	return delay
}

// hold keeps a message invisible until ctx ends. It cancels with ErrLost where the message is no longer this worker's,
// and where that could not be asked for so long that it need not be.
func (c Consumer) hold(ctx context.Context, d Delivery, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(c.Heartbeat)
	defer ticker.Stop()
	for held := c.Now(); ; {
		asked := c.Now()
		err := c.setVisibility(ctx, d, Visibility)
		switch {
		case err == nil:
			held = asked
		case isLost(err) || c.Now().Sub(held) >= Visibility-c.Heartbeat:
			c.Log.WarnContext(ctx, "a message at work was lost", "message", d.MessageID, "error", err)
			cancel(ErrLost)
			return
		default:
			c.Log.WarnContext(ctx, "a message at work could not be held; it is tried again", "message", d.MessageID,
				"error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// isLost reports whether SQS says that a receipt handle no longer holds its message.
func isLost(err error) bool {
	var notInFlight *types.MessageNotInflight
	var invalid *types.ReceiptHandleIsInvalid
	var api smithy.APIError
	return errors.As(err, &notInFlight) || errors.As(err, &invalid) || errors.As(err, &api) &&
		api.ErrorCode() == "InvalidParameterValue"
}

// release makes a message visible again after a delay. Where that fails, the message comes back when its time is over.
func (c Consumer) release(ctx context.Context, d Delivery, delay time.Duration) {
	if err := c.setVisibility(ctx, d, delay); err != nil {
		c.Log.WarnContext(ctx, "a message could not be given back early", "message", d.MessageID, "error", err)
	}
}

// setVisibility makes a message invisible for a time from now. It goes on where ctx ends: a request that was given up
// may still arrive, after the next one.
func (c Consumer) setVisibility(ctx context.Context, d Delivery, to time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	_, err := c.Client.ChangeMessageVisibility(ctx, &awssqs.ChangeMessageVisibilityInput{
		QueueUrl: &d.QueueURL, ReceiptHandle: &d.ReceiptHandle, VisibilityTimeout: int32(to / time.Second),
	})
	return err
}
