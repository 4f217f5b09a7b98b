package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

// bucketConnectors holds an account's connectors by their ULID, and bucketNames, beside the accounts' buckets, what
// leads to them.
var (
	bucketConnectors = []byte("connectors")
	bucketNames      = []byte("names")
)

// Connectors returns the connectors of all accounts.
func (s *Store) Connectors() connectors.Store { return connectorStore{jobs{s.db, s.options.Clock}} }

type connectorStore struct{ jobs jobs }

func (s connectorStore) For(account user.Account) connectors.Connectors {
	return accountConnectors{accountJobs{s.jobs.db, s.jobs.now, []byte(account)}}
}

// storedName is where a name leads, until a time that is zero for ever.
type storedName struct {
	connectors.Owner
	Until time.Time `json:"until,omitzero"`
}

func (n storedName) over(now time.Time) bool { return !n.Until.IsZero() && !now.Before(n.Until) }

func (s connectorStore) Named(_ context.Context, name string) (connectors.Owner, error) {
	var found storedName
	err := s.jobs.db.View(func(tx *bolt.Tx) error { return load(tx.Bucket(bucketNames), []byte(name), &found) })
	if errors.Is(err, runs.ErrNotFound) || err == nil && found.over(s.jobs.now()) {
		return connectors.Owner{}, connectors.ErrNotFound
	}
	return found.Owner, err
}

type accountConnectors struct{ accountJobs }

func (a accountConnectors) List(context.Context) (all []connectors.Connector, err error) {
	err = a.view(func(b *bolt.Bucket) error {
		return each(b, bucketConnectors, func(_, value []byte) error {
			var c connectors.Connector
			err := json.Unmarshal(value, &c)
			all = append(all, c)
			return err
		})
	})
	return all, err
}

// loadConnector reads a connector, or returns ErrNotFound.
func loadConnector(account *bolt.Bucket, id string) (c connectors.Connector, err error) {
	if err = load(account.Bucket(bucketConnectors), []byte(id), &c); errors.Is(err, runs.ErrNotFound) {
		err = connectors.ErrNotFound
	}
	return c, err
}

func saveConnector(account *bolt.Bucket, c connectors.Connector, entries []runs.AuditEntry) error {
	all, err := account.CreateBucketIfNotExists(bucketConnectors)
	if err != nil {
		return err
	}
	return errors.Join(save(all, []byte(c.ID), c), addAudit(account, entries...))
}

func (a accountConnectors) Get(_ context.Context, id string) (c connectors.Connector, err error) {
	err = connectors.ErrNotFound
	viewErr := a.view(func(b *bolt.Bucket) error {
		c, err = loadConnector(b, id)
		return nil
	})
	return c, errors.Join(viewErr, err)
}

func (a accountConnectors) Create(_ context.Context, c connectors.Connector, entries ...runs.AuditEntry) error {
	return a.update(func(b *bolt.Bucket) error { return saveConnector(b, c, entries) })
}

func (a accountConnectors) Update(
	_ context.Context, id string, change func(*connectors.Connector) ([]runs.AuditEntry, error),
) (c connectors.Connector, err error) {
	err = a.update(func(b *bolt.Bucket) error {
		if c, err = loadConnector(b, id); err != nil {
			return err
		}
		entries, err := change(&c)
		if err != nil {
			return err
		}
		return saveConnector(b, c, entries)
	})
	if errors.Is(err, runs.ErrUnchanged) {
		err = nil
	}
	return c, err
}

func (a accountConnectors) Delete(_ context.Context, id string, entries ...runs.AuditEntry) error {
	return a.db.Update(func(tx *bolt.Tx) error {
		b, err := createNested(tx, bucketJobs, a.account)
		if err != nil {
			return err
		}
		if _, err := loadConnector(b, id); err != nil {
			return err
		}
		owner := connectors.Owner{Account: user.Account(a.account), ConnectorID: id}
		return errors.Join(b.Bucket(bucketConnectors).Delete([]byte(id)), addAudit(b, entries...),
			dropNames(tx, func(n storedName) bool { return n.Owner == owner }))
	})
}

func (a accountConnectors) Name(_ context.Context, name, id string, until time.Time) error {
	return a.db.Update(func(tx *bolt.Tx) error {
		names, err := tx.CreateBucketIfNotExists(bucketNames)
		if err != nil {
			return err
		}
		now := a.now()
		var stored storedName
		if err := load(names, []byte(name), &stored); err == nil && !stored.over(now) {
			return connectors.ErrTaken
		} else if err != nil && !errors.Is(err, runs.ErrNotFound) {
			return err
		}
		owner := connectors.Owner{Account: user.Account(a.account), ConnectorID: id}
		return save(names, []byte(name), storedName{owner, until})
	})
}

// numbers is a set of numbers, among the names.
type numbers struct {
	storedName
	Numbers []string `json:"numbers"`
}

func (a accountConnectors) Number(_ context.Context, set, number string, most int, until time.Time) error {
	return a.db.Update(func(tx *bolt.Tx) error {
		names, err := tx.CreateBucketIfNotExists(bucketNames)
		if err != nil {
			return err
		}
		n, key := numbers{}, []byte("numbers/"+string(a.account)+"/"+set)
		if err := load(names, key, &n); err != nil && !errors.Is(err, runs.ErrNotFound) {
			return err
		}
		switch {
		case slices.Contains(n.Numbers, number):
			return connectors.ErrTaken
		case len(n.Numbers) >= most:
			return connectors.ErrFull
		}
		n.storedName = storedName{connectors.Owner{Account: user.Account(a.account)}, until}
		n.Numbers = append(n.Numbers, number)
		return save(names, key, n)
	})
}

// dropNames deletes the names that are to go. It deletes them behind the walk: a bucket must not change while it is
// walked.
func dropNames(tx *bolt.Tx, goes func(storedName) bool) error {
	names := tx.Bucket(bucketNames)
	if names == nil {
		return nil
	}
	var gone [][]byte
	err := names.ForEach(func(name, value []byte) error {
		var n storedName
		if err := json.Unmarshal(value, &n); err != nil || goes(n) {
			gone = append(gone, bytes.Clone(name))
		}
		return nil
	})
	for _, name := range gone {
		err = errors.Join(err, names.Delete(name))
	}
	return err
}
