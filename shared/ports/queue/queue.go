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
// waits for; those that the schedule started, with its looks, behind which nobody waits; and deliveries of what is told
// by mail and webhook.
const (
	Previews   Name = "previews"
	Syncs      Name = "syncs"
	Scheduled  Name = "scheduled"
	Deliveries Name = "deliveries"
)

// Names lists every queue.
func Names() []Name { return []Name{Previews, Syncs, Scheduled, Deliveries} }

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
	// TaskMail, TaskWebhook and TaskTest ask for a try at a delivery, which RunID names; Slice is how often it was
	// tried before.
	TaskMail    Task = "mail"
	TaskWebhook Task = "webhook"
	TaskTest    Task = "test"
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
	case m.Task == TaskMail, m.Task == TaskWebhook, m.Task == TaskTest:
		return Deliveries
	case m.Task != TaskSync:
		return Previews
	}
	return Syncs
}

// LaneExplanations is the lane of explanations.
const LaneExplanations = "explanations"

// Group names the messages that are handled one after the other: an account's of one queue and lane.
type Group struct {
	Queue   Name
	Account user.Account
	// Lane keeps apart what need not wait for each other. Explanations, which somebody waits for and which take a
	// moment, have one: a preview may read for an hour. So have an account's mails, its webhook, and each test of them:
	// a receiver that is slow holds up what goes to it and nothing else. It is empty for all others.
	Lane string
}

// Group returns the group that the message belongs to.
func (m Message) Group() Group {
	g := Group{Queue: m.Queue(), Account: m.Account}
	switch m.Task {
	case TaskExplanation:
		g.Lane = LaneExplanations
	case TaskMail, TaskWebhook:
		g.Lane = string(m.Task)
	case TaskTest:
		g.Lane = m.RunID
	}
	return g
}

// Sender puts messages on their queue.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Handler does what a message asks for. An error brings the message back later.
type Handler func(ctx context.Context, m Message) error
