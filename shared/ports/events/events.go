// Package events is the port through which other programs learn what became of a sync, and that the Users List changed:
// the mailer of Held Spam Reports, the mail filter, alerts.
package events

import (
	"context"
	"log/slog"
	"time"

	"rollcall/shared/user"
)

// Name says what happened.
type Name string

// The events about the end of a sync. Package notify names the others.
const (
	UsersImported Name = "Users Imported"
	SyncFailed    Name = "Sync Failed"
	SyncBlocked   Name = "Sync Blocked"
)

// Event is one thing that happened. It is published at least once: name and id of the detail together show a
// repetition.
type Event struct {
	Name    Name
	Account user.Account
	At      time.Time
	// Detail is what is told, as JSON. Its LogValue says what of it belongs into a log.
	Detail slog.LogValuer
}

// Sync is the detail of an event about the end of a sync.
type Sync struct {
	// ID is made of the run's id and the state in which it ended.
	ID      string       `json:"id"`
	Account user.Account `json:"account"`
	RunID   string       `json:"runId"`
	At      time.Time    `json:"at"`
	// Trigger is what started the sync: manual, schedule, quick or undo.
	Trigger string `json:"trigger"`
	Created int    `json:"created"`
	Updated int    `json:"updated"`
	Deleted int    `json:"deleted"`
	// SendHSR reports whether Held Spam Reports were asked for, and NewUsers is the path that lists the new users.
	SendHSR  bool   `json:"sendHSR"`
	NewUsers string `json:"newUsers,omitempty"`
	// Code and Message say why a sync failed or was blocked.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// LogValue is all of it.
func (s Sync) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("run", s.RunID), slog.String("trigger", s.Trigger), slog.Int("created", s.Created),
		slog.Int("updated", s.Updated), slog.Int("deleted", s.Deleted), slog.Bool("sendHSR", s.SendHSR),
		slog.String("newUsers", s.NewUsers), slog.String("code", s.Code), slog.String("message", s.Message),
	)
}

// Publisher tells others.
type Publisher interface {
	Publish(ctx context.Context, e Event) error
}

// Log publishes to a log, where nobody else listens.
type Log struct{ Log *slog.Logger }

// Publish writes the event to the log.
func (l Log) Publish(ctx context.Context, e Event) error {
	// A group without a name stands among the others.
	l.Log.InfoContext(ctx, "event", "name", e.Name, "account", e.Account, "", e.Detail)
	return nil
}
