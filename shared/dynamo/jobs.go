package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/deployment"
	"rollcall/shared/jobstore"
	"rollcall/shared/user"
)

// recordLifetime is how long a run's record is kept, keyLifetime how long an idempotency key counts. DynamoDB deletes what is past
// its time within days; until then it is not shown.
const (
	recordLifetime = 90 * 24 * time.Hour
	keyLifetime    = 24 * time.Hour
)

// The names of records: their sort keys.
const (
	recordSettings = "settings"
	recordLease    = "lease"
	prefixRun      = "run#"
	prefixAudit    = "audit#"
	prefixOnce     = "once#"
)

// Jobs are the jobs of all accounts, in a table of the shape of JobsTable.
type Jobs struct {
	client Client
	table  string
	now    func() time.Time
}

// NewJobs returns the jobs in a table. A nil clock is time.Now.
func NewJobs(client Client, table string, clock func() time.Time) *Jobs {
	if clock == nil {
		clock = time.Now
	}
	return &Jobs{client, table, clock}
}

// For returns one account's jobs.
func (j *Jobs) For(account user.Account) jobstore.Jobs { return accountJobs{j, account} }

type accountJobs struct {
	*Jobs
	account user.Account
}

func (a accountJobs) Settings(ctx context.Context) (s jobstore.Settings, err error) {
	stored, err := a.read(ctx, recordSettings)
	if err != nil {
		return s, err
	}
	err = stored.decode(&s)
	return s, err
}

func (a accountJobs) PutSettings(ctx context.Context, s jobstore.Settings) (jobstore.Settings, error) {
	r, c, err := a.settingsRecord(&s)
	if err != nil {
		return s, err
	}
	_, err = a.write(ctx, recordSettings, r, c)
	return s, err
}

// settingsRecord gives s its next revision and returns what stores it, and when.
func (a accountJobs) settingsRecord(s *jobstore.Settings) (record, condition, error) {
	c := absent()
	if s.Revision != 0 {
		c = condition{attrRevision, number(s.Revision)}
	}
	// A first revision is the time, so that settings that were deleted and saved anew do not come to one that somebody
	// still holds.
	s.Revision = max(s.Revision+1, a.now().UnixMilli())
	index := item{attrRevision: number(s.Revision)}
	if s.Schedule != nil && !s.Schedule.Paused {
		a.putDue(index, dueSchedules, s.Schedule.NextRunAt)
	}
	r, err := newRecord(s, index)
	return r, c, err
}

func (a accountJobs) DeleteSettings(ctx context.Context) (s jobstore.Settings, err error) {
	err = a.remove(ctx, recordSettings, func(stored record) error {
		s = jobstore.Settings{}
		return stored.decode(&s)
	})
	return s, err
}

func (a accountJobs) CreateRun(ctx context.Context, r jobstore.Run) (jobstore.Run, error) {
	created, err := a.newRun(&r)
	if err != nil {
		return r, err
	}
	_, err = a.write(ctx, prefixRun+r.ID, created, absent())
	return r, err
}

// newRun gives r its first revision and returns what stores it.
func (a accountJobs) newRun(r *jobstore.Run) (record, error) {
	r.Revision, r.UpdatedAt = 1, a.now().UTC()
	return a.runRecord(r)
}

func (a accountJobs) runRecord(r *jobstore.Run) (record, error) {
	index := item{
		deployment.KindRun:   str(kindRun(r.Kind, r.ID)),
		deployment.ExpiresAt: number(r.CreatedAt.Add(recordLifetime).Unix()),
	}
	if look := r.NextLook(); !look.IsZero() {
		a.putDue(index, dueRuns, look)
	}
	return newRecord(r, index)
}

func kindRun(kind jobstore.RunKind, id string) string { return string(kind) + "#" + id }

func (a accountJobs) Run(ctx context.Context, id string) (r jobstore.Run, err error) {
	if id == "" || len(prefixRun+id) > maxKey {
		return r, jobstore.ErrNotFound
	}
	stored, err := a.read(ctx, prefixRun+id)
	if err != nil {
		return r, err
	}
	return a.decodeRun(stored)
}

// decodeRun reads a run that is not past its lifetime.
func (a accountJobs) decodeRun(stored record) (r jobstore.Run, err error) {
	if err := stored.decode(&r); err != nil {
		return r, err
	}
	if a.now().Sub(r.CreatedAt) > recordLifetime {
		return jobstore.Run{}, jobstore.ErrNotFound
	}
	return r, nil
}

func (a accountJobs) UpdateRun(ctx context.Context, id string, change func(*jobstore.Run) error) (r jobstore.Run, err error) {
	if id == "" || len(prefixRun+id) > maxKey {
		return r, jobstore.ErrNotFound
	}
	err = a.change(ctx, prefixRun+id, func(stored record) (record, error) {
		if r, err = a.decodeRun(stored); err != nil {
			return record{}, err
		}
		if err := change(&r); err != nil {
			return record{}, err
		}
		r.Revision++
		r.UpdatedAt = a.now().UTC()
		return a.runRecord(&r)
	})
	return r, err
}

// Claim stores both records in one transaction. Its token makes trying it again safe for ten minutes; after that the record's
// own write id still tells.
func (a accountJobs) Claim(ctx context.Context, s jobstore.Settings, r jobstore.Run) (jobstore.Run, error) {
	settings, c, err := a.settingsRecord(&s)
	if err != nil {
		return r, err
	}
	run, err := a.newRun(&r)
	if err != nil {
		return r, err
	}
	first, err := a.transactPut(recordSettings, settings, c)
	if err != nil {
		return r, err
	}
	second, err := a.transactPut(prefixRun+r.ID, run, absent())
	if err != nil {
		return r, err
	}
	input := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(settings.writeID), TransactItems: []types.TransactWriteItem{first, second}}
	for attempt := 0; ; attempt++ {
		_, err := a.client.TransactWriteItems(ctx, input)
		again, err := claimed(err, settings.writeID)
		if err != nil && !again {
			return r, fmt.Errorf("claim the slot of run %s: %w", r.ID, ended(ctx, err))
		}
		if !again {
			return r, nil
		}
		if err := pause(ctx, attempt); err != nil {
			return r, err
		}
	}
}

func (a accountJobs) transactPut(name string, r record, c condition) (types.TransactWriteItem, error) {
	i, err := a.item(name, r)
	if err == nil {
		err = fits(i, c)
	}
	expression, values := c.expression()
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &a.table, Item: i, ConditionExpression: expression, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}, err
}

// claimed reads the answer of a claim. A cancelled transaction names a reason for each of its items; again tells that nothing was
// wrong with it but the moment.
func claimed(err error, writeID string) (again bool, _ error) {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false, err
	}
	again = true
	for _, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			if text(reason.Item, attrWriteID) == writeID {
				return false, nil
			}
			return false, jobstore.ErrConflict
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "None", "":
		default:
			again = false
		}
	}
	return again, err
}

// Erase deletes all records of an account and returns how many there were. progress, which may be nil, is told now and then how
// many are gone.
func (j *Jobs) Erase(ctx context.Context, account user.Account, progress func(deleted int)) (int, error) {
	e := eraser{client: j.client, table: j.table, partitionKey: deployment.JobsPartition, sortKey: deployment.JobsSort, progress: progress}
	if err := e.partition(ctx, string(account)); err != nil {
		return e.deleted, fmt.Errorf("erase the records of account %q: %w", account, err)
	}
	return e.deleted, nil
}
