package dynamodb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

// What the due index lists, each on shards of its own: schedules by their next run, quick looks, and runs by the time
// at which somebody has to look after them.
const (
	dueSchedules = "schedules"
	dueLooks     = "looks"
	dueRuns      = "runs"
	// dueDeliveries are those that somebody has to try again.
	dueDeliveries = "deliveries"
)

// dueShards is how many partition keys of the index the accounts are spread over. Fewer than were ever in use would
// hide what lies on the others.
const dueShards = 8

// putDue adds what makes the index list an item from a time on. It is rounded up to a millisecond: never early.
func (a accountJobs) putDue(index item, what string, at time.Time) {
	h := fnv.New32a()
	h.Write([]byte(a.account))
	index[manifest.DueShard] = str(dueShard(what, int(h.Sum32()%dueShards)))
	index[manifest.DueAt] = number(at.Add(time.Millisecond - 1).UnixMilli())
}

func dueShard(what string, shard int) string { return what + "#" + strconv.Itoa(shard) }

// Due returns the accounts whose schedule is due, or far ahead. The index follows the table within moments, so that it
// may name one whose slot was just taken.
func (j *Jobs) Due(ctx context.Context, now time.Time, limit int) ([]user.Account, error) {
	found, err := j.due(ctx, dueSchedules, until(now), limit)
	if len(found) < limit {
		far, farErr := j.due(ctx, dueSchedules, after(now.Add(runs.FarAhead)), limit-len(found))
		found, err = append(found, far...), errors.Join(err, farErr)
	}
	if err != nil {
		err = fmt.Errorf("look for due schedules: %w", err)
	}
	return accountsOf(found), err
}

// DueLooks returns the accounts whose next look is due. The index follows as in Due.
func (j *Jobs) DueLooks(ctx context.Context, now time.Time, limit int) ([]user.Account, error) {
	found, err := j.due(ctx, dueLooks, until(now), limit)
	if err != nil {
		err = fmt.Errorf("look for due looks: %w", err)
	}
	return accountsOf(found), err
}

func accountsOf(found []dueItem) (accounts []user.Account) {
	for _, d := range found {
		accounts = append(accounts, user.Account(d.account))
	}
	return accounts
}

// Overdue returns the runs whose next look is due.
func (j *Jobs) Overdue(ctx context.Context, now time.Time, limit int) ([]runs.Ref, error) {
	found, err := j.due(ctx, dueRuns, until(now), limit)
	if err != nil {
		err = fmt.Errorf("look for overdue runs: %w", err)
	}
	return refsOf(found, prefixRun), err
}

// DueDeliveries returns the deliveries that are to be tried again. The index follows as in Due.
func (j *Jobs) DueDeliveries(ctx context.Context, now time.Time, limit int) ([]runs.Ref, error) {
	found, err := j.due(ctx, dueDeliveries, until(now), limit)
	if err != nil {
		err = fmt.Errorf("look for due deliveries: %w", err)
	}
	return refsOf(found, prefixDelivery), err
}

func refsOf(found []dueItem, prefix string) (refs []runs.Ref) {
	for _, d := range found {
		refs = append(refs, runs.Ref{Account: user.Account(d.account), RunID: strings.TrimPrefix(d.record, prefix)})
	}
	return refs
}

// span is a part of the index: the items whose time compares so with at, in milliseconds since 1970.
type span struct {
	compare string
	at      int64
}

func until(t time.Time) span { return span{"<=", t.UnixMilli()} }

// after leaves out t itself as it is stored, which putDue rounds up.
func after(t time.Time) span { return span{">", t.Add(time.Millisecond - 1).UnixMilli()} }

// dueItem is what the index says of an item.
type dueItem struct {
	account, record string
	at              int64
}

// due returns up to limit items of a part of the index, the longest due first. One that cannot be read, and a shard
// that does not answer, hide no others: an error comes with the rest.
func (j *Jobs) due(ctx context.Context, what string, part span, limit int) (all []dueItem, err error) {
	for shard := range dueShards {
		found, shardErr := j.dueOn(ctx, dueShard(what, shard), part, limit)
		all = append(all, found...)
		if err == nil && shardErr != nil {
			err = ended(ctx, shardErr)
		}
	}
	slices.SortFunc(all, func(a, b dueItem) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.account, b.account), cmp.Compare(a.record, b.record))
	})
	return all[:min(limit, len(all))], err
}

// dueOn reads up to limit items of a part of one shard of the index. Its error names the first that cannot be read.
func (j *Jobs) dueOn(ctx context.Context, shard string, part span, limit int) (found []dueItem, err error) {
	query := &awsdynamodb.QueryInput{
		TableName: &j.table, IndexName: aws.String(manifest.DueIndex),
		Limit: aws.Int32(int32(limit)), //nolint:gosec // a small number
		KeyConditionExpression: aws.String(
			manifest.DueShard + " = :shard AND " + manifest.DueAt + " " + part.compare + " :at"),
		ExpressionAttributeValues: item{":shard": str(shard), ":at": number(part.at)},
	}
	for {
		out, queryErr := j.client.Query(ctx, query)
		if queryErr != nil {
			return found, queryErr
		}
		for _, i := range out.Items {
			account, name := text(i, manifest.JobsPartition), text(i, manifest.JobsSort)
			at, atErr := integer(i, manifest.DueAt)
			if atErr == nil {
				found = append(found, dueItem{account, name, at})
			} else if err == nil {
				err = fmt.Errorf("record %s of account %q: %w", name, account, atErr)
			}
		}
		query.ExclusiveStartKey = out.LastEvaluatedKey
		if query.ExclusiveStartKey == nil || len(found) >= limit {
			return found, err
		}
	}
}
