package dynamodb

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// keyLifetime is how long an idempotency key counts. DynamoDB deletes what is past its time within days; until then it
// is not shown.
const keyLifetime = 24 * time.Hour

// The names of records: their sort keys.
const (
	recordSettings = "settings"
	recordLease    = "lease"
	recordList     = "list"
	recordRemovals = "removals"
	recordLooks    = "looks"
	recordTold     = "told"
	recordCounts   = "counts"
	// recordNotifications are who is told of what, prefixDelivery what is on its way to them.
	recordNotifications = "notifications"
	prefixDelivery      = "delivery#"

	prefixRun    = "run#"
	prefixImport = "import#"
	prefixAudit  = "audit#"
	prefixOnce   = "once#"
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
func (j *Jobs) For(account user.Account) runs.Jobs { return accountJobs{j, account} }

type accountJobs struct {
	*Jobs
	account user.Account
}

func (a accountJobs) Settings(ctx context.Context) (s settings.Saved, err error) {
	stored, err := a.read(ctx, recordSettings)
	if err != nil {
		return s, err
	}
	err = stored.decode(&s)
	return s, err
}

func (a accountJobs) PutSettings(
	ctx context.Context, s settings.Saved, entries ...runs.AuditEntry,
) (settings.Saved, error) {
	read, err := a.read(ctx, recordSettings)
	if err != nil {
		return s, err
	}
	next, err := a.nextSettings(read, &s)
	if err != nil {
		return s, err
	}
	return s, a.put(ctx, recordSettings, next, read, entries)
}

// nextSettings gives s its next revision and returns the record that stores it in place of one of the same revision.
func (a accountJobs) nextSettings(stored record, s *settings.Saved) (record, error) {
	old, err := decodeOrZero[settings.Saved](stored)
	if err != nil {
		return record{}, err
	}
	if old.Revision != s.Revision {
		return record{}, runs.ErrConflict
	}
	s.Revision = runs.NextRevision(s.Revision, a.now())
	index := make(item)
	if s.Schedule != nil && !s.Schedule.Paused {
		a.putDue(index, dueSchedules, s.Schedule.DueAt())
	}
	return newRecord(s, index)
}

func (a accountJobs) DeleteSettings(ctx context.Context, s settings.Saved, entries ...runs.AuditEntry) error {
	read, err := a.read(ctx, recordSettings)
	if err != nil {
		return err
	}
	var stored settings.Saved
	if err := read.decode(&stored); err != nil {
		return err
	}
	if stored.Revision != s.Revision {
		return runs.ErrConflict
	}
	return a.remove(ctx, recordSettings, read, entries)
}

func (a accountJobs) CreateRun(ctx context.Context, r run.Run, entries ...runs.AuditEntry) (run.Run, error) {
	created, err := a.newRun(ctx, &r)
	if err != nil {
		return r, err
	}
	return r, a.put(ctx, prefixRun+r.ID, created, record{}, entries)
}

func (a accountJobs) Fits(r run.Run) error {
	_, parted, err := runs.NewRecord(r, "")
	if err != nil {
		return err
	}
	stored, err := pack(parted)
	if err != nil {
		return err
	}
	return withinLimit(len(stored), maxNew-fitSlack)
}

// newRun gives r its first revision and returns what stores it. Where its Import is long, the record of that is stored
// before: whoever finds the run finds all of it. One whose run was not stored then is deleted when its time is over.
func (a accountJobs) newRun(ctx context.Context, r *run.Run) (record, error) {
	r.Revision, r.UpdatedAt = 1, a.now().UTC()
	rec, parted, err := runs.NewRecord(*r, r.ID+"#"+rand.Text())
	if err != nil {
		return record{}, err
	}
	if parted != nil {
		own := record{document: parted, index: item{manifest.ExpiresAt: expiry(r)}}
		if _, err := a.write(ctx, prefixImport+rec.Parted.Key, own, record{}); err != nil {
			return record{}, err
		}
	}
	return a.runRecord(&rec)
}

// expiry is the time to live of a run's records.
func expiry(r *run.Run) types.AttributeValue {
	return number(r.CreatedAt.Add(r.Kind.Lifetime()).Unix())
}

func (a accountJobs) runRecord(r *runs.Record) (record, error) {
	index := item{manifest.KindRun: str(kindRun(r.Kind, r.ID)), manifest.ExpiresAt: expiry(&r.Run)}
	if at := r.OverdueAt(); !at.IsZero() {
		a.putDue(index, dueRuns, at)
	}
	return newRecord(r, index)
}

func kindRun(kind run.Kind, id string) string { return string(kind) + "#" + id }

func (a accountJobs) LeanRun(ctx context.Context, id string) (run.Run, error) {
	rec, err := a.readRun(ctx, id)
	if err != nil {
		return run.Run{}, err
	}
	return rec.Lean(), nil
}

func (a accountJobs) readRun(ctx context.Context, id string) (rec runs.Record, err error) {
	if id == "" || len(prefixRun+id) > maxKey {
		return rec, runs.ErrNotFound
	}
	stored, err := a.read(ctx, prefixRun+id)
	if err != nil {
		return rec, err
	}
	return a.decodeRun(stored)
}

func (a accountJobs) Run(ctx context.Context, id string) (run.Run, error) {
	rec, err := a.readRun(ctx, id)
	if err != nil {
		return run.Run{}, err
	}
	return rec.Whole(func(key string) ([]byte, error) {
		parted, err := a.read(ctx, prefixImport+key)
		if err == nil && parted.document == nil {
			err = runs.ErrNotFound
		}
		return parted.document, err
	})
}

// decodeRun reads a run that is not past its lifetime.
func (a accountJobs) decodeRun(stored record) (rec runs.Record, err error) {
	if err := stored.decode(&rec); err != nil {
		return rec, err
	}
	if a.now().Sub(rec.CreatedAt) > rec.Kind.Lifetime() {
		return runs.Record{}, runs.ErrNotFound
	}
	return rec, nil
}

func (a accountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (r run.Run, err error) {
	if !canBeRun(id) {
		return r, runs.ErrNotFound
	}
	err = a.change(ctx, prefixRun+id, func(stored record) (next record, err error) {
		r, next, err = a.changeRun(stored, change)
		return next, err
	})
	return r, err
}

func (a accountJobs) EditRun(
	ctx context.Context, id string, change func(*run.Run) ([]runs.AuditEntry, error),
) (r run.Run, err error) {
	if !canBeRun(id) {
		return r, runs.ErrNotFound
	}
	err = runs.Retry(ctx, func() error {
		read, err := a.read(ctx, prefixRun+id)
		if err != nil {
			return err
		}
		var entries []runs.AuditEntry
		var next record
		r, next, err = a.changeRun(read, func(r *run.Run) (err error) {
			entries, err = change(r)
			return err
		})
		if err != nil {
			return err
		}
		return a.put(ctx, prefixRun+id, next, read, entries)
	})
	return r, err
}

// canBeRun reports whether a run may have the id: DynamoDB refuses an empty key and one that is too long.
func canBeRun(id string) bool { return id != "" && len(prefixRun+id) <= maxKey }

// changeRun lets change alter the run that is stored, and returns it and the record that takes its place.
func (a accountJobs) changeRun(stored record, change func(*run.Run) error) (r run.Run, next record, err error) {
	rec, err := a.decodeRun(stored)
	if err != nil {
		return r, next, err
	}
	r = rec.Lean()
	if err := change(&r); err != nil {
		return r, next, err
	}
	r.Revision++
	r.UpdatedAt = a.now().UTC()
	rec = rec.Changed(r)
	next, err = a.runRecord(&rec)
	return r, next, err
}

func (a accountJobs) TakeSlot(ctx context.Context, s settings.Saved, r run.Run) (run.Run, error) {
	read, err := a.read(ctx, recordSettings)
	if err != nil {
		return r, err
	}
	saved, err := a.nextSettings(read, &s)
	if err != nil {
		return r, err
	}
	row, err := a.newRun(ctx, &r)
	if err != nil {
		return r, err
	}
	putSettings, err := a.transactPut(recordSettings, saved, read)
	if err != nil {
		return r, err
	}
	putRun, err := a.transactPut(prefixRun+r.ID, row, record{})
	if err != nil {
		return r, err
	}
	return r, a.transact(ctx, []types.TransactWriteItem{putSettings, putRun}, nil)
}

func (a accountJobs) UsePreview(
	ctx context.Context, preview, r run.Run, entries ...runs.AuditEntry,
) (run.Run, error) {
	name := prefixRun + preview.ID
	read, err := a.read(ctx, name)
	if err != nil {
		return r, err
	}
	_, used, err := a.changeRun(read, func(stored *run.Run) error {
		if stored.Revision != preview.Revision {
			return runs.ErrConflict
		}
		*stored = preview
		return nil
	})
	if err != nil {
		return r, err
	}
	row, err := a.newRun(ctx, &r)
	if err != nil {
		return r, err
	}
	putPreview, err := a.transactPut(name, used, read)
	if err != nil {
		return r, err
	}
	putRun, err := a.transactPut(prefixRun+r.ID, row, record{})
	if err != nil {
		return r, err
	}
	return r, a.transact(ctx, []types.TransactWriteItem{putPreview, putRun}, entries)
}

// Erase deletes all records of an account and returns how many there were. progress, which may be nil, is told now and
// then how many are gone.
func (j *Jobs) Erase(ctx context.Context, account user.Account, progress func(deleted int)) (int, error) {
	e := eraser{
		client: j.client, table: j.table, partitionKey: manifest.JobsPartition, sortKey: manifest.JobsSort,
		progress: progress,
	}
	err := accountConnectors{accountJobs{j, account}}.dropNames(ctx, prefixNamed)
	if err == nil {
		err = e.partition(ctx, string(account))
	}
	if err != nil {
		return e.deleted, fmt.Errorf("erase the records of account %q: %w", account, err)
	}
	return e.deleted, nil
}
