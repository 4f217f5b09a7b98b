// Package eventbridge publishes events on an EventBridge bus, where rules pick them up: the mailer of Held Spam
// Reports, alerts.
package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awseventbridge "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	smithytime "github.com/aws/smithy-go/time"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/events"
)

var (
	// ErrTooLarge means that an event is longer than EventBridge takes.
	ErrTooLarge = errors.New("the event is too long for the bus")
	// ErrRefused means that EventBridge took the request but not the event.
	ErrRefused = errors.New("the bus refused the event")
)

const (
	// maxEntry is how long an event may be, in bytes, as EventBridge counts (see size).
	maxEntry = 256 << 10
	// attempts is how often an event is sent that the bus refuses for a reason that passes.
	attempts = 5
	// firstWait is the wait before the second attempt. It doubles with each.
	firstWait = 100 * time.Millisecond
)

// NewClient returns a client that slows down where EventBridge throttles it. Its endpoint may come from
// AWS_ENDPOINT_URL_EVENTBRIDGE.
func NewClient(c aws.Config) *awseventbridge.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return awseventbridge.NewFromConfig(c)
}

// Publisher is an events.Publisher on a bus.
type Publisher struct {
	client *awseventbridge.Client
	bus    string
}

// New returns a publisher on the bus with a name or ARN.
func New(client *awseventbridge.Client, bus string) Publisher { return Publisher{client, bus} }

// Publish puts an event on the bus: its name is the detail type, its JSON the detail. A nil error means that
// EventBridge has it.
func (p Publisher) Publish(ctx context.Context, e events.Event) error {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return fmt.Errorf("publish %q of account %q: %w", e.Name, e.Account, err)
	}
	entry := types.PutEventsRequestEntry{
		EventBusName: &p.bus, Source: aws.String(manifest.EventSource), DetailType: aws.String(string(e.Name)),
		Detail: aws.String(string(detail)), Time: &e.At,
	}
	if n := size(entry); n > maxEntry {
		return fmt.Errorf("publish %q of account %q: %w: %d bytes", e.Name, e.Account, ErrTooLarge, n)
	}
	wait := firstWait
	for attempt := 1; ; attempt++ {
		passes, err := p.put(ctx, entry)
		if err == nil {
			return nil
		}
		if !passes || attempt == attempts || smithytime.SleepWithContext(ctx, wait) != nil {
			return fmt.Errorf("publish %q of account %q: %w", e.Name, e.Account, errors.Join(context.Cause(ctx), err))
		}
		wait *= 2
	}
}

// put sends an entry. The client tries a request that failed again by itself, but EventBridge also refuses single
// entries of one that succeeded; put reports whether the reason is temporary.
func (p Publisher) put(ctx context.Context, entry types.PutEventsRequestEntry) (passes bool, err error) {
	out, err := p.client.PutEvents(ctx, &awseventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry}})
	if err != nil {
		return false, err
	}
	if out.FailedEntryCount == 0 {
		return false, nil
	}
	code, message := "", ""
	for _, e := range out.Entries {
		code, message = aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage)
	}
	switch code {
	case "ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable":
		passes = true
	}
	return passes, fmt.Errorf("%w: %s: %s", ErrRefused, code, message)
}

// size counts an entry as EventBridge does: 14 bytes for the time, and the UTF-8 of source, detail type and detail
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html).
func size(e types.PutEventsRequestEntry) int {
	return 14 + len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
}
