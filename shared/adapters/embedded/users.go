package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

const (
	// readRows is how many users one read transaction yields: a transaction that stays open keeps the database from
	// reusing pages.
	readRows = 10_000
	// searchRows bounds how many users one page of a search looks at.
	searchRows = 20_000
)

type userStore struct{ db *database }

func (u userStore) For(account user.Account) users.Users { return accountUsers{u.db, []byte(account)} }

// accountUsers is a bucket per account, keyed by canonical address.
type accountUsers struct {
	db      *database
	account []byte
}

func (a accountUsers) bucket(tx *bolt.Tx) *bolt.Bucket { return nested(tx, bucketUsers, a.account) }

// nested returns a bucket below a top-level one, or nil. An account's name is never empty in bbolt.
func nested(tx *bolt.Tx, top, name []byte) *bolt.Bucket {
	return tx.Bucket(top).Bucket(append([]byte("="), name...))
}

func createNested(tx *bolt.Tx, top, name []byte) (*bolt.Bucket, error) {
	return tx.Bucket(top).CreateBucketIfNotExists(append([]byte("="), name...))
}

func (a accountUsers) Get(_ context.Context, key string) (found user.User, err error) {
	err = a.db.View(func(tx *bolt.Tx) error {
		b := a.bucket(tx)
		if b == nil {
			return users.ErrNotFound
		}
		value := b.Get([]byte(key))
		if value == nil {
			return users.ErrNotFound
		}
		found, err = decodeUser(key, value)
		return err
	})
	return found, err
}

func (a accountUsers) Find(_ context.Context, keys []string) (found []user.User, err error) {
	err = a.db.View(func(tx *bolt.Tx) error {
		b := a.bucket(tx)
		if b == nil {
			return nil
		}
		for _, key := range keys {
			value := b.Get([]byte(key))
			if value == nil {
				continue
			}
			u, err := decodeUser(key, value)
			if err != nil {
				return fmt.Errorf("read user %s: %w", key, err)
			}
			found = append(found, u)
		}
		return nil
	})
	return found, err
}

func (a accountUsers) All(ctx context.Context) iter.Seq2[user.User, error] {
	return func(yield func(user.User, error) bool) {
		after, more := "", true
		// One batch's memory for all of them.
		var batch users.Page
		for more {
			if ctx.Err() != nil {
				yield(user.User{}, context.Cause(ctx))
				return
			}
			batch = users.Page{Users: batch.Users[:0]}
			err := a.scan(&batch, users.Query{After: after, Limit: readRows}, readRows)
			if err != nil {
				yield(user.User{}, err)
				return
			}
			for _, u := range batch.Users {
				if !yield(u, nil) {
					return
				}
			}
			after, more = batch.Next, batch.Next != ""
		}
	}
}

func (a accountUsers) List(_ context.Context, q users.Query) (page users.Page, err error) {
	err = a.scan(&page, q, searchRows)
	return page, err
}

// scan adds the users that a query asks for to an empty page, looking at no more than most.
func (a accountUsers) scan(page *users.Page, q users.Query, most int) error {
	match := q.Matcher()
	return a.db.View(func(tx *bolt.Tx) error {
		b := a.bucket(tx)
		if b == nil {
			return nil
		}
		defer release(tx)
		c := b.Cursor()
		k, v := c.Seek([]byte(max(q.After, q.Prefix)))
		if k != nil && q.After != "" && string(k) == q.After {
			k, v = c.Next()
		}
		last := ""
		for ; k != nil && bytes.HasPrefix(k, []byte(q.Prefix)); k, v = c.Next() {
			if len(page.Users) == q.Limit || page.Scanned == most {
				page.Next = last
				return nil
			}
			page.Scanned++
			last = string(k)
			u, err := decodeUser(last, v)
			if err != nil {
				return err
			}
			if match == nil || match(&u) {
				page.Users = append(page.Users, u)
			}
		}
		return nil
	})
}

