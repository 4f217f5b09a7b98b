// Package notify tells an account's administrators, and programs that they named, what became of its syncs: by mail and
// by signed webhooks.
package notify

import (
	"encoding/json"
	"log/slog"
	"net/url"
	"time"

	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Type is what happened, as CloudEvents name it.
type Type string

// The types of event.
const (
	// SyncFailed, SyncBlocked: a full sync ended so, and the one before it did not.
	SyncFailed  Type = "rollcall.sync.failed"
	SyncBlocked Type = "rollcall.sync.blocked"
	// SyncRecovered: a full sync went through, the first one after some that failed or were blocked.
	SyncRecovered Type = "rollcall.sync.recovered"
	// SyncMissed: no full sync ended within twice the schedule's interval.
	SyncMissed Type = "rollcall.sync.missed"
	// UsersChanged: a sync, an undo or an edit by hand changed the Users List.
	UsersChanged Type = "rollcall.users.changed"
	// Test: somebody tries the notifications out.
	Test Type = "rollcall.test"
)

// Event is a CloudEvents 1.0 event in the JSON format (https://github.com/cloudevents/spec/tree/v1.0.2), told at least
// once: a repetition has the same source and id. docs/events has a schema for each type.
type Event struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	// Source names the account: /accounts/ and its name, escaped as in a URL.
	Source string `json:"source"`
	Type   Type   `json:"type"`
	// Subject is what it is about: syncs/ and an id, users/ and an address, or schedule.
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Data      `json:"data"`
	// NoMail is set where a mail would be one of many: webhooks get the event all the same. It is for whoever tells the
	// event and goes no further.
	NoMail bool `json:"-"`
	// Digest is set where the event sums up a state that was told and lasts. It goes by mail only.
	Digest Digest `json:"digest,omitempty"`
}

// Digest says how the newest of the syncs that a digest sums up compares to the one that was told.
type Digest string

// The digests. Of missed syncs there is only the first.
const (
	SameReason  Digest = "same"
	OtherReason Digest = "other"
)

// New returns an event about an account.
func New(t Type, id string, account user.Account, subject string, at time.Time) Event {
	return Event{
		SpecVersion: "1.0", ID: id, Source: "/accounts/" + url.PathEscape(string(account)), Type: t, Subject: subject,
		Time: at.UTC(), DataContentType: "application/json", Data: Data{Account: account},
	}
}

// Data is what an event says. Which fields there are depends on its type.
type Data struct {
	Account user.Account `json:"account"`
	// SyncID is the sync that it is about, and Trigger what started that; empty for an edit by hand. A missed sync has
	// the one that ended last, if any did.
	SyncID  string      `json:"syncId,omitempty"`
	Trigger run.Trigger `json:"trigger,omitempty"`
	// Code and Message say why a sync failed or was blocked.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// Removals is how many users a blocked sync would remove: the number that confirms it.
	Removals int `json:"removals,omitempty"`
	// Since is when the trouble began that is over now, or when the last full sync ended before one was missed; After
	// is the trouble, failed or blocked, and Syncs counts the full syncs that ended so. A digest has Since and Syncs of
	// the trouble that lasts.
	Since time.Time `json:"since,omitzero"`
	After run.State `json:"after,omitempty"`
	Syncs int       `json:"syncs,omitempty"`
	// IntervalHours is the schedule's whose sync was missed.
	IntervalHours int `json:"intervalHours,omitempty"`
	// EditID is the edit's entry in the audit log, By is who made it, and Subject the address that was edited.
	EditID  string `json:"editId,omitempty"`
	By      string `json:"by,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Applied is what was done to the Users List.
	Applied *run.Applied `json:"applied,omitempty"`
	// Changes are the users that changed, where there are at most MaxChanges and the event is short enough, else nil.
	// ChangesURL, a path of the API, lists them all.
	Changes    []Change `json:"changes,omitempty"`
	ChangesURL string   `json:"changesUrl,omitempty"`
}

// MaxChanges is how many changes an event names at most, and MaxSize how long it may be, in bytes of JSON.
const (
	MaxChanges = 100
	MaxSize    = 200_000
)

// AddChanges lets the event name the changes, unless there are more than MaxChanges or it would be longer than MaxSize.
func (e *Event) AddChanges(changes []Change) error {
	if len(changes) > MaxChanges {
		return nil
	}
	longer := *e
	longer.Data.Changes = changes
	text, err := json.Marshal(longer)
	if err == nil && len(text) <= MaxSize {
		*e = longer
	}
	return err
}

// LogValue is what of the event belongs into a log: no address.
func (e Event) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("id", e.ID), slog.String("run", e.Data.SyncID)}
	if a := e.Data.Applied; a != nil {
		attrs = append(attrs,
			slog.Int("created", a.Create), slog.Int("updated", a.Update), slog.Int("deleted", a.Delete))
	}
	return slog.GroupValue(attrs...)
}

// Change is what was done to one user. A removed user is described as it was before.
type Change struct {
	Address        string    `json:"address"`
	Kind           user.Kind `json:"kind"`
	PrimaryAddress string    `json:"primaryAddress"`
	Type           user.Type `json:"type"`
	// Change is create, update or delete.
	Change string `json:"change"`
}
