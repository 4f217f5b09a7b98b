package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
)

func (a accountJobs) AddAudit(_ context.Context, e runs.AuditEntry) error {
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

func (a accountJobs) AcquireLease(_ context.Context, l runs.Lease, now time.Time) error {
	var held error
	err := a.update(func(b *bolt.Bucket) error {
		var lease runs.Lease
		if err := load(b, keyLease, &lease); err != nil && !errors.Is(err, runs.ErrNotFound) {
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
	return a.update(func(b *bolt.Bucket) error {
		var c runs.Counts
		if err := load(b, keyCounts, &c); err != nil && !errors.Is(err, runs.ErrNotFound) {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		return save(b, keyCounts, c)
	})
}

func (a accountJobs) ClaimKey(_ context.Context, k runs.Key) (claimed runs.Key, err error) {
	claimed = k
	err = a.update(func(b *bolt.Bucket) error {
		keys, err := b.CreateBucketIfNotExists(bucketOnce)
		if err != nil {
			return err
		}
		name := []byte(k.Route + "\x00" + k.Key)
		var stored runs.Key
		err = load(keys, name, &stored)
		switch {
		case err == nil && k.At.Sub(stored.At) < keyLifetime:
			claimed = stored
			return errUnchanged
		case err != nil && !errors.Is(err, runs.ErrNotFound):
			return err
		}
		return save(keys, name, k)
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return claimed, err
}
