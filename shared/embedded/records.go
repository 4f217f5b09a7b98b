package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/jobstore"
)

func (a accountJobs) AddAudit(_ context.Context, e jobstore.AuditEntry) error {
	return a.update(func(b *bolt.Bucket) error {
		log, err := b.CreateBucketIfNotExists(bucketAudit)
		if err != nil {
			return err
		}
		if log.Get([]byte(e.ID)) != nil {
			return nil
		}
		return save(log, []byte(e.ID), e)
	})
}

func (a accountJobs) AuditLog(_ context.Context, after string, limit int) (page jobstore.AuditPage, err error) {
	err = a.view(func(b *bolt.Bucket) error {
		page.Next, err = newest(b.Bucket(bucketAudit), after, limit, func(_, v []byte) (bool, error) {
			var e jobstore.AuditEntry
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

func (a accountJobs) AcquireLease(_ context.Context, l jobstore.Lease, now time.Time) error {
	return a.update(func(b *bolt.Bucket) error {
		var held jobstore.Lease
		if err := load(b, keyLease, &held); err != nil && !errors.Is(err, jobstore.ErrNotFound) {
			return err
		}
		if !held.Yields(l, now) {
			return jobstore.ErrConflict
		}
		return save(b, keyLease, l)
	})
}

func (a accountJobs) ReleaseLease(_ context.Context, l jobstore.Lease) error {
	return a.update(func(b *bolt.Bucket) error {
		var held jobstore.Lease
		err := load(b, keyLease, &held)
		if errors.Is(err, jobstore.ErrNotFound) || err == nil && !held.HeldBy(l.RunID, l.Attempt) {
			return nil
		}
		return errors.Join(err, b.Delete(keyLease))
	})
}

func (a accountJobs) ClaimKey(_ context.Context, k jobstore.Key) (claimed jobstore.Key, err error) {
	claimed = k
	err = a.update(func(b *bolt.Bucket) error {
		keys, err := b.CreateBucketIfNotExists(bucketOnce)
		if err != nil {
			return err
		}
		name := []byte(k.Route + "\x00" + k.Key)
		var stored jobstore.Key
		err = load(keys, name, &stored)
		switch {
		case err == nil && k.At.Sub(stored.At) < keyLifetime:
			claimed = stored
			return errUnchanged
		case err != nil && !errors.Is(err, jobstore.ErrNotFound):
			return err
		}
		return save(keys, name, k)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return claimed, err
}
