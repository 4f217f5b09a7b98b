package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rollcall/shared/ports/runs"

	bolt "go.etcd.io/bbolt"
)

// bucketDamaged keeps the bytes of records that cannot be read, in a bucket for each account and one for the messages.
// A damaged record must stop neither its own account nor the others, and its bytes may be all that is left to find out
// what happened.
var bucketDamaged = []byte("damaged")

// namedErrors is how many damaged records an error names.
const namedErrors = 5

// damagedRecord is a record that cannot be read, as it was found.
type damagedRecord struct {
	// group is the bucket below bucketDamaged that it moves to.
	group []byte
	// path are the buckets that lead to it, prefix is what its name there begins with.
	path   [][]byte
	prefix string
	key    []byte
	value  []byte
	err    error
}

// damagedOf is a record of an account, in the account's own bucket or, where within is set, in one below it. It copies
// what bbolt only lends.
func damagedOf(account, within, key, value []byte, err error) damagedRecord {
	d := damagedRecord{group: bytes.Clone(account), key: bytes.Clone(key), value: bytes.Clone(value), err: err}
	d.path = [][]byte{bucketJobs, d.group}
	if within != nil {
		d.path = append(d.path, within)
		d.prefix = string(within) + "/"
	}
	return d
}

// keepDamaged moves records to bucketDamaged, but for those that somebody wrote since they were read.
func keepDamaged(tx *bolt.Tx, found []damagedRecord) error {
	for _, d := range found {
		b := tx.Bucket(d.path[0])
		for _, name := range d.path[1:] {
			if b != nil {
				b = b.Bucket(name)
			}
		}
		if b == nil {
			continue
		}
		if stored := b.Get(d.key); stored == nil || !bytes.Equal(stored, d.value) {
			continue
		}
		group, err := tx.Bucket(bucketDamaged).CreateBucketIfNotExists(d.group)
		if err != nil {
			return err
		}
		// A number keeps apart what was damaged under the same name.
		n, err := group.NextSequence()
		if err != nil {
			return err
		}
		name := fmt.Appendf(nil, "%s%s %d", d.prefix, d.key, n)
		if err := errors.Join(group.Put(name, d.value), b.Delete(d.key)); err != nil {
			return err
		}
	}
	return nil
}

// setAside moves records to bucketDamaged and returns an error that names them; nil where there are none.
func setAside(db *database, found []damagedRecord) error {
	if len(found) == 0 {
		return nil
	}
	err := db.Update(func(tx *bolt.Tx) error { return keepDamaged(tx, found) })
	if err != nil {
		err = fmt.Errorf("set damaged records aside: %w", err)
	}
	return errors.Join(damagedError(found), err)
}

// damagedError names damaged records; nil where there are none.
func damagedError(found []damagedRecord) error {
	if len(found) == 0 {
		return nil
	}
	var first []error
	for _, d := range found[:min(namedErrors, len(found))] {
		first = append(first, fmt.Errorf("record %s%q of account %q: %w", d.prefix, d.key, d.group[1:], d.err))
	}
	return fmt.Errorf("%d damaged records are set aside, the first of them: %w", len(found), errors.Join(first...))
}

// decodeRun reads a run that is stored under a key.
func decodeRun(key, value []byte, r *runs.Record) error {
	if err := json.Unmarshal(value, r); err != nil {
		return err
	}
	if r.ID != string(key) {
		return fmt.Errorf("the record is of run %q", r.ID)
	}
	return nil
}

// eraseDamaged deletes the damaged records of an account, and the damaged messages that name it.
func eraseDamaged(tx *bolt.Tx, name []byte) error {
	b := tx.Bucket(bucketDamaged)
	if b.Bucket(name) != nil {
		if err := b.DeleteBucket(name); err != nil {
			return err
		}
	}
	messages := b.Bucket(bucketQueue)
	if messages == nil {
		return nil
	}
	account, err := json.Marshal(string(name[1:]))
	if err != nil {
		return err
	}
	var named [][]byte
	err = messages.ForEach(func(key, value []byte) error {
		if bytes.Contains(value, account) {
			named = append(named, slices.Clone(key))
		}
		return nil
	})
	for _, key := range named {
		err = errors.Join(err, messages.Delete(key))
	}
	return err
}
