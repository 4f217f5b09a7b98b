package importer

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

const (
	// waitedFor is how often a connector asks while somebody waits, and idle how often otherwise.
	waitedFor = 1
	idle      = 15
	// seenEvery is how often it is stored that an instance was seen.
	seenEvery = 20 * time.Second
	// maxBlocks bounds a recording, and maxReported the changes of a report.
	maxBlocks   = 10_000
	maxReported = 100
	// uploadTime is how long a link for a block works.
	uploadTime = 15 * time.Minute
)

// The errors of a Desk, beside those of connector.Verifier.
var (
	// ErrRevoked means that the instance's connector was deleted.
	ErrRevoked = errors.New("the connector was revoked")
	// ErrCode means that an enrolment code is wrong, was used, or is too old.
	ErrCode = errors.New("the enrolment code is wrong, was used, or is older than 15 minutes: " +
		"make a new one on the page")
	// ErrOrder means that an order was given to another instance, was cancelled, or has ended.
	ErrOrder = errors.New("the order was given to another instance, cancelled, or has ended")
	// ErrRequest means that a request is none that a connector makes.
	ErrRequest = errors.New("the request is not one of a connector")
)

// Desk gives connectors their work. What it needs is little: of Config only Jobs, Connectors, Objects, Queue and what
// has defaults.
type Desk struct{ core }

// NewDesk returns a desk on the ports in c.
func NewDesk(c Config) *Desk { return &Desk{newCore(c)} }

// Instance is an instance that signed a request.
type Instance struct {
	ID      string
	account user.Account
	all     connectors.Connectors
	id      string
}

// Verifier returns what checks the signature of one request, and fills in the instance that signed it.
func (d *Desk) Verifier(i *Instance) *connector.Verifier {
	return &connector.Verifier{
		Now: d.Now,
		Key: func(ctx context.Context, id string) (ed25519.PublicKey, error) {
			owner, err := d.Connectors.Named(ctx, instanceName(id))
			if errors.Is(err, connectors.ErrNotFound) {
				return nil, connector.ErrUnknown
			}
			if err != nil {
				return nil, err
			}
			*i = Instance{ID: id, account: owner.Account, all: d.Connectors.For(owner.Account), id: owner.ConnectorID}
			c, err := i.all.Get(ctx, i.id)
			if errors.Is(err, connectors.ErrNotFound) {
				return nil, ErrRevoked
			}
			at := instanceIndex(&c, id)
			if err == nil && at < 0 {
				return nil, connector.ErrUnknown
			}
			if err != nil {
				return nil, err
			}
			return c.Instances[at].PublicKey, nil
		},
		Once: func(ctx context.Context, id, number string, until time.Time) error {
			err := i.all.Name(ctx, onceName(id, number), i.id, until)
			if errors.Is(err, connectors.ErrTaken) {
				return connector.ErrReplayed
			}
			return err
		},
	}
}

func instanceIndex(c *connectors.Connector, id string) int {
	return slices.IndexFunc(c.Instances, func(i connectors.Instance) bool { return i.ID == id })
}

// EnrolVerifier checks the signature of an enrolment, which is made with the key that it brings.
func (d *Desk) EnrolVerifier(e connector.Enrol) *connector.Verifier {
	return &connector.Verifier{
		Now: d.Now,
		Key: func(_ context.Context, id string) (ed25519.PublicKey, error) {
			if len(e.PublicKey) != ed25519.PublicKeySize || connector.InstanceID(e.PublicKey) != id {
				return nil, connector.ErrSignature
			}
			return e.PublicKey, nil
		},
		// The code counts once.
		Once: func(context.Context, string, string, time.Time) error { return nil },
	}
}

// Enrol makes an instance's key known.
func (d *Desk) Enrol(ctx context.Context, e connector.Enrol) (connector.Enrolled, error) {
	hash, id := hashOf(e.Code), connector.InstanceID(e.PublicKey)
	owner, err := d.Connectors.Named(ctx, codeName(hash))
	if errors.Is(err, connectors.ErrNotFound) {
		return connector.Enrolled{}, ErrCode
	}
	if err != nil {
		return connector.Enrolled{}, err
	}
	all, now := d.Connectors.For(owner.Account), d.now()
	// A key that is known already leads to nothing else: its name stays, and the connector is asked.
	if err := all.Name(ctx, instanceName(id), owner.ConnectorID, time.Time{}); errors.Is(err, connectors.ErrTaken) {
		return connector.Enrolled{}, fmt.Errorf("%w: the key is enrolled already", ErrCode)
	} else if err != nil {
		return connector.Enrolled{}, err
	}
	c, err := all.Update(ctx, owner.ConnectorID, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		valid := func(o connectors.Code) bool { return o.Hash == hash && now.Before(o.ExpiresAt) }
		at := slices.IndexFunc(c.Codes, valid)
		if at < 0 {
			return nil, ErrCode
		}
		c.Codes = slices.Delete(c.Codes, at, at+1)
		if len(c.Instances) >= maxInstances {
			// The one that was seen longest ago makes room.
			oldest := slices.MinFunc(c.Instances, func(a, b connectors.Instance) int {
				return a.LastSeenAt.Compare(b.LastSeenAt)
			})
			c.Instances = slices.DeleteFunc(c.Instances, func(i connectors.Instance) bool { return i.ID == oldest.ID })
		}
		c.Instances = append(c.Instances, connectors.Instance{ID: id, PublicKey: e.PublicKey,
			Name: shortened(e.Name, maxText), Version: shortened(e.Version, maxName)})
		return []runs.AuditEntry{d.reported(id, connector.Change{ID: id, What: connector.ChangeEnrolled,
			Detail: shortened(e.Name, maxText)}, c.ID)}, nil
	})
	if errors.Is(err, connectors.ErrNotFound) {
		err = ErrCode
	}
	return connector.Enrolled{ConnectorID: c.ID, ConnectorName: c.Name}, err
}

