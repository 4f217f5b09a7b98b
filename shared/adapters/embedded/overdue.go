package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Overdue looks through the runs of all accounts: one process has few.
func (j jobs) Overdue(_ context.Context, now time.Time, limit int) ([]runs.Ref, error) {
	type look struct {
		runs.Ref
		at time.Time
	}
	var all []look
	err := j.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(account []byte) error {
			list := tx.Bucket(bucketJobs).Bucket(account).Bucket(bucketRuns)
			if list == nil {
				return nil
			}
			return list.ForEach(func(_, v []byte) error {
				var r run.Run
				if err := json.Unmarshal(v, &r); err != nil {
					return err
				}
				if at := r.NextLook(); !at.IsZero() && !at.After(now) {
					all = append(all, look{runs.Ref{Account: user.Account(account[1:]), RunID: r.ID}, at})
				}
				return nil
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look for overdue runs: %w", err)
	}
	slices.SortStableFunc(all, func(a, b look) int { return a.at.Compare(b.at) })
	var refs []runs.Ref
	for _, l := range all[:min(limit, len(all))] {
		refs = append(refs, l.Ref)
	}
	return refs, nil
}
