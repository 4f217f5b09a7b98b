package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakesqs"
	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/queue/queuetest"
)

const (
	previews  = "previews.fifo"
	syncs     = "syncs.fifo"
	scheduled = "scheduled.fifo"
	mails     = "deliveries.fifo"
	dead      = "dead.fifo"
)

// service is a fake with all queues, a sender and a consumer.
type service struct {
	*sqs.Sender
	fake     *fakesqs.Server
	client   *awssqs.Client
	consumer sqs.Consumer
	urls     sqs.URLs
}

// Run makes it a queuetest.Queue.
func (s *service) Run(ctx context.Context, handle queue.Handler) error {
	s.consumer.Receive(ctx, s.urls, 2, handle)
	return nil
}

func start(t *testing.T, now func() time.Time) *service {
	t.Helper()
	server := fakesqs.New(now, fakesqs.Queue{Name: previews},
		fakesqs.Queue{Name: scheduled}, fakesqs.Queue{Name: mails},
		fakesqs.Queue{Name: syncs, MaxReceives: 3, DeadLetters: dead}, fakesqs.Queue{Name: dead})
	s := &service{fake: server, client: sqs.NewClient(fake.Serve(t, server))}
	s.urls = sqs.URLs{queue.Previews: fakesqs.URL("http://sqs", previews),
		queue.Syncs: fakesqs.URL("http://sqs", syncs), queue.Scheduled: fakesqs.URL("http://sqs", scheduled),
		queue.Deliveries: fakesqs.URL("http://sqs", mails)}
	s.Sender = sqs.NewSender(s.client, s.urls)
	s.consumer = sqs.Consumer{
		Client: s.client, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Delay: func(int) time.Duration { return 0 }, Now: now,
	}
	return s
}

// startFast starts a service whose time goes ten times as fast. A receiver that hangs up just as a message can be
// received may take the message along, here as with SQS: it comes again when its 90 seconds are over, and a test that
// stops receivers waits for that.
func startFast(t *testing.T) *service {
	t.Helper()
	began := time.Now()
	s := start(t, func() time.Time { return began.Add(10 * time.Since(began)) })
	s.consumer.Heartbeat = 3 * time.Second
	return s
}

// receive receives one message, as Lambda does for its function.
func (s *service) receive(t *testing.T) sqs.Delivery {
	t.Helper()
	out, err := s.client.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{
		QueueUrl: aws.String(s.urls[queue.Syncs]), VisibilityTimeout: 900, WaitTimeSeconds: 5,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("received %+v, error %v; want one message", out, err)
	}
	m := out.Messages[0]
	return sqs.Delivery{QueueURL: s.urls[queue.Syncs], ReceiptHandle: *m.ReceiptHandle, MessageID: *m.MessageId,
		Body: *m.Body, Receives: 1}
}

// clock is a time of day that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T) queuetest.Queue { return startFast(t) })
}

func TestASenderNeedsTheQueue(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	if err := sqs.NewSender(s.client, sqs.URLs{}).Send(t.Context(), queuetest.Sync("a", "1")); err == nil {
		t.Error("a message for a queue without a URL was sent")
	}
	gone := sqs.NewSender(s.client, sqs.URLs{queue.Syncs: fakesqs.URL("http://sqs", "none.fifo")})
	var missing *types.QueueDoesNotExist
	if err := gone.Send(t.Context(), queuetest.Sync("a", "1")); !errors.As(err, &missing) {
		t.Errorf("a queue that does not exist: error %v", err)
	}
}

