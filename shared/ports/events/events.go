// Package events is the port through which others learn what became of a sync: the mailer of Held Spam Reports, and
// alerts.
package events

import (
	"context"
	"log/slog"
	"time"

	"rollcall/shared/user"
)

// Name says what happened.
type Name string

// The events.
const (
	UsersImported Name = "Users Imported"
	SyncFailed    Name = "Sync Failed"
	SyncBlocked   Name = "Sync Blocked"
)

// Event is one thing that happened. It is published at least once; Name and ID together show a repetition.
type Event struct {
	Name Name `json:"-"`
	// ID is made of the run's id and the state in which it ended.
	ID      string       `json:"id"`
	Account user.Account `json:"account"`
	RunID   string       `json:"runId"`
	At      time.Time    `json:"at"`
	// Trigger is what started the sync: manual, schedule or undo.
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

// Publisher tells others.
type Publisher interface {
	Publish(ctx context.Context, e Event) error
}

// Log publishes to a log, where nobody else listens.
type Log struct{ Log *slog.Logger }

// Publish writes the event to the log.
func (l Log) Publish(ctx context.Context, e Event) error {
	l.Log.InfoContext(
		ctx, "event", "name", e.Name, "account", e.Account, "run", e.RunID, "trigger", e.Trigger, "created",
		e.Created, "updated", e.Updated, "deleted", e.Deleted, "sendHSR", e.SendHSR, "newUsers", e.NewUsers, "code",
		e.Code, "message", e.Message,
	)
	return nil
}
