package embedded

import (
	"context"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

// Overdue reads the runs of all accounts: one process has few. Damaged ones are set aside.
func (j jobs) Overdue(_ context.Context, now time.Time, limit int) ([]runs.Ref, error) {
	type overdue struct {
		runs.Ref
		at time.Time
	}
	var all []overdue
	var damaged []damagedRecord
	err := j.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(account []byte) error {
			list := tx.Bucket(bucketJobs).Bucket(account).Bucket(bucketRuns)
			if list == nil {
				return nil
			}
			return list.ForEach(func(id, v []byte) error {
				var run runs.Record
				if err := decodeRun(id, v, &run); err != nil {
					damaged = append(damaged, damagedOf(account, bucketRuns, id, v, err))
				} else if at := run.OverdueAt(); !at.IsZero() && !at.After(now) {
					all = append(all, overdue{runs.Ref{Account: user.Account(account[1:]), RunID: run.ID}, at})
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the overdue runs: %w", err)
	}
	slices.SortStableFunc(all, func(a, b overdue) int { return a.at.Compare(b.at) })
	var refs []runs.Ref
	for _, l := range all[:min(limit, len(all))] {
		refs = append(refs, l.Ref)
	}
	return refs, setAside(j.db, damaged)
}
