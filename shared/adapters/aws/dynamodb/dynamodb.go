// Package dynamodb holds the adapters that keep users and jobs in two DynamoDB tables: what the functions run on. Every
// promise of the ports is a condition on a write, and every write survives a lost answer: the adapters know their own
// writes again.
//
// docs/adr/0007-dynamodb-tables.md says what the tables look like and why, 0008 how the Users List is written, 0009 how
// calls are tried again.
package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/ports/runs"
)

// options change how one call is made.
type options = func(*awsdynamodb.Options)

// Client is what the adapters call; NewClient gives the real one.
type Client interface {
	GetItem(context.Context, *awsdynamodb.GetItemInput, ...options) (*awsdynamodb.GetItemOutput, error)
	PutItem(context.Context, *awsdynamodb.PutItemInput, ...options) (*awsdynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *awsdynamodb.DeleteItemInput, ...options) (*awsdynamodb.DeleteItemOutput, error)
	UpdateItem(context.Context, *awsdynamodb.UpdateItemInput, ...options) (*awsdynamodb.UpdateItemOutput, error)
	Query(context.Context, *awsdynamodb.QueryInput, ...options) (*awsdynamodb.QueryOutput, error)
	BatchWriteItem(
		context.Context, *awsdynamodb.BatchWriteItemInput, ...options,
	) (*awsdynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(
		context.Context, *awsdynamodb.TransactWriteItemsInput, ...options,
	) (*awsdynamodb.TransactWriteItemsOutput, error)
}

// maxKey is how long a sort key may be in bytes, by DynamoDB's quotas.
const maxKey = 1024

// item is a row of a table.
type item = map[string]types.AttributeValue

// refused returns what is stored where a write's condition failed, and nil with ok where nothing is. Any other error,
// and none, is not ok.
func refused(err error) (stored item, ok bool) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return failed.Item, true
	}
	return nil, false
}

// ended returns why ctx ended in place of the SDK's error about it, and err where it did not.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// pause waits before a write is tried again that others were quicker with: up to 10 ms the first time, up to a second
// later.
func pause(ctx context.Context, attempt int) error {
	most := min(time.Second, 10*time.Millisecond<<min(attempt, 10))
	return runs.Wait(ctx, rand.N(most)) //nolint:gosec // nobody gains from guessing it
}

// text returns the string at name, and "" where there is none.
func text(i item, name string) string {
	if s, ok := i[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// missing is the error for an item that lacks what every item has: somebody else wrote it.
func missing(name string) error { return fmt.Errorf("the item has no %s", name) }
