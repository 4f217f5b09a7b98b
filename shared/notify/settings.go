package notify

import (
	"slices"
	"strings"
	"time"
)

// Kind is what somebody may ask to be told of.
type Kind string

// The kinds.
const (
	Failed    Kind = "failed"
	Blocked   Kind = "blocked"
	Recovered Kind = "recovered"
	Missed    Kind = "missed"
	Changed   Kind = "changed"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Failed, Blocked, Recovered, Missed, Changed} }

// kind returns the kind of a type of event. A test is of none: it goes to everybody.
func (t Type) kind() Kind { return Kind(t[strings.LastIndexByte(string(t), '.')+1:]) }

// Settings say who is told of what in an account. The zero value tells nobody.
type Settings struct {
	// Email are up to MaxEmail addresses, each of which gets a mail of its own.
	Email   []string `json:"email,omitempty"`
	Webhook *Webhook `json:"webhook,omitempty"`
	Events  []Kind   `json:"events,omitempty"`
	// Last is what came of the newest delivery to each receiver that the settings name.
	Last []Outcome `json:"last,omitempty"`

	// Version moves whenever somebody saves (it is the time in Unix milliseconds, or one more than before); unlike
	// Revision it stays when a delivery leaves its mark.
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	UpdatedBy string    `json:"updatedBy,omitempty"`
	// Revision is the store's, for optimistic concurrency.
	Revision int64 `json:"revision"`
}

// Webhook is a receiver of events by HTTP.
type Webhook struct {
	URL string `json:"url"`
	// SealedSecret is the secret that events are signed with, sealed for Target.
	SealedSecret []byte `json:"sealedSecret"`
	// EndedAt is when the receiver said that it wants nothing more (410 Gone); zero while it is told.
	EndedAt time.Time `json:"endedAt,omitzero"`
}

// Outcome is what came of the newest delivery to a receiver.
type Outcome struct {
	// To is an address; empty for the webhook.
	To string `json:"to,omitempty"`
	// EventID and Type are the event's, At is when it was tried last, and Attempts how often.
	EventID  string    `json:"eventId"`
	Type     Type      `json:"type"`
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"`
	// Delivered reports whether the receiver took it. Status is its HTTP status, 0 for a mail and where none came.
	Delivered bool `json:"delivered"`
	Status    int  `json:"status,omitempty"`
	// Message says what the receiver answered, or why it was not reached.
	Message string `json:"message,omitempty"`
	// NextAt is when it is tried again; zero where that is over.
	NextAt time.Time `json:"nextAt,omitzero"`
}

// Wants reports whether an event of this type is to be told.
func (s Settings) Wants(t Type) bool {
	return t == Test || slices.Contains(s.Events, t.kind())
}

// Told reports whether somebody is told by a webhook that has not ended.
func (w *Webhook) Told() bool { return w != nil && w.EndedAt.IsZero() }

// Note puts an outcome in the place of the receiver's last one, and forgets receivers that are no longer named.
func (s *Settings) Note(o Outcome) {
	s.Last = slices.DeleteFunc(slices.Clone(s.Last), func(last Outcome) bool { return last.To == o.To })
	s.Last = append(s.Last, o)
	s.Forget()
}

// Forget drops the outcomes of receivers that are no longer named.
func (s *Settings) Forget() {
	s.Last = slices.DeleteFunc(s.Last, func(last Outcome) bool {
		if last.To == "" {
			return s.Webhook == nil
		}
		return !slices.Contains(s.Email, last.To)
	})
}
