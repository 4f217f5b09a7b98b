package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

// Connectors are those of all accounts, in the Jobs table: each connector is a record of its account, and each name an
// item of its own partition, whose key no account can have.
type Connectors struct{ jobs *Jobs }

// NewConnectors returns the connectors in a Jobs table. A nil clock is time.Now.
func NewConnectors(client Client, table string, clock func() time.Time) Connectors {
	return Connectors{NewJobs(client, table, clock)}
}

const (
	prefixConnector = "connector#"
	// prefixNamed begins the records that list an account's names, so that they are erased with it.
	prefixNamed = "named#"
	// namePartition begins the partitions of names; recordName is their only record.
	namePartition = "\x00name#"
	recordName    = "name"
)

// For returns one account's connectors.
func (c Connectors) For(account user.Account) connectors.Connectors {
	return accountConnectors{accountJobs{c.jobs, account}}
}

// storedName is where a name leads, until a time that is zero for ever.
type storedName struct {
	connectors.Owner
	Name  string    `json:"name"`
	Until time.Time `json:"until,omitzero"`
}

func (n storedName) over(now time.Time) bool { return !n.Until.IsZero() && !now.Before(n.Until) }

// named is the partition of a name.
func (c Connectors) named(name string) accountJobs {
	return accountJobs{c.jobs, user.Account(namePartition + name)}
}

// Named returns whose a name is.
func (c Connectors) Named(ctx context.Context, name string) (connectors.Owner, error) {
	var found storedName
	stored, err := c.named(name).read(ctx, recordName)
	if err == nil {
		err = stored.decode(&found)
	}
	if errors.Is(err, runs.ErrNotFound) || err == nil && found.over(c.jobs.now()) {
		return connectors.Owner{}, connectors.ErrNotFound
	}
	return found.Owner, err
}

type accountConnectors struct{ accountJobs }

func (a accountConnectors) store() Connectors { return Connectors{a.Jobs} }

func (a accountConnectors) List(ctx context.Context) (all []connectors.Connector, err error) {
	err = a.each(ctx, prefixConnector, func(r record) error {
		var c connectors.Connector
		err := json.Unmarshal(r.document, &c)
		all = append(all, c)
		return err
	})
	slices.Reverse(all)
	return all, err
}

// each reads the account's records whose names have a prefix, the last first.
func (a accountConnectors) each(ctx context.Context, prefix string, take func(record) error) error {
	_, err := a.newest(ctx, a.list(manifest.JobsSort, prefix), runs.MaxScan, func(r record) (string, error) {
		return "", take(r)
	})
	return err
}

// connectorOf decodes a record, or returns ErrNotFound.
func connectorOf(stored record) (c connectors.Connector, err error) {
	if err = stored.decode(&c); errors.Is(err, runs.ErrNotFound) {
		err = connectors.ErrNotFound
	}
	return c, err
}

// readConnector reads a connector's record; of an id that nothing can have it is the zero record.
func (a accountConnectors) readConnector(ctx context.Context, id string) (record, error) {
	if len(prefixConnector+id) > maxKey {
		return record{}, nil
	}
	return a.read(ctx, prefixConnector+id)
}

func (a accountConnectors) Get(ctx context.Context, id string) (connectors.Connector, error) {
	stored, err := a.readConnector(ctx, id)
	if err != nil {
		return connectors.Connector{}, err
	}
	return connectorOf(stored)
}

func (a accountConnectors) Create(ctx context.Context, c connectors.Connector, entries ...runs.AuditEntry) error {
	r, err := newRecord(c, nil)
	if err != nil {
		return err
	}
	return a.put(ctx, prefixConnector+c.ID, r, record{}, entries)
}

func (a accountConnectors) Update(
	ctx context.Context, id string, change func(*connectors.Connector) ([]runs.AuditEntry, error),
) (c connectors.Connector, err error) {
	err = runs.Retry(ctx, func() error {
		stored, err := a.readConnector(ctx, id)
		if err != nil {
			return err
		}
		if c, err = connectorOf(stored); err != nil {
			return err
		}
		entries, err := change(&c)
		if err != nil {
			return err
		}
		next, err := newRecord(c, nil)
		if err != nil {
			return err
		}
		return a.put(ctx, prefixConnector+id, next, stored, entries)
	})
	if errors.Is(err, runs.ErrUnchanged) {
		err = nil
	}
	return c, err
}

// Delete deletes the names first: where it is cut short the connector is still there, and is deleted again.
func (a accountConnectors) Delete(ctx context.Context, id string, entries ...runs.AuditEntry) error {
	if _, err := a.Get(ctx, id); err != nil {
		return err
	}
	if err := a.dropNames(ctx, prefixNamed+id+"#"); err != nil {
		return err
	}
	return runs.Retry(ctx, func() error {
		stored, err := a.read(ctx, prefixConnector+id)
		if err != nil || stored.document == nil {
			return err
		}
		return a.remove(ctx, prefixConnector+id, stored, entries)
	})
}

// dropNames deletes the names whose records begin with a prefix.
func (a accountConnectors) dropNames(ctx context.Context, prefix string) error {
	return a.each(ctx, prefix, func(r record) error {
		var n storedName
		if err := json.Unmarshal(r.document, &n); err != nil {
			return err
		}
		for _, key := range []item{a.store().named(n.Name).key(recordName), a.key(namedRecord(n))} {
			_, err := a.client.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{TableName: &a.table, Key: key})
			if err != nil {
				return fmt.Errorf("delete the name of a connector: %w", ended(ctx, err))
			}
		}
		return nil
	})
}

// namedRecord is the record in which the account notes a name.
func namedRecord(n storedName) string { return prefixNamed + n.ConnectorID + "#" + n.Name }

// Name notes the name with the account first, so that it is erased whatever comes between.
func (a accountConnectors) Name(ctx context.Context, name, id string, until time.Time) error {
	n := storedName{connectors.Owner{Account: a.account, ConnectorID: id}, name, until}
	index := make(item)
	if !until.IsZero() {
		index[manifest.ExpiresAt] = number(until.Unix())
	}
	r, err := newRecord(n, index)
	if err != nil {
		return err
	}
	i, err := a.item(namedRecord(n), r.after(record{}))
	if err != nil {
		return err
	}
	if _, err := a.client.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: &a.table, Item: i}); err != nil {
		return fmt.Errorf("note the name of a connector: %w", ended(ctx, err))
	}
	own := a.store().named(name)
	stored, err := own.read(ctx, recordName)
	if err != nil {
		return err
	}
	earlier, err := decodeOrZero[storedName](stored)
	if err != nil {
		return err
	}
	if stored.document != nil && !earlier.over(a.now()) {
		return connectors.ErrTaken
	}
	if _, err = own.write(ctx, recordName, r, stored); errors.Is(err, runs.ErrConflict) {
		err = connectors.ErrTaken
	}
	return err
}
