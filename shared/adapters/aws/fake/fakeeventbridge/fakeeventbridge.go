// Package fakeeventbridge is an EventBridge service in memory that keeps the events it takes and refuses what
// EventBridge refuses (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
package fakeeventbridge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rollcall/shared/adapters/aws/fake"
)

const (
	maxEntries = 10
	// maxBytes bounds all entries of a request together.
	maxBytes = 256 << 10
	// timeBytes is what an entry's time counts as.
	timeBytes = 14
)

// Event is an event that was taken.
type Event struct {
	Bus, Source, DetailType string
	Detail                  json.RawMessage
	// Time is in seconds since 1970.
	Time float64
}

// Server is the service, an http.Handler.
type Server struct {
	*fake.Service
	buses   []string
	mu      sync.Mutex
	events  []Event
	refusal []string
}

// New makes a service with buses.
func New(buses ...string) *Server {
	s := &Server{buses: buses}
	s.Service = &fake.Service{Name: "events", Target: "AWSEvents", Version: "1.1",
		Operations: map[string]fake.Operation{"PutEvents": fake.Do(s.put)}}
	return s
}

// Events returns the events that were taken, in order.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Refuse lets the next entries fail with these codes, one each, in answers that succeed.
func (s *Server) Refuse(codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = append(s.refusal, codes...)
}

type input struct{ Entries []entry }

type entry struct {
	EventBusName, Source, DetailType, Detail string
	Time                                     *float64
}

type output struct {
	FailedEntryCount int
	Entries          []result
}

type result struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

func (s *Server) put(_ context.Context, in input) (out output, err error) {
	total := 0
	for _, e := range in.Entries {
		total += len(e.Source) + len(e.DetailType) + len(e.Detail)
		if e.Time != nil {
			total += timeBytes
		}
	}
	switch {
	case len(in.Entries) == 0 || len(in.Entries) > maxEntries:
		return out, fake.Refuse("ValidationException",
			"Value at 'entries' failed to satisfy constraint: Member must have length between 1 and %d", maxEntries)
	case total > maxBytes:
		return out, fake.Refuse("ValidationException", "Total size of the entries in the request is over the limit.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range in.Entries {
		r := s.take(e)
		if r.ErrorCode != "" {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, r)
	}
	return out, nil
}

// take keeps an event or says why not.
func (s *Server) take(e entry) result {
	switch {
	case len(s.refusal) > 0:
		code := s.refusal[0]
		s.refusal = s.refusal[1:]
		return result{ErrorCode: code, ErrorMessage: "refused for the test"}
	case e.Source == "" || e.DetailType == "" || e.Detail == "":
		return result{ErrorCode: "InvalidArgument",
			ErrorMessage: "Parameters Source, DetailType and Detail are required."}
	case strings.HasPrefix(e.Source, "aws."):
		return result{ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: "Not authorized for the source."}
	case len(e.DetailType) > 128:
		return result{ErrorCode: "InvalidArgument", ErrorMessage: "DetailType is longer than 128 characters."}
	case !slices.Contains(s.buses, e.EventBusName):
		return result{ErrorCode: "ResourceNotFoundException", ErrorMessage: "Event bus " + e.EventBusName +
			" does not exist."}
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(e.Detail), &object); err != nil {
		return result{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	taken := Event{Bus: e.EventBusName, Source: e.Source, DetailType: e.DetailType, Detail: json.RawMessage(e.Detail)}
	if e.Time != nil {
		taken.Time = *e.Time
	}
	s.events = append(s.events, taken)
	return result{EventID: fmt.Sprintf("event-%d", len(s.events))}
}
