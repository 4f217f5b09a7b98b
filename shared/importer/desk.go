package importer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

const (
	// maxReported bounds the changes of a report, and keptReported is how many a connector's record remembers.
	maxReported  = 100
	keptReported = 2 * maxReported
	// maxRequests is how many signed requests a connector, with all its instances, may send in requestWindow.
	maxRequests   = 200
	requestWindow = 10 * time.Second
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
	// ErrTooMany means that a connector sent more requests than it may, and is to wait for RetryAfter.
	ErrTooMany = fmt.Errorf("the connector sent more than %d requests in %s", maxRequests, requestWindow)
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
			return d.once(ctx, i, id+"/"+number, until)
		},
	}
}

// RetryAfter is how long a connector waits that sent too many requests.
const RetryAfter = requestWindow

// once counts a request, and refuses one that was counted. What bounds the requests is the set of numbers that they
// need anyway, of the window in which they were signed: it holds for all processes, and takes no write of its own.
func (d *Desk) once(ctx context.Context, i *Instance, number string, until time.Time) error {
	window := until.Truncate(requestWindow)
	set := fmt.Sprintf("%s/%d", i.id, window.Unix())
	err := i.all.Number(ctx, set, number, maxRequests, window.Add(requestWindow))
	switch {
	case errors.Is(err, connectors.ErrTaken):
		return connector.ErrReplayed
	case errors.Is(err, connectors.ErrFull):
		return ErrTooMany
	}
	return err
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
	if err != nil {
		return connector.Enrolled{}, err
	}
	return connector.Enrolled{ConnectorID: c.ID, ConnectorName: c.Name}, nil
}

// reported is the audit log's entry about a change on site.
func (d *Desk) reported(instance string, change connector.Change, connectorID string) runs.AuditEntry {
	return runs.AuditEntry{
		ID: d.NewID(), At: d.now(), By: "connector " + instance, Action: runs.ConnectorChanged, Subject: connectorID,
		Details: map[string]string{
			"what": shortened(change.What, maxName), "detail": shortened(change.Detail, maxText),
		},
	}
}

// Report stores what was changed on site in the audit log. What was stored before is passed over.
func (d *Desk) Report(ctx context.Context, i Instance, r connector.Report) error {
	if len(r.Changes) > maxReported {
		return ErrRequest
	}
	for _, change := range r.Changes {
		number := hashOf(i.ID + "/" + change.ID)[:16]
		_, err := i.all.Update(ctx, i.id, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
			if slices.Contains(c.Reported, number) {
				return nil, runs.ErrUnchanged
			}
			c.Reported = append(c.Reported[max(0, len(c.Reported)+1-keptReported):], number)
			return []runs.AuditEntry{d.reported(i.ID, change, i.id)}, nil
		})
		if err != nil {
			return revoked(err)
		}
	}
	return nil
}

func revoked(err error) error {
	if errors.Is(err, connectors.ErrNotFound) {
		return ErrRevoked
	}
	return err
}
