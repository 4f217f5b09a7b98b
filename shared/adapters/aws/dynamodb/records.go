package dynamodb

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// errUnchanged ends a change that has nothing to store.
var errUnchanged = errors.New("nothing to store")

func (a accountJobs) AuditLog(ctx context.Context, after string, limit int) (page runs.AuditPage, err error) {
	query := a.list(manifest.JobsSort, prefixAudit)
	if after != "" {
		query.ExclusiveStartKey = a.key(cut(prefixAudit + after))
	}
	page.Next, err = a.newest(ctx, query, limit, func(r record) (string, error) {
		var e runs.AuditEntry
		if err := json.Unmarshal(r.document, &e); err != nil {
			return "", err
		}
		page.Entries = append(page.Entries, e)
		return e.ID, nil
	})
	return page, err
}

func (a accountJobs) Runs(ctx context.Context, q runs.Query) (page runs.Page, err error) {
	query := a.list(manifest.KindRun, kindRun(q.Kind, ""))
	query.IndexName, query.Select = aws.String(manifest.RunsIndex), types.SelectAllAttributes
	if q.After != "" {
		query.ExclusiveStartKey = a.key(cut(prefixRun + q.After))
		query.ExclusiveStartKey[manifest.KindRun] = str(cut(kindRun(q.Kind, q.After)))
	}
	page.Next, err = a.newest(ctx, query, q.Limit, func(stored record) (string, error) {
		rec, err := a.decodeRun(stored)
		if err != nil || !q.Wants(&rec.Run) {
			return rec.ID, cmp.Or(err, runs.ErrNotFound)
		}
		page.Runs = append(page.Runs, rec.Lean())
		return rec.ID, nil
	})
	return page, err
}

// cut bounds a key that somebody else may have made up.
func cut(key string) string { return key[:min(len(key), maxKey)] }

// list asks for the account's records whose sort key starts with a prefix, the newest first.
func (a accountJobs) list(sortKey, prefix string) *awsdynamodb.QueryInput {
	return &awsdynamodb.QueryInput{
		TableName: &a.table, ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false),
		KeyConditionExpression:    aws.String(manifest.JobsPartition + " = :account AND begins_with(#sort, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#sort": sortKey}, // "record" is one of DynamoDB's own words
		ExpressionAttributeValues: item{":account": str(string(a.account)), ":prefix": str(prefix)},
	}
}

// newest reads records until take has taken limit of them, or was asked about runs.MaxScan. take returns the record's
// id, where it has one, and ErrNotFound for one to leave out. next is the id to go on after, and empty at the end. A
// page of DynamoDB's may be empty and yet not be the last.
func (a accountJobs) newest(
	ctx context.Context, query *awsdynamodb.QueryInput, limit int, take func(record) (string, error),
) (next string, err error) {
	last, taken, scanned := "", 0, 0
	// One more than is wanted shows whether there is a next page. Where few fit, more are read at a time.
	for rows := limit + 1; ; rows = min(2*rows, runs.MaxScan) {
		query.Limit = aws.Int32(int32(rows)) //nolint:gosec // at most 1001
		out, err := a.client.Query(ctx, query)
		if err != nil {
			return "", fmt.Errorf("list records: %w", ended(ctx, err))
		}
		for _, i := range out.Items {
			if taken == limit || scanned == runs.MaxScan {
				return last, nil
			}
			stored, err := readRecord(i)
			if err != nil {
				return "", err
			}
			id, err := take(stored)
			switch {
			case err == nil:
				taken++
			case !errors.Is(err, runs.ErrNotFound):
				return "", fmt.Errorf("read record %s: %w", text(i, manifest.JobsSort), err)
			}
			if id != "" {
				last = id
				scanned++
			}
		}
		if query.ExclusiveStartKey = out.LastEvaluatedKey; query.ExclusiveStartKey == nil {
			return "", nil
		}
	}
}

// readValue reads the account's record with a name, the zero value where nothing is stored.
func readValue[T any](ctx context.Context, a accountJobs, name string) (value T, err error) {
	stored, err := a.read(ctx, name)
	if err != nil {
		return value, err
	}
	return decodeOrZero[T](stored)
}

// updateValue lets change alter the account's record with a name, and stores it unless change returns an error. index
// gives its attributes for the indexes; nil gives none.
func updateValue[T any](
	ctx context.Context, a accountJobs, name string, change func(*T) error, index func(*T) item,
) (value T, err error) {
	err = a.change(ctx, name, func(stored record) (record, error) {
		if value, err = decodeOrZero[T](stored); err != nil {
			return record{}, err
		}
		if err := change(&value); err != nil {
			return record{}, err
		}
		if index == nil {
			return newRecord(value, nil)
		}
		return newRecord(value, index(&value))
	})
	return value, err
}

