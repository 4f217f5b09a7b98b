package embedded

import (
	"context"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/jobstore"
	"rollcall/shared/user"
)

// Overdue looks through the runs of all accounts: one process has few. Damaged ones are set aside.
func (j jobs) Overdue(_ context.Context, now time.Time, limit int) ([]jobstore.RunRef, error) {
	type look struct {
		jobstore.RunRef
		at time.Time
	}
	var all []look
	var damaged []damagedRecord
	err := j.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(account []byte) error {
			runs := tx.Bucket(bucketJobs).Bucket(account).Bucket(bucketRuns)
			if runs == nil {
				return nil
			}
			return runs.ForEach(func(id, v []byte) error {
				var run jobstore.Run
				if err := decodeRun(id, v, &run); err != nil {
					damaged = append(damaged, damagedOf(account, bucketRuns, id, v, err))
				} else if at := run.NextLook(); !at.IsZero() && !at.After(now) {
					all = append(all, look{jobstore.RunRef{Account: user.Account(account[1:]), RunID: run.ID}, at})
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look for overdue runs: %w", err)
	}
	slices.SortStableFunc(all, func(a, b look) int { return a.at.Compare(b.at) })
	var refs []jobstore.RunRef
	for _, l := range all[:min(limit, len(all))] {
		refs = append(refs, l.RunRef)
	}
	return refs, setAside(j.db, damaged)
}
