package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

const (
	// waitedFor is how often a connector asks while somebody waits, and idle how often otherwise, in seconds.
	waitedFor = 1
	idle      = 15
	// seenEvery is how often it is stored that an instance was seen.
	seenEvery = 20 * time.Second
	// maxBlocks bounds a recording.
	maxBlocks = 10_000
	// uploadTime is how long a link for a block works.
	uploadTime = 15 * time.Minute
	// maxAttempts is how often an order is given out, and longestOrder how long its read may take in all: longer than
	// a search on site may.
	maxAttempts  = 20
	longestOrder = 6 * time.Hour
	// What is stored of what an instance says: steps, targets, and the bytes of a target.
	maxSteps   = 50
	maxTargets = 50
	maxTarget  = 2 << 10
)

// Poll notes that an instance lives and what it holds, and gives it an order that it can do.
func (d *Desk) Poll(ctx context.Context, i Instance, p connector.Poll) (answer connector.Polled, err error) {
	now := d.now()
	var given *connectors.Order
	c, err := i.all.Update(ctx, i.id, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		answer, given = connector.Polled{WaitSeconds: idle}, nil
		at := instanceIndex(c, i.ID)
		if at < 0 {
			return nil, connector.ErrUnknown
		}
		changed := note(&c.Instances[at], p, now)
		if p.Busy != nil {
			order := held(c, p.Busy.Order, p.Busy.Attempt, i.ID)
			if answer.Stop = order == nil || tooOld(order, now); !answer.Stop {
				order.LeaseUntil = now.Add(connector.LeaseTime)
				given, changed = order, true
			}
		} else if given = nextOrder(c, p.Targets, i.ID, now); given != nil {
			changed = true
		}
		if wanted(c, now) {
			answer.WaitSeconds = waitedFor
		}
		if !changed {
			return nil, runs.ErrUnchanged
		}
		return nil, nil
	})
	if errors.Is(err, connectors.ErrNotFound) {
		return answer, ErrRevoked
	}
	if err != nil || given == nil {
		return answer, err
	}
	if p.Busy == nil {
		request, err := d.request(ctx, i, given.ID)
		if err != nil {
			return answer, fmt.Errorf("read what order %s of connector %s asks for: %w", given.ID, c.ID, err)
		}
		answer.Order = &connector.Order{ID: given.ID, Attempt: given.Attempt, Request: request}
	}
	if err := d.show(ctx, i, given, p.Busy); err != nil {
		// The work goes on: the next poll shows more.
		d.Log.WarnContext(ctx, "how far a connector is cannot be shown", "run", given.Message.RunID, "error", err)
	}
	return answer, nil
}

// boundedSteps returns steps in the bounds of those that a read of this program's own reports.
func boundedSteps(steps []run.Step) (out []run.Step) {
	for _, s := range steps[:min(len(steps), maxSteps)] {
		out = append(out, directory.BoundedStep(s))
	}
	return out
}

// boundedTargets returns the first targets that an instance names, without those that no settings can have.
func boundedTargets(targets []connectors.Target) (out []connectors.Target) {
	for _, t := range targets {
		if len(out) < maxTargets && len(t.Host)+len(t.Username) <= maxTarget {
			out = append(out, t)
		}
	}
	return out
}

// note takes over what an instance says of itself, and reports whether that is to be stored.
func note(i *connectors.Instance, p connector.Poll, now time.Time) bool {
	version := shortened(p.Version, maxName)
	targets := boundedTargets(p.Targets)
	if i.Version == version && slices.Equal(i.Targets, targets) && now.Sub(i.LastSeenAt) < seenEvery {
		return false
	}
	i.Version, i.Targets, i.LastSeenAt = version, targets, now
	return true
}

// held returns the order that an instance is at, nil where it is not its any more.
func held(c *connectors.Connector, id string, attempt int, instance string) *connectors.Order {
	at := orderIndex(c, id)
	if at < 0 || c.Orders[at].Attempt != attempt || c.Orders[at].Instance != instance {
		return nil
	}
	return &c.Orders[at]
}

// nextOrder gives the oldest order that the instance has a password for and that nobody else is at: who asks for one
// lost what it had. An order whose password another instance has waits for that one, be it offline. One that no
// instance has a password for goes to any, which says so.
func nextOrder(c *connectors.Connector, targets []connectors.Target, instance string, now time.Time) *connectors.Order {
	for n := range c.Orders {
		o := &c.Orders[n]
		leased := now.Before(o.LeaseUntil) && o.Instance != instance
		if o.Recording != nil || leased || spent(o, now) {
			continue
		}
		if !slices.Contains(targets, o.Target) && len(holders(c, o.Target, now)) > 0 {
			continue
		}
		o.Attempt++
		o.Instance, o.LeaseUntil = instance, now.Add(connector.LeaseTime)
		return o
	}
	return nil
}