func (a accountUsers) Apply(ctx context.Context, fence users.Fence, changes []users.Change) ([]users.Outcome, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	outcomes := make([]users.Outcome, len(changes))
	err := a.db.Update(func(tx *bolt.Tx) error {
		if err := a.check(tx, fence); err != nil {
			return err
		}
		b, err := createNested(tx, bucketUsers, a.account)
		if err != nil {
			return err
		}
		b.FillPercent = 0.9
		w := userWriter{bucket: b}
		return counted(b, func() (int, error) {
			for from := 0; from < len(changes); {
				to := from + ascending(changes[from:])
				if err := w.apply(changes[from:to], outcomes[from:to]); err != nil {
					return 0, err
				}
				from = to
			}
			return w.more, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return outcomes, a.db.View(func(tx *bolt.Tx) error {
		release(tx)
		return nil
	})
}

func (a accountUsers) Edit(_ context.Context, c users.Change, e runs.AuditEntry) (users.Outcome, error) {
	var outcomes [1]users.Outcome
	err := a.db.Update(func(tx *bolt.Tx) error {
		b, err := createNested(tx, bucketUsers, a.account)
		if err != nil {
			return err
		}
		w := userWriter{bucket: b}
		err = counted(b, func() (int, error) {
			err := w.apply([]users.Change{c}, outcomes[:])
			return w.more, err
		})
		if err != nil || outcomes[0] != users.Applied {
			return err
		}
		log, err := createNested(tx, bucketJobs, a.account)
		if err != nil {
			return err
		}
		return errors.Join(addAudit(log, e), save(log, keyList, e.At))
	})
	return outcomes[0], err
}

// check returns ErrFenced unless the fence's attempt holds the account's lease, or the write is nobody's attempt.
func (a accountUsers) check(tx *bolt.Tx, fence users.Fence) error {
	if fence.RunID == "" {
		return nil
	}
	held, err := loadOrZero[runs.Lease](nested(tx, bucketJobs, a.account), keyLease)
	if err != nil {
		return fmt.Errorf("read the lease: %w", err)
	}
	if !held.HeldBy(fence.RunID, fence.Attempt) {
		return fmt.Errorf("attempt %d of run %s: %w", fence.Attempt, fence.RunID, users.ErrFenced)
	}
	return nil
}

// ascending returns how many of the changes, from the first on, each have a larger key than the one before.
func ascending(changes []users.Change) int {
	for i := 1; i < len(changes); i++ {
		if changes[i].Key <= changes[i-1].Key {
			return i
		}
	}
	return len(changes)
}

// valuesBlock is how much memory for values is made at a time: the database keeps each until the transaction ends.
const valuesBlock = 64 << 10

// userWriter writes changes within a transaction.
type userWriter struct {
	bucket *bolt.Bucket
	// more is how many more users there are than before.
	more int
	// values is memory for the values to come.
	values []byte
}

// apply writes changes in ascending order of their keys: it holds all of them against what is stored in one walk, and
// then writes those whose condition holds. A search for each of them would take as long as the writing.
func (w *userWriter) apply(changes []users.Change, outcomes []users.Outcome) error {
	cursor := w.bucket.Cursor()
	var key, value []byte
	for i := range changes {
		c := &changes[i]
		// key is the first one that is not below the change before: the one wanted is mostly it, or the next.
		if i > 0 && key != nil && string(key) < c.Key {
			key, value = cursor.Next()
		}
		if i == 0 || key != nil && string(key) < c.Key {
			key, value = cursor.Seek([]byte(c.Key))
		}
		var stored []byte
		if string(key) == c.Key {
			stored = value
		}
		var err error
		if outcomes[i], err = judge(stored, c); err != nil {
			return fmt.Errorf("read user %s: %w", c.Key, err)
		}
	}
	for i := range changes {
		if outcomes[i] != 0 {
			continue
		}
		if err := w.write(&changes[i]); err != nil {
			return fmt.Errorf("write user %s: %w", changes[i].Key, err)
		}
		outcomes[i] = users.Applied
	}
	return nil
}

// write writes one change.
func (w *userWriter) write(c *users.Change) error {
	key := []byte(c.Key)
	switch {
	case c.After == nil:
		w.more--
		return w.bucket.Delete(key)
	case c.Expect == 0: // judge has found that there is none.
		w.more++
	}
	if cap(w.values)-len(w.values) < valuesBlock/16 {
		w.values = make([]byte, 0, valuesBlock)
	}
	start := len(w.values)
	w.values = appendUser(w.values, c.After)
	return w.bucket.Put(key, w.values[start:len(w.values):len(w.values)])
}

// judge returns the outcome of a change that must not be written, and 0 for one that may.
func judge(stored []byte, c *users.Change) (users.Outcome, error) {
	if stored == nil {
		switch {
		case c.Expect == 0 && c.After != nil:
			return 0, nil
		case c.After == nil:
			return users.Absent, nil
		}
		return users.Conflict, nil
	}
	version, runID, err := decodeLastWrite(stored)
	switch {
	case err != nil:
		return 0, err
	case c.After != nil && c.After.LastRunID != "" && runID == c.After.LastRunID:
		return users.Applied, nil
	case c.Expect != 0 && version == c.Expect:
		return 0, nil
	}
	found, err := decodeUser(c.Key, stored)
	switch {
	case err != nil:
		return 0, err
	case c.Done(&found):
		return users.Already, nil
	}
	return users.Conflict, nil
}
