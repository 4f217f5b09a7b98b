package embedded

import (
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/jobstore"
	"rollcall/shared/queue"
	"rollcall/shared/user"
)

// Resend sends a message for every run that has not ended: a process that died between storing a run and sending its
// message left none. Runs whose message still waits get no second one.
func (s *Store) Resend(ctx context.Context) error {
	var open []queue.Message
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEachBucket(func(account []byte) error {
			runs := tx.Bucket(bucketJobs).Bucket(account).Bucket(bucketRuns)
			if runs == nil {
				return nil
			}
			return runs.ForEach(func(_, v []byte) error {
				var run jobstore.Run
				if err := json.Unmarshal(v, &run); err != nil {
					return err
				}
				if !run.State.Ended() {
					open = append(open, queue.Message{Task: queue.Task(run.Kind), Account: user.Account(account[1:]), RunID: run.ID})
				}
				return nil
			})
		})
	})
	if err != nil {
		return fmt.Errorf("look for unfinished runs: %w", err)
	}
	for _, m := range open {
		if err := s.queue.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