// tooOld reports whether an order took longer than a read can.
func tooOld(o *connectors.Order, now time.Time) bool { return now.Sub(o.CreatedAt) > longestOrder }

// spent reports whether nobody is to begin an order any more: each who did died of it, say.
func spent(o *connectors.Order, now time.Time) bool {
	return o.Attempt >= maxAttempts || tooOld(o, now)
}

// holders returns the instances that have the password of a target, as they said when they were seen last. Of one that
// was away for longer than holdsFor nobody knows.
func holders(c *connectors.Connector, t connectors.Target, now time.Time) (holding []connectors.Instance) {
	for _, i := range c.Instances {
		if slices.Contains(i.Targets, t) && now.Sub(i.LastSeenAt) < holdsFor {
			holding = append(holding, i)
		}
	}
	return holding
}

// takersOf returns the instances that an order for a target goes to: those that hold its password, or all where none
// does.
func takersOf(
	c *connectors.Connector, t connectors.Target, now time.Time,
) (takers []connectors.Instance, hold bool) {
	if holding := holders(c, t, now); len(holding) > 0 {
		return holding, true
	}
	return c.Instances, false
}

// wanted reports whether somebody waits on the page, or did a moment ago.
func wanted(c *connectors.Connector, now time.Time) bool {
	return slices.ContainsFunc(c.Orders, func(o connectors.Order) bool {
		return o.Wanted && now.Sub(o.CreatedAt) < time.Minute
	})
}

func (d *Desk) request(ctx context.Context, i Instance, order string) (r connector.Request, err error) {
	text, err := readObject(ctx, d.Objects.For(i.account), requestKey(order), connector.MaxBody)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// show has the run's record show how far the connector is; busy is nil where it begins.
func (d *Desk) show(ctx context.Context, i Instance, o *connectors.Order, busy *connector.Busy) error {
	_, err := d.Jobs.For(i.account).UpdateRun(ctx, o.Message.RunID, func(r *run.Run) error {
		if r.Parked != o.ID || r.State.Ended() {
			return runs.ErrUnchanged
		}
		r.ParkedUntil = d.now().Add(connectorPatience)
		r.Steps, r.Progress = nil, run.Progress{Phase: run.PhaseConnecting}
		if busy != nil {
			r.Steps = boundedSteps(busy.Steps)
		}
		if busy != nil && busy.Entries > 0 {
			r.Progress.Phase, r.Progress.Entries = run.PhaseReading, busy.Entries
		}
		return nil
	})
	if errors.Is(err, runs.ErrNotFound) {
		// A look has no record.
		return nil
	}
	return unlessUnchanged(err)
}

// Block returns a link for a block of the recording of an order that the instance is at.
func (d *Desk) Block(ctx context.Context, i Instance, b connector.BlockRequest) (connector.BlockGrant, error) {
	if b.Size < 1 || b.Size > recording.MaxBlock || b.Number < 0 || b.Number >= maxBlocks || len(b.SHA256) != 32 {
		return connector.BlockGrant{}, ErrRequest
	}
	c, err := i.all.Get(ctx, i.id)
	if err != nil {
		return connector.BlockGrant{}, revoked(err)
	}
	if o := held(&c, b.Order, b.Attempt, i.ID); o == nil || o.Recording != nil {
		return connector.BlockGrant{}, ErrOrder
	}
	url, headers, err := d.Objects.For(i.account).UploadLink(ctx, blockKey(b.Order, b.Attempt, b.Number),
		objects.Content{Size: int64(b.Size), SHA256: b.SHA256}, uploadTime)
	return connector.BlockGrant{URL: url, Headers: headers}, err
}

// Finish notes that a recording is whole, and sends the run on that waits for it.
func (d *Desk) Finish(ctx context.Context, i Instance, f connector.Finish) error {
	if f.Blocks < 1 || f.Blocks > maxBlocks || f.Bytes < 1 || len(f.SHA256) != 32 {
		return ErrRequest
	}
	var order connectors.Order
	_, err := i.all.Update(ctx, i.id, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		o := held(c, f.Order, f.Attempt, i.ID)
		if o == nil {
			return nil, ErrOrder
		}
		if o.Recording == nil {
			o.Recording = &f.Sealed
		}
		order = *o
		return nil, nil
	})
	if err != nil {
		return revoked(err)
	}
	return d.Queue.Send(ctx, again(&order))
}

// again is the message with which an order's run goes on. Of the run's own a queue may remember that it had it.
func again(o *connectors.Order) queue.Message {
	m := o.Message
	m.Again = int(o.CreatedAt.UnixMilli())
	return m
}
