package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"rollcall/shared/user"
)

// Erase deletes all that there is of an account: users, settings, runs, records, waiting messages, plans, journals and
// CSVs. An account that has nothing is no error.
func (s *Store) Erase(_ context.Context, account user.Account) error {
	name := append([]byte("="), account...)
	err := s.db.Update(func(tx *bolt.Tx) error {
		for _, top := range [][]byte{bucketUsers, bucketJobs} {
			if err := tx.Bucket(top).DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
				return err
			}
		}
		for _, top := range [][]byte{bucketQueue, bucketDead} {
			waiting, damaged := storedMessages(tx, top)
			if err := keepDamaged(tx, damaged); err != nil {
				return err
			}
			for _, m := range waiting {
				if m.Account != account {
					continue
				}
				if err := tx.Bucket(top).Delete(messageKey(m.key)); err != nil {
					return err
				}
			}
		}
		named := func(n storedName) bool { return n.Account == account }
		return errors.Join(eraseDamaged(tx, name), dropNames(tx, named))
	})
	if err != nil {
		return fmt.Errorf("erase the records of account %q: %w", account, err)
	}
	if err := os.RemoveAll(s.objects(account).root); err != nil {
		return fmt.Errorf("erase the files of account %q: %w", account, err)
	}
	return nil
}
