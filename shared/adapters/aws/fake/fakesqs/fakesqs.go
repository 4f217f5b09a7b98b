// Package fakesqs is an SQS service in memory with FIFO queues: order within a message group, groups that wait for
// their message in flight, deduplication for five minutes, visibility timeouts, receive counts and dead-letter queues.
// It checks what is sent as SQS does (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/).
package fakesqs

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/shared/adapters/aws/fake"
)

// Queue is a queue to make. Its name ends in .fifo.
type Queue struct {
	Name string
	// Visibility is how long a received message stays invisible; 30 seconds where it is 0.
	Visibility time.Duration
	// A message that was received MaxReceives times goes to the queue DeadLetters in place of a further time.
	MaxReceives int
	DeadLetters string
}

// Server is the service, an http.Handler.
type Server struct {
	*fake.Service
	now    func() time.Time
	mu     sync.Mutex
	queues map[string]*fifo
	ids    int
}

// New makes a service with queues. now may be nil for the time of day; where it stands still, a receiver waits in real
// time.
func New(now func() time.Time, queues ...Queue) *Server {
	if now == nil {
		now = time.Now
	}
	s := &Server{now: now, queues: make(map[string]*fifo)}
	for _, q := range queues {
		if q.Visibility == 0 {
			q.Visibility = 30 * time.Second
		}
		s.queues[q.Name] = &fifo{Queue: q, recent: make(map[string]sent)}
	}
	s.Service = &fake.Service{Name: "sqs", Target: "AmazonSQS", Version: "1.0", Operations: map[string]fake.Operation{
		"SendMessage":             fake.Do(s.send),
		"ReceiveMessage":          fake.Do(s.receive),
		"DeleteMessage":           fake.Do(s.remove),
		"ChangeMessageVisibility": fake.Do(s.changeVisibility),
		"GetQueueAttributes":      fake.Do(s.attributes),
	}}
	return s
}

// URL returns the URL of a queue. Only its last part counts; base is where the server is.
func URL(base, name string) string { return base + "/000000000000/" + name }

// Bodies returns the bodies of the messages in a queue, in the order in which they were sent.
func (s *Server) Bodies(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bodies []string
	for _, m := range s.queues[name].messages {
		bodies = append(bodies, m.body)
	}
	return bodies
}

// queue finds a queue by its URL.
func (s *Server) queue(url string) (*fifo, error) {
	if q := s.queues[url[strings.LastIndex(url, "/")+1:]]; q != nil {
		return q, nil
	}
	return nil, &fake.Error{
		Code: "com.amazonaws.sqs#QueueDoesNotExist", QueryCode: "AWS.SimpleQueueService.NonExistentQueue",
		Message: "The specified queue does not exist.",
	}
}

// id returns a number that was not given before.
func (s *Server) id() string {
	s.ids++
	return strconv.Itoa(s.ids)
}

// Names are matched without regard to case.
type sendInput struct{ QueueURL, MessageBody, MessageGroupID, MessageDeduplicationID string }

type sendOutput struct {
	MD5OfMessageBody, SequenceNumber string
	MessageID                        string `json:"MessageId"`
}

func (s *Server) send(_ context.Context, in sendInput) (out sendOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return out, err
	}
	if err := in.check(); err != nil {
		return out, err
	}
	id := q.send(s.now(), s.id(), in)
	return sendOutput{MD5OfMessageBody: digest(in.MessageBody), MessageID: id,
		SequenceNumber: fmt.Sprintf("%020s", id)}, nil
}

func digest(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // the protocol's checksum
	return hex.EncodeToString(sum[:])
}

type receiveInput struct {
	QueueURL                                    string
	MaxNumberOfMessages                         *int
	WaitTimeSeconds                             int
	VisibilityTimeout                           *int
	MessageSystemAttributeNames, AttributeNames []string
	ReceiveRequestAttemptID                     string
}

type receiveOutput struct{ Messages []received }

type received struct {
	MessageID                      string `json:"MessageId"`
	ReceiptHandle, Body, MD5OfBody string
	Attributes                     map[string]string
}

// pollEvery is how often a waiting receiver looks.
const pollEvery = 10 * time.Millisecond

func (s *Server) receive(ctx context.Context, in receiveInput) (out receiveOutput, err error) {
	if err := in.check(); err != nil {
		return out, err
	}
	deadline := time.Now().Add(time.Duration(in.WaitTimeSeconds) * time.Second)
	for {
		s.mu.Lock()
		q, err := s.queue(in.QueueURL)
		// Whoever hung up gets nothing, or it would be invisible to all for a while.
		if err == nil && ctx.Err() == nil {
			out.Messages = s.take(q, in)
		}
		s.mu.Unlock()
		if err != nil || len(out.Messages) > 0 || !time.Now().Before(deadline) || ctx.Err() != nil {
			return out, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
}

// take hands out what can be received now.
func (s *Server) take(q *fifo, in receiveInput) []received {
	limit, visibility := 1, q.Visibility
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	var out []received
	for _, m := range q.receive(s.now(), limit, visibility, s.queues[q.DeadLetters]) {
		m.handle = m.id + "." + s.id()
		out = append(out, received{
			MessageID: m.id, ReceiptHandle: m.handle, Body: m.body, MD5OfBody: digest(m.body),
			Attributes: m.attributes(append(in.MessageSystemAttributeNames, in.AttributeNames...)),
		})
	}
	return out
}

type handleInput struct {
	QueueURL, ReceiptHandle string
	VisibilityTimeout       *int
}

func (s *Server) remove(_ context.Context, in handleInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, err
	}
	m, err := q.inFlight(s.now(), in.ReceiptHandle)
	switch {
	case err == nil:
		q.drop(m)
	case errors.Is(err, errNotInFlight) && m == nil:
		// What was deleted may be deleted again.
		err = nil
	case errors.Is(err, errNotInFlight):
		err = errExpired
	}
	return nil, err
}

func (s *Server) changeVisibility(_ context.Context, in handleInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkVisibility(in.VisibilityTimeout, true); err != nil {
		return nil, err
	}
	m, err := q.inFlight(s.now(), in.ReceiptHandle)
	if err != nil {
		return nil, err
	}
	m.visibleAt = s.now().Add(time.Duration(*in.VisibilityTimeout) * time.Second)
	return nil, nil
}

type attributesInput struct {
	QueueURL       string
	AttributeNames []string
}

type attributesOutput struct{ Attributes map[string]string }

func (s *Server) attributes(_ context.Context, in attributesInput) (out attributesOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return out, err
	}
	waiting, hidden := q.count(s.now())
	all := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(waiting),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden), "FifoQueue": "true",
		"VisibilityTimeout": strconv.Itoa(int(q.Visibility / time.Second)),
	}
	out.Attributes, err = chosen(all, in.AttributeNames)
	return out, err
}