func (a accountJobs) ListWritten(ctx context.Context) (time.Time, error) {
	return readValue[time.Time](ctx, a, recordList)
}

// NoteListWrite has no condition: any time that differs from the one before serves, so that a sync need not read it
// first.
func (a accountJobs) NoteListWrite(ctx context.Context, at time.Time) error {
	r, err := newRecord(at, nil)
	if err != nil {
		return err
	}
	i, err := a.item(recordList, r.after(record{}))
	if err == nil {
		_, err = a.client.PutItem(ctx, &awsdynamodb.PutItemInput{TableName: &a.table, Item: i})
	}
	if err != nil {
		return fmt.Errorf("write record %s: %w", recordList, ended(ctx, err))
	}
	return nil
}

func (a accountJobs) Removals(ctx context.Context) (run.Removals, error) {
	return readValue[run.Removals](ctx, a, recordRemovals)
}

func (a accountJobs) UpdateRemovals(ctx context.Context, change func(run.Removals) (run.Removals, error)) error {
	_, err := updateValue(ctx, a, recordRemovals, func(r *run.Removals) (err error) {
		*r, err = change(*r)
		return err
	}, nil)
	return err
}

func (a accountJobs) Looks(ctx context.Context) (run.Looks, error) {
	return readValue[run.Looks](ctx, a, recordLooks)
}

func (a accountJobs) UpdateLooks(ctx context.Context, change func(*run.Looks) error) (run.Looks, error) {
	return updateValue(ctx, a, recordLooks, change, func(l *run.Looks) item {
		index := make(item)
		if !l.NextAt.IsZero() {
			a.putDue(index, dueLooks, l.NextAt)
		}
		return index
	})
}

func (a accountJobs) Told(ctx context.Context) (run.Told, error) {
	return readValue[run.Told](ctx, a, recordTold)
}

func (a accountJobs) UpdateTold(ctx context.Context, change func(*run.Told) error) (run.Told, error) {
	return updateValue(ctx, a, recordTold, change, nil)
}

func (a accountJobs) AcquireLease(ctx context.Context, l runs.Lease, now time.Time) error {
	var held error
	err := a.change(ctx, recordLease, func(stored record) (record, error) {
		lease, err := decodeOrZero[runs.Lease](stored)
		if err != nil {
			return record{}, err
		}
		if lease, held = lease.After(l, now); errors.Is(held, runs.ErrConflict) {
			return record{}, held
		}
		return newRecord(lease, nil)
	})
	if err == nil {
		err = held
	}
	return err
}

func (a accountJobs) ReleaseLease(ctx context.Context, l runs.Lease) (waiting []runs.Waiter, err error) {
	err = a.change(ctx, recordLease, func(stored record) (record, error) {
		var held runs.Lease
		if err := stored.decode(&held); err != nil {
			return record{}, err
		}
		if !held.HeldBy(l.RunID, l.Attempt) {
			return record{}, errUnchanged
		}
		waiting = held.Waiting
		return newRecord(held.Released(), nil)
	})
	if errors.Is(err, errUnchanged) || errors.Is(err, runs.ErrNotFound) {
		return nil, nil
	}
	return waiting, err
}

func (a accountJobs) Count(ctx context.Context, change func(*runs.Counts) error) error {
	_, err := updateValue(ctx, a, recordCounts, change, nil)
	return err
}

func (a accountJobs) TakeKey(ctx context.Context, k runs.Key) (taken runs.Key, err error) {
	err = a.change(ctx, keyName(k), func(stored record) (record, error) {
		taken = k
		switch earlier, err := earlierKey(stored, k); {
		case err == nil:
			taken = earlier
			return record{}, errUnchanged
		case !errors.Is(err, runs.ErrNotFound):
			return record{}, err
		}
		return newRecord(k, item{manifest.ExpiresAt: number(k.At.Add(keyLifetime).Unix())})
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return taken, err
}

func (a accountJobs) FindKey(ctx context.Context, k runs.Key) (runs.Key, error) {
	stored, err := a.read(ctx, keyName(k))
	if err != nil {
		return runs.Key{}, err
	}
	return earlierKey(stored, k)
}

// earlierKey returns the use that is stored, if it counts when k is made, or ErrNotFound.
func earlierKey(stored record, k runs.Key) (earlier runs.Key, err error) {
	if err := stored.decode(&earlier); err != nil {
		return runs.Key{}, err
	}
	if k.At.Sub(earlier.At) >= keyLifetime {
		return runs.Key{}, runs.ErrNotFound
	}
	return earlier, nil
}

func keyName(k runs.Key) string { return prefixOnce + k.Route + "#" + k.Key }
