package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
)

// attrUsers is the number of users, in the record of the Users List. An edit by hand counts in its own transaction. A
// sync, whose writes are no transactions, writes the record without it, and whoever asks first counts again.
const attrUsers = "users"

// notCounted is what an edit adds to where the number is not known: any number below zero is none.
const notCounted = -1 << 40

func (a accountUsers) Total(ctx context.Context) (int, error) {
	log := a.log()
	out, err := a.client.GetItem(ctx, &awsdynamodb.GetItemInput{
		TableName: &log.table, Key: log.key(recordList), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return 0, fmt.Errorf("read record %s: %w", recordList, ended(ctx, err))
	}
	if total, err := integer(out.Item, attrUsers); err == nil && total >= 0 {
		return int(total), nil
	}
	read, err := readRecord(out.Item)
	if err != nil {
		return 0, err
	}
	total, err := a.count(ctx)
	if err != nil {
		return 0, err
	}
	return total, log.noteTotal(ctx, read, total)
}

// noteTotal stores the number of users, unless the list was written since its record was read.
func (a accountJobs) noteTotal(ctx context.Context, read record, total int) error {
	at, err := decodeOrZero[time.Time](read)
	if err != nil {
		return err
	}
	next, err := newRecord(at, item{attrUsers: number(int64(total))})
	if err != nil {
		return err
	}
	if _, err = a.write(ctx, recordList, next, read); errors.Is(err, runs.ErrConflict) {
		return nil
	}
	return err
}

// count counts the users in all shards at a time. It reads them all, though none is sent.
func (a accountUsers) count(ctx context.Context) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var total atomic.Int64
	var counting sync.WaitGroup
	for i := range shards {
		counting.Go(func() {
			query := &awsdynamodb.QueryInput{
				TableName: &a.table, ConsistentRead: aws.Bool(true), Select: types.SelectCount,
				KeyConditionExpression:    aws.String(manifest.UsersPartition + " = :shard"),
				ExpressionAttributeValues: item{":shard": str(partition(a.account, i))},
			}
			for {
				out, err := a.client.Query(ctx, query)
				if err != nil {
					cancel(fmt.Errorf("count the users of shard %d: %w", i, ended(ctx, err)))
					return
				}
				total.Add(int64(out.Count))
				if query.ExclusiveStartKey = out.LastEvaluatedKey; query.ExclusiveStartKey == nil {
					return
				}
			}
		})
	}
	counting.Wait()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return int(total.Load()), nil
}

// noteEdit stores, as a part of a transaction, that an edit changed the list at a time.
func (a accountJobs) noteEdit(c *users.Change, at time.Time) (types.TransactWriteItem, error) {
	change := int64(0)
	switch {
	case c.After == nil:
		change = -1
	case c.Expect == 0:
		change = 1
	}
	r, err := newRecord(at, nil)
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	r = r.after(record{})
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &a.table, Key: a.key(recordList),
		UpdateExpression: aws.String("SET #document = :document, #writes = :writes, " +
			"#users = if_not_exists(#users, :notCounted) + :change"),
		ExpressionAttributeNames: map[string]string{
			"#document": attrDocument, "#writes": attrWrites, "#users": attrUsers,
		},
		ExpressionAttributeValues: item{
			":document": str(string(r.document)), ":writes": str(r.writes),
			":notCounted": number(notCounted), ":change": number(change),
		},
	}}, nil
}
