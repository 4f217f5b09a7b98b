package dynamodb

import (
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
)

// errUnchanged ends a change that has nothing to store.
var errUnchanged = errors.New("nothing to store")

func (a accountJobs) AddAudit(ctx context.Context, e runs.AuditEntry) error {
	r, err := newRecord(e, nil)
	if err != nil {
		return err
	}
	if _, err = a.write(ctx, prefixAudit+e.ID, r, record{}); errors.Is(err, runs.ErrConflict) {
		return nil
	}
	return err
}

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
		if err == nil {
			page.Runs = append(page.Runs, rec.Lean())
		}
		return rec.ID, err
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

// newest reads records until take has taken limit of them. take returns the record's id, or ErrNotFound for one to
// leave out. next is the id to go on after, and empty at the end. A page of DynamoDB's may be empty and yet not be the
// last.
func (a accountJobs) newest(
	ctx context.Context, query *awsdynamodb.QueryInput, limit int, take func(record) (string, error),
) (next string, err error) {
	last, taken := "", 0
	for {
		// One more than is wanted shows whether there is a next page.
		query.Limit = aws.Int32(int32(limit - taken + 1)) //nolint:gosec // at most 1001
		out, err := a.client.Query(ctx, query)
		if err != nil {
			return "", fmt.Errorf("list records: %w", ended(ctx, err))
		}
		for _, i := range out.Items {
			if taken == limit {
				return last, nil
			}
			stored, err := readRecord(i)
			if err != nil {
				return "", err
			}
			id, err := take(stored)
			switch {
			case err == nil:
				last = id
				taken++
			case !errors.Is(err, runs.ErrNotFound):
				return "", fmt.Errorf("read record %s: %w", text(i, manifest.JobsSort), err)
			}
		}
		if query.ExclusiveStartKey = out.LastEvaluatedKey; query.ExclusiveStartKey == nil {
			return "", nil
		}
	}
}

func (a accountJobs) AcquireLease(ctx context.Context, l runs.Lease, now time.Time) error {
	var held error
	err := a.change(ctx, recordLease, func(stored record) (record, error) {
		var lease runs.Lease
		if err := stored.decode(&lease); err != nil && !errors.Is(err, runs.ErrNotFound) {
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
	return a.change(ctx, recordCounts, func(stored record) (record, error) {
		var c runs.Counts
		if err := stored.decode(&c); err != nil && !errors.Is(err, runs.ErrNotFound) {
			return record{}, err
		}
		if err := change(&c); err != nil {
			return record{}, err
		}
		return newRecord(c, nil)
	})
}

func (a accountJobs) ClaimKey(ctx context.Context, k runs.Key) (claimed runs.Key, err error) {
	err = a.change(ctx, prefixOnce+k.Route+"#"+k.Key, func(stored record) (record, error) {
		claimed = k
		var earlier runs.Key
		switch err := stored.decode(&earlier); {
		case err == nil && k.At.Sub(earlier.At) < keyLifetime:
			claimed = earlier
			return record{}, errUnchanged
		case err != nil && !errors.Is(err, runs.ErrNotFound):
			return record{}, err
		}
		return newRecord(k, item{manifest.ExpiresAt: number(k.At.Add(keyLifetime).Unix())})
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return claimed, err
}
