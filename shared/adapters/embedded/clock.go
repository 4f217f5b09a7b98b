package embedded

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"
)

const (
	// farAhead is how far the clock may be ahead of the time that the store knows and still be believed at once.
	farAhead = 7 * 24 * time.Hour
	// settling is how long a clock must have been far ahead to be believed: one that is wrong is set right sooner, and
	// one that is right stays.
	settling = 24 * time.Hour
)

// Below bucketMeta, keyKnown is the time at which the store last believed the clock, keyAhead the time at which the
// clock was far ahead of that first.
var (
	keyKnown = []byte("time")
	keyAhead = []byte("timeAhead")
)

// believe reports whether old data may be deleted by the clock, which says now, and remembers it. The other time that
// it returns is the one that it compared with.
func (s *Store) believe(now time.Time) (believed bool, known time.Time, err error) {
	err = s.db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		known = storedTime(meta, keyKnown)
		ahead := storedTime(meta, keyAhead)
		switch {
		case !known.IsZero() && now.Sub(known) > farAhead &&
			(ahead.IsZero() || now.Before(ahead) || now.Sub(ahead) > farAhead):
			// The day begins again where the clock jumps once more.
			return putTime(meta, keyAhead, now)
		case !known.IsZero() && now.Sub(known) > farAhead && now.Sub(ahead) < settling:
			return nil
		}
		believed = true
		return errors.Join(putTime(meta, keyKnown, now), meta.Delete(keyAhead))
	})
	return believed, known, err
}

func storedTime(b *bolt.Bucket, key []byte) (at time.Time) {
	if at.UnmarshalBinary(b.Get(key)) != nil {
		return time.Time{}
	}
	return at
}

func putTime(b *bolt.Bucket, key []byte, at time.Time) error {
	data, err := at.UTC().MarshalBinary()
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

// newestID returns the newest id among the runs and audit entries of all accounts; zero where there is none.
func newestID(tx *bolt.Tx) (newest ulid.ULID) {
	all := tx.Bucket(bucketJobs)
	// The function returns no error, and so the walk does not.
	_ = all.ForEachBucket(func(account []byte) error {
		for _, name := range [][]byte{bucketRuns, bucketAudit} {
			list := all.Bucket(account).Bucket(name)
			if list == nil {
				continue
			}
			key, _ := list.Cursor().Last()
			if id, err := ulid.ParseStrict(string(key)); err == nil && id.Compare(newest) > 0 {
				newest = id
			}
		}
		return nil
	})
	return newest
}

// ids gives ids that are larger than all before, also where the clock went back: the order of ids is that of history.
type ids struct {
	mu   sync.Mutex
	last ulid.ULID
}

// NewID returns an id (ULID) that is newer than all that are stored.
func (s *Store) NewID() string {
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	id := ulid.MustNew(ulid.Timestamp(s.options.Clock()), ulid.DefaultEntropy())
	if id.Compare(s.ids.last) <= 0 {
		id = idAfter(s.ids.last, id)
	}
	s.ids.last = id
	return id.String()
}

// idAfter returns an id that is larger than last by a number that nobody guesses, which is taken from random's end.
func idAfter(last, random ulid.ULID) ulid.ULID {
	step := uint64(binary.BigEndian.Uint32(random[12:])) + 1
	low := binary.BigEndian.Uint64(last[8:])
	if low+step < low {
		binary.BigEndian.PutUint64(last[:8], binary.BigEndian.Uint64(last[:8])+1)
	}
	binary.BigEndian.PutUint64(last[8:], low+step)
	return last
}
