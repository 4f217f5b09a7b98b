package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// addAudit appends entries to the log in an account's bucket.
func addAudit(b *bolt.Bucket, entries ...runs.AuditEntry) error {
	for _, e := range entries {
		log, err := b.CreateBucketIfNotExists(bucketAudit)
		if err != nil {
			return err
		}
		if err := save(log, []byte(e.ID), e); err != nil {
			return err
		}
	}
	return nil
}

func (a accountJobs) AuditLog(_ context.Context, after string, limit int) (page runs.AuditPage, err error) {
	err = a.view(func(b *bolt.Bucket) error {
		page.Next, err = newest(b.Bucket(bucketAudit), after, limit, func(_, v []byte) (bool, error) {
			var e runs.AuditEntry
			if err := json.Unmarshal(v, &e); err != nil {
				return false, err
			}
			page.Entries = append(page.Entries, e)
			return true, nil
		})
		return err
	})
	return page, err
}

// record reads the account's record at key, the zero value where nothing is stored.
func record[T any](a accountJobs, key []byte) (found T, err error) {
	err = a.view(func(b *bolt.Bucket) error {
		found, err = loadOrZero[T](b, key)
		return err
	})
	return found, err
}

// updateRecord lets change alter the account's record at key, and stores it unless change returns an error.
func updateRecord[T any](a accountJobs, key []byte, change func(*T) error) (found T, err error) {
	err = a.update(func(b *bolt.Bucket) error {
		if found, err = loadOrZero[T](b, key); err != nil {
			return err
		}
		if err := change(&found); err != nil {
			return err
		}
		return save(b, key, found)
	})
	return found, err
}

func (a accountJobs) ListWritten(context.Context) (time.Time, error) {
	return record[time.Time](a, keyList)
}

func (a accountJobs) NoteListWrite(_ context.Context, at time.Time) error {
	return a.update(func(b *bolt.Bucket) error { return save(b, keyList, at) })
}

func (a accountJobs) Removals(context.Context) (run.Removals, error) {
	return record[run.Removals](a, keyRemovals)
}

func (a accountJobs) UpdateRemovals(_ context.Context, change func(run.Removals) (run.Removals, error)) error {
	_, err := updateRecord(a, keyRemovals, func(r *run.Removals) (err error) {
		*r, err = change(*r)
		return err
	})
	return err
}

func (a accountJobs) Looks(context.Context) (run.Looks, error) { return record[run.Looks](a, keyLooks) }

func (a accountJobs) UpdateLooks(_ context.Context, change func(*run.Looks) error) (run.Looks, error) {
	return updateRecord(a, keyLooks, change)
}

func (a accountJobs) Told(context.Context) (run.Told, error) { return record[run.Told](a, keyTold) }

func (a accountJobs) UpdateTold(_ context.Context, change func(*run.Told) error) (run.Told, error) {
	return updateRecord(a, keyTold, change)
}

func (a accountJobs) AcquireLease(_ context.Context, l runs.Lease, now time.Time) error {
	var held error
	err := a.update(func(b *bolt.Bucket) error {
		lease, err := loadOrZero[runs.Lease](b, keyLease)
		if err != nil {
			return err
		}
		if lease, held = lease.After(l, now); errors.Is(held, runs.ErrConflict) {
			return held
		}
		return save(b, keyLease, lease)
	})
	if err == nil {
		err = held
	}
	return err
}

func (a accountJobs) ReleaseLease(_ context.Context, l runs.Lease) (waiting []runs.Waiter, err error) {
	err = a.update(func(b *bolt.Bucket) error {
		var held runs.Lease
		err := load(b, keyLease, &held)
		if errors.Is(err, runs.ErrNotFound) || err == nil && !held.HeldBy(l.RunID, l.Attempt) {
			return nil
		}
		waiting = held.Waiting
		return errors.Join(err, save(b, keyLease, held.Released()))
	})
	return waiting, err
}

func (a accountJobs) Count(_ context.Context, change func(*runs.Counts) error) error {
	_, err := updateRecord(a, keyCounts, change)
	return err
}

func (a accountJobs) TakeKey(_ context.Context, k runs.Key) (taken runs.Key, err error) {
	taken = k
	err = a.update(func(b *bolt.Bucket) error {
		keys, err := b.CreateBucketIfNotExists(bucketOnce)
		if err != nil {
			return err
		}
		switch stored, err := findKey(keys, k); {
		case err == nil:
			taken = stored
			return errUnchanged
		case !errors.Is(err, runs.ErrNotFound):
			return err
		}
		return save(keys, keyName(k), k)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return taken, err
}

func (a accountJobs) FindKey(_ context.Context, k runs.Key) (found runs.Key, err error) {
	err = runs.ErrNotFound
	if viewErr := a.view(func(b *bolt.Bucket) error {
		found, err = findKey(b.Bucket(bucketOnce), k)
		return nil
	}); viewErr != nil {
		return found, viewErr
	}
	return found, err
}

// findKey returns the use that counts when k is made, or ErrNotFound.
func findKey(keys *bolt.Bucket, k runs.Key) (found runs.Key, err error) {
	if err := load(keys, keyName(k), &found); err != nil {
		return runs.Key{}, err
	}
	if k.At.Sub(found.At) >= keyLifetime {
		return runs.Key{}, runs.ErrNotFound
	}
	return found, nil
}

func keyName(k runs.Key) []byte { return []byte(k.Route + "\x00" + k.Key) }