// reported is the audit log's entry about a change on site. The change's id is a part of the entry's.
func (d *Desk) reported(instance string, change connector.Change, connectorID string) runs.AuditEntry {
	return runs.AuditEntry{
		ID: d.NewID(), At: d.now(), By: "connector " + instance, Action: runs.ConnectorChanged, Subject: connectorID,
		Details: map[string]string{
			"what": shortened(change.What, maxName), "detail": shortened(change.Detail, maxText),
		},
	}
}

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
			if answer.Stop = order == nil; order != nil {
				order.LeaseUntil, order.Entries = now.Add(connector.LeaseTime), p.Busy.Entries
				order.Steps = p.Busy.Steps[:min(len(p.Busy.Steps), maxSteps)]
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
	return answer, d.show(ctx, i, given)
}

// maxSteps bounds the steps that a connector reports.
const maxSteps = 50

// note takes over what an instance says of itself, and reports whether that is to be stored.
func note(i *connectors.Instance, p connector.Poll, now time.Time) bool {
	version := shortened(p.Version, maxName)
	if i.Version == version && slices.Equal(i.Targets, p.Targets) && now.Sub(i.LastSeenAt) < seenEvery {
		return false
	}
	i.Version, i.Targets, i.LastSeenAt = version, p.Targets, now
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

// nextOrder gives the oldest order that the instance has a password for and that nobody is at. One that no instance has
// a password for goes to any, which says so.
func nextOrder(c *connectors.Connector, targets []connectors.Target, instance string, now time.Time) *connectors.Order {
	for n := range c.Orders {
		o := &c.Orders[n]
		if o.Recording != nil || now.Before(o.LeaseUntil) {
			continue
		}
		if !slices.Contains(targets, o.Target) && anyHolds(c, o.Target, now) {
			continue
		}
		o.Attempt++
		o.Instance, o.LeaseUntil = instance, now.Add(connector.LeaseTime)
		return o
	}
	return nil
}

func anyHolds(c *connectors.Connector, t connectors.Target, now time.Time) bool {
	return slices.ContainsFunc(c.Instances, func(i connectors.Instance) bool {
		return online(i, now) && slices.Contains(i.Targets, t)
	})
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

// show has the run's record show how far the connector is.
func (d *Desk) show(ctx context.Context, i Instance, o *connectors.Order) error {
	_, err := d.Jobs.For(i.account).UpdateRun(ctx, o.Message.RunID, func(r *run.Run) error {
		if r.Parked != o.ID || r.State.Ended() {
			return runs.ErrUnchanged
		}
		r.Steps, r.Progress = o.Steps, run.Progress{Phase: run.PhaseConnecting, Entries: o.Entries}
		if o.Entries > 0 {
			r.Progress.Phase = run.PhaseReading
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

func revoked(err error) error {
	if errors.Is(err, connectors.ErrNotFound) {
		return ErrRevoked
	}
	return err
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
	m := order.Message
	// Of the run's own message a queue may remember that it had it.
	m.Again = int(order.CreatedAt.UnixMilli())
	return d.Queue.Send(ctx, m)
}

// Report stores what was changed on site in the audit log.
func (d *Desk) Report(ctx context.Context, i Instance, r connector.Report) error {
	if len(r.Changes) > maxReported {
		return ErrRequest
	}
	for _, change := range r.Changes {
		err := i.all.Name(ctx, onceName(i.ID, "change/"+change.ID), i.id, d.now().Add(RecordLifetime))
		if errors.Is(err, connectors.ErrTaken) {
			continue
		}
		if err == nil {
			_, err = i.all.Update(ctx, i.id, func(*connectors.Connector) ([]runs.AuditEntry, error) {
				return []runs.AuditEntry{d.reported(i.ID, change, i.id)}, nil
			})
		}
		if err != nil {
			return revoked(err)
		}
	}
	return nil
}
