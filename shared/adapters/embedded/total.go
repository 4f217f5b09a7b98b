package embedded

import (
	"context"

	bolt "go.etcd.io/bbolt"
)

// The number of an account's users is the sequence of their bucket, which bbolt stores with it and nothing else uses.
// In folders of earlier builds it is 0 although there are users: they are counted once.

func (a accountUsers) Total(context.Context) (total int, err error) {
	known := true
	err = a.db.View(func(tx *bolt.Tx) error {
		if b := a.bucket(tx); b != nil {
			total, known = storedTotal(b)
		}
		return nil
	})
	if err != nil || known {
		return total, err
	}
	err = a.db.Update(func(tx *bolt.Tx) error {
		// Erased meanwhile, it is gone.
		b := a.bucket(tx)
		if b == nil {
			return nil
		}
		if total, known = storedTotal(b); known {
			return nil
		}
		total = countUsers(b)
		return b.SetSequence(uint64(total))
	})
	return total, err
}

// storedTotal returns the number of users in an account's bucket, and whether it is known.
func storedTotal(b *bolt.Bucket) (total int, known bool) {
	if total = int(b.Sequence()); total > 0 {
		return total, true
	}
	first, _ := b.Cursor().First()
	return 0, first == nil
}

func countUsers(b *bolt.Bucket) (total int) {
	c := b.Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		total++
	}
	return total
}

// counted runs write, which returns by how much it changed the number of users in an account's bucket, and stores that.
func counted(b *bolt.Bucket, write func() (change int, err error)) error {
	total, known := storedTotal(b)
	change, err := write()
	if err != nil {
		return err
	}
	if total += change; !known {
		total = countUsers(b)
	}
	if uint64(total) == b.Sequence() {
		return nil
	}
	return b.SetSequence(uint64(total))
}
