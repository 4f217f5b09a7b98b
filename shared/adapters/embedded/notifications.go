package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

func (a accountJobs) Notifications(context.Context) (notify.Settings, error) {
	return record[notify.Settings](a, keyNotifications)
}

func (a accountJobs) PutNotifications(
	_ context.Context, s notify.Settings, entries ...runs.AuditEntry,
) (notify.Settings, error) {
	err := a.update(func(b *bolt.Bucket) error {
		stored, err := loadOrZero[notify.Settings](b, keyNotifications)
		if err != nil {
			return err
		}
		if stored.Revision != s.Revision {
			return runs.ErrConflict
		}
		s.Revision++
		if err := save(b, keyNotifications, s); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
	return s, err
}

func (a accountJobs) Delivery(_ context.Context, id string) (d notify.Delivery, err error) {
	err = runs.ErrNotFound
	if viewErr := a.view(func(b *bolt.Bucket) error {
		err = load(b.Bucket(bucketDeliveries), []byte(id), &d)
		return nil
	}); viewErr != nil {
		return d, viewErr
	}
	if err == nil && a.now().Sub(d.CreatedAt) > notify.DeliveryLifetime {
		return notify.Delivery{}, runs.ErrNotFound
	}
	return d, err
}

func (a accountJobs) PutDelivery(_ context.Context, d notify.Delivery) (notify.Delivery, error) {
	err := a.update(func(b *bolt.Bucket) error {
		list, err := b.CreateBucketIfNotExists(bucketDeliveries)
		if err != nil {
			return err
		}
		stored, err := loadOrZero[notify.Delivery](list, []byte(d.ID))
		if err != nil {
			return err
		}
		if stored.Revision != d.Revision {
			return runs.ErrConflict
		}
		d.Revision++
		return save(list, []byte(d.ID), d)
	})
	return d, err
}

// DueDeliveries reads the deliveries of all accounts, as Overdue does their runs.
func (j jobs) DueDeliveries(_ context.Context, now time.Time, limit int) ([]runs.Ref, error) {
	type due struct {
		runs.Ref
		at time.Time
	}
	var all []due
	var damaged []damagedRecord
	err := j.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(account []byte) error {
			return each(tx.Bucket(bucketJobs).Bucket(account), bucketDeliveries, func(id, v []byte) error {
				var d notify.Delivery
				if err := json.Unmarshal(v, &d); err != nil {
					damaged = append(damaged, damagedOf(account, bucketDeliveries, id, v, err))
				} else if !d.NextAt.IsZero() && !d.NextAt.After(now) {
					all = append(all, due{runs.Ref{Account: user.Account(account[1:]), RunID: string(id)}, d.NextAt})
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the due deliveries: %w", err)
	}
	slices.SortStableFunc(all, func(a, b due) int { return a.at.Compare(b.at) })
	var refs []runs.Ref
	for _, d := range all[:min(limit, len(all))] {
		refs = append(refs, d.Ref)
	}
	return refs, setAside(j.db, damaged)
}
