package fakesqs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/shared/adapters/aws/fake"
)

// deduplication is how long SQS knows a deduplication id.
const deduplication = 5 * time.Minute

// fifo is a queue and what is in it.
type fifo struct {
	Queue
	messages []*message
	recent   map[string]sent
}

// sent is what is known of a deduplication id.
type sent struct {
	id    string
	until time.Time
}

type message struct {
	id, body, group, deduplication, handle string
	sentAt, visibleAt                      time.Time
	receives                               int
}

// send adds a message, or returns the id of the one that was sent with the same deduplication id.
func (q *fifo) send(now time.Time, id string, in sendInput) string {
	if earlier, ok := q.recent[in.MessageDeduplicationID]; ok && now.Before(earlier.until) {
		return earlier.id
	}
	q.recent[in.MessageDeduplicationID] = sent{id: id, until: now.Add(deduplication)}
	q.messages = append(q.messages, &message{
		id: id, body: in.MessageBody, group: in.MessageGroupID, deduplication: in.MessageDeduplicationID, sentAt: now,
		visibleAt: now,
	})
	return id
}

// receive hands out up to limit messages, the oldest first, of groups that have none in flight.
func (q *fifo) receive(now time.Time, limit int, visibility time.Duration, dead *fifo) []*message {
	blocked := make(map[string]bool)
	for _, m := range q.messages {
		if now.Before(m.visibleAt) {
			blocked[m.group] = true
		}
	}
	var out []*message
	for _, m := range slices.Clone(q.messages) {
		switch {
		case blocked[m.group] || len(out) == limit:
			continue
		case dead != nil && m.receives >= q.MaxReceives:
			q.drop(m)
			m.handle, m.receives = "", 0
			dead.messages = append(dead.messages, m)
			continue
		}
		m.receives++
		m.visibleAt = now.Add(visibility)
		out = append(out, m)
	}
	return out
}

func (q *fifo) drop(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(o *message) bool { return o == m })
}

// errNotInFlight says that a message is gone or visible, and errExpired that it was received by somebody else since.
var (
	errNotInFlight = &fake.Error{
		Code: "com.amazonaws.sqs#MessageNotInflight", QueryCode: "AWS.SimpleQueueService.MessageNotInflight",
		Message: "The message is not in flight.",
	}
	errExpired = fake.Refuse("InvalidParameterValue",
		"Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
)

// inFlight finds a received message by the handle that it was received with. One that is visible again is
// errNotInFlight, and so is one that is gone, without a message.
func (q *fifo) inFlight(now time.Time, handle string) (*message, error) {
	id, count, ok := strings.Cut(handle, ".")
	if _, err := strconv.Atoi(count); !ok || err != nil {
		return nil, fake.Refuse("com.amazonaws.sqs#ReceiptHandleIsInvalid", "The input receipt handle %q is invalid.",
			handle)
	}
	for _, m := range q.messages {
		switch {
		case m.id != id:
			continue
		case m.handle != handle:
			return nil, errExpired
		case !now.Before(m.visibleAt):
			return m, errNotInFlight
		}
		return m, nil
	}
	return nil, errNotInFlight
}

// count counts the messages that wait and those in flight.
func (q *fifo) count(now time.Time) (waiting, hidden int) {
	for _, m := range q.messages {
		if now.Before(m.visibleAt) {
			hidden++
		} else {
			waiting++
		}
	}
	return waiting, hidden
}

// attributes returns the system attributes that were asked for.
func (m *message) attributes(names []string) map[string]string {
	// The names were checked.
	out, _ := chosen(map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(m.receives),
		"SentTimestamp":           strconv.FormatInt(m.sentAt.UnixMilli(), 10),
		"MessageGroupId":          m.group, "MessageDeduplicationId": m.deduplication,
	}, names)
	return out
}

// chosen picks the named attributes, or all.
func chosen(all map[string]string, names []string) (map[string]string, error) {
	if slices.Contains(names, "All") {
		return all, nil
	}
	out := make(map[string]string)
	for _, name := range names {
		value, ok := all[name]
		if !ok {
			return nil, fake.Refuse("com.amazonaws.sqs#InvalidAttributeName", "Unknown attribute %s.", name)
		}
		out[name] = value
	}
	return out, nil
}
