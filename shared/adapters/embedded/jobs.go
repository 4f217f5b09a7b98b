package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// auditLifetime is how long an entry of the audit log is kept.
const auditLifetime = 90 * 24 * time.Hour

// keyLifetime is how long an idempotency key counts.
const keyLifetime = 24 * time.Hour

// The keys and buckets below an account's bucket. Runs are keyed by their ULID, so that their order is that of time;
// a bucket for each kind holds the ids alone.
var (
	keySettings = []byte("settings")
	keyLease    = []byte("lease")
	keyList     = []byte("listWritten")
	keyRemovals = []byte("removals")
	keyLooks    = []byte("looks")
	keyTold     = []byte("told")
	keyCounts   = []byte("counts")
	// keyNotifications is who is told of what; bucketDeliveries what is on its way to them, by its id.
	keyNotifications = []byte("notifications")
	bucketDeliveries = []byte("deliveries")

	bucketRuns   = []byte("runs")
	bucketImport = []byte("imports")
	bucketKinds  = []byte("kinds/")
	bucketAudit  = []byte("audit")
	bucketOnce   = []byte("idempotency")
	errUnchanged = errors.New("nothing to store")
)

type jobs struct {
	db  *database
	now func() time.Time
}

func (j jobs) For(account user.Account) runs.Jobs {
	return accountJobs{j.db, j.now, []byte(account)}
}

// Due reads the settings of all accounts: one process has few. Damaged ones are set aside, so that their
// account can save new ones.
func (j jobs) Due(_ context.Context, now time.Time, limit int) ([]user.Account, error) {
	return dueRecords(j.db, keySettings, limit, func(s *settings.Saved) (at time.Time, due bool) {
		if s.Schedule == nil || s.Schedule.Paused {
			return at, false
		}
		return s.Schedule.DueAt(), wantsTick(s.Schedule, now)
	})
}

// DueLooks reads the looks of all accounts, as Due does.
func (j jobs) DueLooks(_ context.Context, now time.Time, limit int) ([]user.Account, error) {
	return dueRecords(j.db, keyLooks, limit, func(l *run.Looks) (time.Time, bool) {
		return l.NextAt, !l.NextAt.IsZero() && !l.NextAt.After(now)
	})
}

// dueRecords returns the accounts whose record at key is due, the longest due first.
func dueRecords[T any](
	db *database, key []byte, limit int, dueAt func(*T) (time.Time, bool),
) ([]user.Account, error) {
	type due struct {
		account user.Account
		at      time.Time
	}
	var all []due
	var damaged []damagedRecord
	err := db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(name []byte) error {
			account := tx.Bucket(bucketJobs).Bucket(name)
			var record T
			err := load(account, key, &record)
			if errors.Is(err, runs.ErrNotFound) {
				return nil
			}
			if err != nil {
				damaged = append(damaged, damagedOf(name, nil, key, account.Get(key), err))
				return nil
			}
			if at, isDue := dueAt(&record); isDue {
				all = append(all, due{user.Account(name[1:]), at})
			}
			return nil
		})
	})
	slices.SortFunc(all, func(a, b due) int { return a.at.Compare(b.at) })
	var accounts []user.Account
	for _, d := range all[:min(limit, len(all))] {
		accounts = append(accounts, d.account)
	}
	return accounts, errors.Join(err, setAside(db, damaged))
}

// wantsTick reports whether a schedule is due, or so far ahead that a clock that was wrong must have set it: nobody
// waits for longer than the interval, and up to an hour for the account's own minute.
func wantsTick(s *settings.Schedule, now time.Time) bool {
	ahead := s.DueAt().Sub(now)
	return ahead <= 0 || ahead > time.Duration(s.IntervalHours+1)*time.Hour
}

type accountJobs struct {
	db      *database
	now     func() time.Time
	account []byte
}

// view runs read on the account's bucket, and not at all where the account has none.
func (a accountJobs) view(read func(*bolt.Bucket) error) error {
	return a.db.View(func(tx *bolt.Tx) error {
		if b := nested(tx, bucketJobs, a.account); b != nil {
			return read(b)
		}
		return nil
	})
}

func (a accountJobs) update(write func(*bolt.Bucket) error) error {
	return a.db.Update(func(tx *bolt.Tx) error {
		b, err := createNested(tx, bucketJobs, a.account)
		if err != nil {
			return err
		}
		return write(b)
	})
}

// load reads the JSON value at key, or returns ErrNotFound.
func load(b *bolt.Bucket, key []byte, into any) error {
	if b == nil {
		return runs.ErrNotFound
	}
	value := b.Get(key)
	if value == nil {
		return runs.ErrNotFound
	}
	return json.Unmarshal(value, into)
}

// loadOrZero returns the zero value where nothing is stored.
func loadOrZero[T any](b *bolt.Bucket, key []byte) (value T, err error) {
	if err = load(b, key, &value); errors.Is(err, runs.ErrNotFound) {
		err = nil
	}
	return value, err
}

func save(b *bolt.Bucket, key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

func (a accountJobs) Settings(context.Context) (s settings.Saved, err error) {
	err = runs.ErrNotFound
	if viewErr := a.view(func(b *bolt.Bucket) error {
		err = load(b, keySettings, &s)
		return nil
	}); viewErr != nil {
		return s, viewErr
	}
	return s, err
}

func (a accountJobs) PutSettings(
	_ context.Context, s settings.Saved, entries ...runs.AuditEntry,
) (settings.Saved, error) {
	err := a.update(func(b *bolt.Bucket) error {
		if err := a.putSettings(b, &s); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
	return s, err
}

// putSettings stores s with its next revision, if what is stored still has the one before.
func (a accountJobs) putSettings(b *bolt.Bucket, s *settings.Saved) error {
	stored, err := loadOrZero[settings.Saved](b, keySettings)
	if err != nil {
		return err
	}
	if stored.Revision != s.Revision {
		return runs.ErrConflict
	}
	s.Revision = runs.NextRevision(s.Revision, a.now())
	return save(b, keySettings, s)
}

func (a accountJobs) TakeSlot(_ context.Context, s settings.Saved, r run.Run) (run.Run, error) {
	err := a.update(func(b *bolt.Bucket) error {
		if err := a.putSettings(b, &s); err != nil {
			return err
		}
		return a.createRun(b, &r)
	})
	return r, err
}

func (a accountJobs) DeleteSettings(_ context.Context, s settings.Saved, entries ...runs.AuditEntry) error {
	return a.update(func(b *bolt.Bucket) error {
		var stored settings.Saved
		if err := load(b, keySettings, &stored); err != nil {
			return err
		}
		if stored.Revision != s.Revision {
			return runs.ErrConflict
		}
		if err := b.Delete(keySettings); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
}

// newest walks a bucket whose keys are ULIDs from the newest, or from the one before after, until take has taken limit
// of them, or was asked about runs.MaxScan. It returns the key to go on after, or nothing at the end.
func newest(b *bolt.Bucket, after string, limit int, take func(k, v []byte) (bool, error)) (string, error) {
	if b == nil {
		return "", nil
	}
	c := b.Cursor()
	var k, v []byte
	if after == "" {
		k, v = c.Last()
	} else {
		if k, _ = c.Seek([]byte(after)); k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
	}
	last, taken := "", 0
	for scanned := 0; k != nil; k, v = c.Prev() {
		if taken == limit || scanned == runs.MaxScan {
			return last, nil
		}
		took, err := take(k, v)
		if err != nil {
			return "", fmt.Errorf("read record %s: %w", k, err)
		}
		if took {
			taken++
		}
		last = string(k)
		scanned++
	}
	return "", nil
}
