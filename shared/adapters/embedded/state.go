package embedded

import (
	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/queue"
)

// State counts what waits in a store, and what is wrong in it.
type State struct {
	// Messages wait or are being handled; DeadMessages failed for the last time.
	Messages     map[queue.Name]int
	DeadMessages int
	// SetAside is how many damaged records are kept aside.
	SetAside int
}

// State reads the store's state.
func (s *Store) State() (State, error) {
	state := State{Messages: make(map[queue.Name]int)}
	err := s.db.View(func(tx *bolt.Tx) error {
		waiting, _ := storedMessages(tx, bucketQueue)
		for _, m := range waiting {
			state.Messages[m.Queue()]++
		}
		dead, _ := storedMessages(tx, bucketDead)
		state.DeadMessages = len(dead)
		aside := tx.Bucket(bucketDamaged)
		return aside.ForEachBucket(func(group []byte) error {
			return aside.Bucket(group).ForEach(func(_, _ []byte) error {
				state.SetAside++
				return nil
			})
		})
	})
	return state, err
}
