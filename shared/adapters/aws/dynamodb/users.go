package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// writesInFlight is how many writes one Apply has under way at a time, by default. With 5 ms for an answer these are
// some 12,000 a second, three times what a new table paid by request takes (Amazon DynamoDB Developer Guide, on-demand
// capacity mode).
const writesInFlight = 64

// Users are the users of all accounts, in a table of the shape of UsersTable.
type Users struct {
	client Client
	table  string
	// jobs is the table of the audit log.
	jobs string
	// InFlight bounds the writes that one Apply has under way at a time; 64 by default.
	InFlight int
}

// NewUsers returns the users in a table. Edits by hand go into the audit log in the table jobs.
func NewUsers(client Client, table, jobs string) *Users {
	return &Users{client: client, table: table, jobs: jobs, InFlight: writesInFlight}
}

// For returns one account's users.
func (u *Users) For(account user.Account) users.Users { return accountUsers{u, account} }

type accountUsers struct {
	*Users
	account user.Account
}

func (a accountUsers) Get(ctx context.Context, key string) (user.User, error) {
	if key == "" || len(key) > maxKey {
		return user.User{}, users.ErrNotFound
	}
	out, err := a.client.GetItem(ctx, &awsdynamodb.GetItemInput{TableName: &a.table, Key: userKey(a.account, key),
		ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return user.User{}, fmt.Errorf("read user %s: %w", key, ended(ctx, err))
	case out.Item == nil:
		return user.User{}, users.ErrNotFound
	}
	return decodeUser(out.Item)
}

// Apply writes each change with a condition of its own, many at a time. The first error ends it. Leases are in another
// table, and a transaction for each write would cost twice as much: so the fence is the time that the lease has left.
func (a accountUsers) Apply(ctx context.Context, fence users.Fence, changes []users.Change) ([]users.Outcome, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outcomes := make([]users.Outcome, len(changes))
	step := stride(len(changes))
	var next atomic.Int64
	var writers sync.WaitGroup
	for range min(a.InFlight, len(changes)) {
		writers.Go(func() {
			for {
				turn := int(next.Add(1)) - 1
				if turn >= len(changes) || ctx.Err() != nil {
					return
				}
				i := turn * step % len(changes)
				outcome, err := a.write(ctx, fence, &changes[i])
				if err != nil {
					cancel(fmt.Errorf("write user %s: %w", changes[i].Key, ended(ctx, err)))
					return
				}
				outcomes[i] = outcome
			}
		})
	}
	writers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return outcomes, nil
}

// stride is a step that visits each of n places once, and neighbours far apart in time: changes come in the order of
// their keys, and a partition that only grows at one end cannot be split.
func stride(n int) int {
	step := max(1, n*5/13)
	for gcd(step, n) != 1 {
		step++
	}
	return step
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// log is the account's part of the table of the audit log.
func (a accountUsers) log() accountJobs {
	return accountJobs{NewJobs(a.client, a.jobs, nil), a.account}
}

// Edit writes the user and the entry in one transaction, whose token makes another attempt of the same call safe.
func (a accountUsers) Edit(ctx context.Context, c users.Change, e runs.AuditEntry) (users.Outcome, error) {
	condition, values := conditionOf(&c)
	const old = types.ReturnValuesOnConditionCheckFailureAllOld
	var write types.TransactWriteItem
	if c.After == nil {
		write.Delete = &types.Delete{
			TableName: &a.table, Key: userKey(a.account, c.Key), ConditionExpression: &condition,
			ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: old,
		}
	} else {
		write.Put = &types.Put{
			TableName: &a.table, Item: encodeUser(a.account, c.After), ConditionExpression: &condition,
			ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: old,
		}
	}
	log := a.log()
	note, err := log.noteEdit(&c, e.At)
	if err != nil {
		return 0, err
	}
	items, err := log.withAudit([]types.TransactWriteItem{write, note}, []runs.AuditEntry{e})
	if err != nil {
		return 0, err
	}
	stored, err := transact(ctx, a.client, items)
	switch {
	case errors.Is(err, runs.ErrConflict):
		return judge(stored, &c, false)
	case err != nil:
		return 0, fmt.Errorf("write user %s: %w", c.Key, err)
	}
	return users.Applied, nil
}

const (
	onlyNew     = "attribute_not_exists(" + manifest.UsersSort + ")"
	onlyVersion = attrVersion + " = :expect"
)

// conditionOf returns the condition of a change and the values in it.
func conditionOf(c *users.Change) (condition string, values item) {
	if c.Expect == 0 && c.After != nil {
		return onlyNew, nil
	}
	return onlyVersion, item{":expect": number(c.Expect)}
}

// write writes one change if its condition holds, and returns what became of it.
func (a accountUsers) write(ctx context.Context, fence users.Fence, c *users.Change) (users.Outcome, error) {
	if fence.Until != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, fence.Until(), users.ErrFenced)
		defer stop()
	}
	condition, values := conditionOf(c)
	doubt := false
	var err error
	if c.After == nil {
		_, err = a.client.DeleteItem(ctx, &awsdynamodb.DeleteItemInput{
			TableName: &a.table, Key: userKey(a.account, c.Key), ConditionExpression: &condition,
			ExpressionAttributeValues:           values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}, noteDoubt(&doubt), whileLeased(fence))
	} else {
		_, err = a.client.PutItem(ctx, &awsdynamodb.PutItemInput{
			TableName: &a.table, Item: encodeUser(a.account, c.After), ConditionExpression: &condition,
			ExpressionAttributeValues:           values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}, noteDoubt(&doubt), whileLeased(fence))
	}
	if err == nil {
		return users.Applied, nil
	}
	if stored, ok := refused(err); ok {
		return judge(stored, c, doubt)
	}
	return 0, ended(ctx, err)
}

// judge returns what became of a change whose condition failed. Where an earlier attempt of the very same call may have
// been done (doubt), a row that is as the change wants it was made so by that one.
func judge(stored item, c *users.Change, doubt bool) (users.Outcome, error) {
	switch {
	case c.After == nil && stored == nil && doubt:
		return users.Applied, nil
	case c.After == nil && stored == nil:
		return users.Absent, nil
	case c.After == nil || stored == nil:
		return users.Conflict, nil
	case c.After.LastRunID != "" && text(stored, attrLastRun) == c.After.LastRunID:
		return users.Applied, nil
	}
	found, err := decodeUser(stored)
	if err != nil {
		return 0, err
	}
	// As it would be read: a time from the clock carries more than what is stored.
	if sent, err := decodeUser(encodeUser("", c.After)); doubt && err == nil && found == sent {
		return users.Applied, nil
	}
	if c.Done(&found) {
		return users.Already, nil
	}
	return users.Conflict, nil
}
