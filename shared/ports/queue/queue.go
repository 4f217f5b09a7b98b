// Package queue is the port through which a run gets from the request that asked for it to the worker that does it.
// Messages of one group are handled one at a time, in order, and at least once.
package queue

import (
	"context"

	"rollcall/shared/user"
)

// Name is one of the queues.
type Name string

// The queues: previews (with explanations, and exports that outlast a request), which only read; syncs that somebody
// waits for; and those that the schedule started, with its looks, behind which nobody waits.
const (
	Previews  Name = "previews"
	Syncs     Name = "syncs"
	Scheduled Name = "scheduled"
)

// Task is what a message asks for.
type Task string

// The tasks.
const (
	TaskPreview Task = "preview"
	TaskExport  Task = "export"
	TaskSync    Task = "sync"
	// TaskLook asks for what changed since the last look. Its RunID is that of the sync that it starts, if any.
	TaskLook Task = "look"
	// TaskExplanation travels with the previews, and waits for none.
	TaskExplanation Task = "explanation"
)

// Message asks a worker to go on with one run. It carries no secret and no settings: those are in the run.
type Message struct {
	Task    Task         `json:"task"`
	Account user.Account `json:"account"`
	RunID   string       `json:"runId"`
	// Slice counts the continuations of a run that was split over several deliveries; with RunID it identifies
	// the message, so that the same one sent twice counts once.
	Slice int `json:"slice"`
	// Scheduled sends a sync on the queue of those that the schedule started, where looks are too.
	Scheduled bool `json:"scheduled,omitempty"`
	// Again is set, each time to another number, where a slice is sent again because it had to wait for another sync.
	Again int `json:"again,omitempty"`
}

// Queue returns the queue that the message travels on.
func (m Message) Queue() Name {
	switch {
	case m.Task == TaskLook, m.Task == TaskSync && m.Scheduled:
		return Scheduled
	case m.Task != TaskSync:
		return Previews
	}
	return Syncs
}

// Group names the messages that are handled one after the other: an account's of one queue. Explanations, which
// somebody waits for and which take a moment, are a group of their own: a preview may read for an hour.
type Group struct {
	Queue        Name
	Account      user.Account
	Explanations bool
}

// Group returns the group that the message belongs to.
func (m Message) Group() Group {
	return Group{Queue: m.Queue(), Account: m.Account, Explanations: m.Task == TaskExplanation}
}

// Sender puts messages on their queue.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Handler does what a message asks for. An error brings the message back later.
type Handler func(ctx context.Context, m Message) error
