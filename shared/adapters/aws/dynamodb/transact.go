package dynamodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/ports/runs"
)

// put stores a record in the place of what was read, with the audit entries about it, or returns ErrConflict. Without
// an entry it is a write of one item, which costs half of a transaction.
func (a accountJobs) put(ctx context.Context, name string, r, read record, entries []runs.AuditEntry) error {
	if len(entries) == 0 {
		_, err := a.write(ctx, name, r, read)
		return err
	}
	item, err := a.transactPut(name, r, read)
	if err != nil {
		return err
	}
	return a.transact(ctx, []types.TransactWriteItem{item}, entries)
}

// remove deletes a record that is as it was read, and stores the audit entries about that, or returns ErrConflict. It
// is a transaction also without an entry: its token makes another attempt of the same call safe.
func (a accountJobs) remove(ctx context.Context, name string, read record, entries []runs.AuditEntry) error {
	expression, values := read.unchanged()
	item := types.TransactWriteItem{Delete: &types.Delete{
		TableName: &a.table, Key: a.key(name), ConditionExpression: expression, ExpressionAttributeValues: values,
	}}
	return a.transact(ctx, []types.TransactWriteItem{item}, entries)
}

// transactPut stores a record in the place of what was read, as a part of a transaction.
func (a accountJobs) transactPut(name string, r, read record) (types.TransactWriteItem, error) {
	i, err := a.item(name, r.after(read))
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("write record %s: %w", name, err)
	}
	expression, values := read.unchanged()
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &a.table, Item: i, ConditionExpression: expression, ExpressionAttributeValues: values,
	}}, nil
}

// transact does all of the items and stores the audit entries, or nothing and returns ErrConflict.
func (a accountJobs) transact(
	ctx context.Context, items []types.TransactWriteItem, entries []runs.AuditEntry,
) error {
	items, err := a.withAudit(items, entries)
	if err != nil {
		return err
	}
	_, err = transact(ctx, a.client, items)
	return err
}

// withAudit adds to a transaction what stores the entries.
func (a accountJobs) withAudit(
	items []types.TransactWriteItem, entries []runs.AuditEntry,
) ([]types.TransactWriteItem, error) {
	for _, e := range entries {
		r, err := newRecord(e, nil)
		if err != nil {
			return nil, err
		}
		item, err := a.transactPut(prefixAudit+e.ID, r, record{})
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// transact sends a transaction, again where nothing was wrong with it but the moment. Its token makes another attempt
// of the same call safe. Where a condition failed it returns ErrConflict, and what the first item asks to be shown of
// its row.
func transact(ctx context.Context, client Client, items []types.TransactWriteItem) (stored item, _ error) {
	input := &awsdynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(rand.Text()), TransactItems: items}
	for attempt := 0; ; attempt++ {
		_, cause := client.TransactWriteItems(ctx, input)
		again, err := transacted(cause)
		var cancelled *types.TransactionCanceledException
		if errors.Is(err, runs.ErrConflict) && errors.As(cause, &cancelled) {
			return cancelled.CancellationReasons[0].Item, err
		}
		if !again {
			return nil, ended(ctx, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// transacted reads the answer of a transaction. One that was cancelled names a reason for each of its items; again is
// set where nothing was wrong with it but the moment.
func transacted(err error) (again bool, _ error) {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false, err
	}
	again = true
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			return false, runs.ErrConflict
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded",
			"None", "":
		default:
			again = false
		}
	}
	return again, err
}