func TestTheBodyIsTheMessage(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	want := queue.Message{Task: queue.TaskSync, Account: "ä\x00", RunID: "01J", Slice: 3}
	if err := s.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	var got queue.Message
	if err := json.Unmarshal([]byte(s.receive(t).Body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARunLookedAfterGetsItsMessageAgain(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := start(t, c.now)
	for i, want := range []int{1, 1, 2} {
		if err := s.Send(t.Context(), queuetest.Sync("a", "1")); err != nil {
			t.Fatal(err)
		}
		if got := len(s.fake.Bodies(syncs)); got != want {
			t.Errorf("after %d sends there are %d messages, want %d", i+1, got, want)
		}
		c.advance(4 * time.Minute)
	}
}

func TestAHandlerAtWorkKeepsItsMessage(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := start(t, c.now)
	s.consumer.Heartbeat = 10 * time.Millisecond
	if err := s.Send(t.Context(), queuetest.Sync("a", "1")); err != nil {
		t.Fatal(err)
	}
	d := s.receive(t)
	err := s.consumer.Handle(t.Context(), d, func(ctx context.Context, _ queue.Message) error {
		for range 5 {
			s.awaitHeartbeat(ctx)
			c.advance(80 * time.Second)
		}
		s.awaitHeartbeat(ctx)
		return context.Cause(ctx)
	})
	if err != nil {
		t.Error(err)
	}
	// The worker died: nobody extends the 90 seconds.
	c.advance(89 * time.Second)
	if got := s.waiting(t); got != 0 {
		t.Errorf("%d messages wait 89 seconds after the last heartbeat, want 0", got)
	}
	c.advance(time.Second)
	if got := s.waiting(t); got != 1 {
		t.Errorf("%d messages wait 90 seconds after the last heartbeat, want 1", got)
	}
}

// awaitHeartbeat waits until a heartbeat that began after this call has been answered.
func (s *service) awaitHeartbeat(ctx context.Context) {
	count := func() int {
		return len(slices.DeleteFunc(s.fake.Calls(),
			func(c fake.Call) bool { return c.Operation != "ChangeMessageVisibility" }))
	}
	// Two: the first may have begun before.
	for start := count(); count() < start+2 && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
	}
}

// waiting returns how many syncs could be received.
func (s *service) waiting(t *testing.T) int {
	t.Helper()
	out, err := s.client.GetQueueAttributes(t.Context(), &awssqs.GetQueueAttributesInput{
		QueueUrl:       aws.String(s.urls[queue.Syncs]),
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALostMessageEndsItsHandler(t *testing.T) {
	t.Parallel()
	unavailable := &fake.Error{Status: http.StatusBadRequest, Code: "AccessDenied", Message: "not now"}
	for name, lose := range map[string]func(*service, *clock){
		"another consumer has it": func(s *service, c *clock) {
			c.advance(91 * time.Second)
			if _, err := s.client.ReceiveMessage(context.Background(),
				&awssqs.ReceiveMessageInput{QueueUrl: aws.String(s.urls[queue.Syncs])}); err != nil {
				panic(err)
			}
		},
		"it is visible again": func(_ *service, c *clock) { c.advance(91 * time.Second) },
		"SQS refuses for too long": func(s *service, c *clock) {
			s.fake.Fail("ChangeMessageVisibility", slices.Repeat([]error{unavailable}, 1000)...)
			c.advance(sqs.Visibility)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s := start(t, c.now)
			s.consumer.Heartbeat = 30 * time.Millisecond
			s.consumer.Delay = func(int) time.Duration { t.Error("a lost message was given back"); return 0 }
			if err := s.Send(t.Context(), queuetest.Sync("a", "1")); err != nil {
				t.Fatal(err)
			}
			err := s.consumer.Handle(t.Context(), s.receive(t), func(ctx context.Context, _ queue.Message) error {
				s.awaitHeartbeat(ctx)
				lose(s, c)
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Second):
				}
				return context.Cause(ctx)
			})
			if !errors.Is(err, sqs.ErrLost) {
				t.Errorf("error %v, want %v", err, sqs.ErrLost)
			}
		})
	}
}

func TestAHeartbeatThatFailsOnceIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.consumer.Heartbeat = 10 * time.Millisecond
	s.fake.Fail("ChangeMessageVisibility", fake.Refuse("AccessDenied", "not now"))
	if err := s.Send(t.Context(), queuetest.Sync("a", "1")); err != nil {
		t.Fatal(err)
	}
	if err := s.consumer.Handle(t.Context(), s.receive(t), func(ctx context.Context, _ queue.Message) error {
		s.awaitHeartbeat(ctx)
		return context.Cause(ctx)
	}); err != nil {
		t.Error(err)
	}
}

func TestAFailedMessageComesAgainAfterAGrowingWait(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := start(t, c.now)
	s.consumer.Delay = nil
	broken := errors.New("broken")
	fail := func(ctx context.Context, receives int) {
		t.Helper()
		d := s.receive(t)
		d.Receives = receives
		if err := s.consumer.Handle(ctx, d, func(context.Context,
			queue.Message) error {
			return broken
		}); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
	}
	for _, test := range []struct {
		receives int
		wait     time.Duration
	}{{1, 5 * time.Second}, {2, 10 * time.Second}, {3, 20 * time.Second}, {0, 5 * time.Second}, {5, time.Minute},
		{100, time.Minute}} {
		if err := s.Send(t.Context(), queuetest.Sync("a", test.wait.String())); err != nil {
			t.Fatal(err)
		}
		fail(t.Context(), test.receives)
		c.advance(test.wait - time.Second)
		if got := s.waiting(t); got != 0 {
			t.Errorf("received %d times: it comes again before %s", test.receives, test.wait)
		}
		c.advance(time.Second)
		d := s.receive(t)
		if _, err := s.client.DeleteMessage(t.Context(),
			&awssqs.DeleteMessageInput{QueueUrl: &d.QueueURL, ReceiptHandle: &d.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		c.advance(10 * time.Minute)
	}
	if err := s.Send(t.Context(), queuetest.Sync("a", "stopped")); err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	fail(stopped, 4)
	if got := s.waiting(t); got != 1 {
		t.Error("a worker that was told to stop keeps its message")
	}
}

func TestWhatFailsAlwaysGoesToTheDeadLetters(t *testing.T) {
	t.Parallel()
	s := startFast(t)
	good := queuetest.Sync("a", "good")
	bad := queuetest.Sync("a", "bad")
	for _, m := range []queue.Message{bad, good} {
		if err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, body := range []string{`{"task":`, `{}`, `[1]`} {
		if _, err := s.client.SendMessage(t.Context(), &awssqs.SendMessageInput{
			QueueUrl: aws.String(s.urls[queue.Syncs]), MessageBody: &body, MessageGroupId: aws.String("g"),
			MessageDeduplicationId: aws.String(body),
		}); err != nil {
			t.Fatal(err)
		}
	}
	tries := 0
	got := queuetest.Handled(t, s, 1, func(_ context.Context, m queue.Message) error {
		if m == bad {
			tries++
			return errors.New("always")
		}
		return nil
	})
	if got[0] != good || tries != 3 {
		t.Errorf("handled %+v after %d tries of the other, want 3", got[0], tries)
	}
	// Poison takes a moment longer than the one that was waited for.
	for deadline := time.Now().Add(20 * time.Second); len(s.fake.Bodies(dead)) < 4 && time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_ = s.Run(ctx, func(context.Context, queue.Message) error { return nil })
		cancel()
	}
	if letters := s.fake.Bodies(dead); len(letters) != 4 {
		t.Errorf("the dead letters are %q, want the bad message and three that cannot be read", letters)
	}
}

//nolint:paralleltest // it sets the environment
func TestTheEndpointComesFromTheEnvironment(t *testing.T) {
	service := fakesqs.New(nil, fakesqs.Queue{Name: syncs})
	for _, variable := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"} {
		t.Run(variable, func(t *testing.T) {
			s := sqs.NewSender(sqs.NewClient(fake.FromEnvironment(t, variable, service)),
				sqs.URLs{queue.Syncs: fakesqs.URL("http://sqs", syncs)})
			if err := s.Send(t.Context(), queuetest.Sync("a", variable)); err != nil {
				t.Error(err)
			}
		})
	}
	if got := len(service.Bodies(syncs)); got != 2 {
		t.Errorf("%d messages arrived, want 2", got)
	}
}
