// Package embedded holds the adapters that let one process with nothing installed run all of Rollcall and keep its data
// in a folder: a bbolt database for users, jobs and the queue, files for the objects, and a key file. What it
// acknowledged survives a kill.
package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
)

// ErrInUse means that another process has the folder open.
var ErrInUse = errors.New("the data folder is in use by another process")

// Options are what a store may be told; the zero value has defaults for all.
type Options struct {
	// Clock defaults to time.Now.
	Clock func() time.Time
	// BaseURL gives the address that download links start with, such as http://127.0.0.1:8080. It is called for
	// each link, since a port may be known only after listening.
	BaseURL func() string
	// Workers is how many messages are handled at a time, each of another account or queue; it defaults to 4.
	Workers int
	// Log defaults to slog.Default.
	Log *slog.Logger
}

// Store is an open data folder.
type Store struct {
	db      *database
	dir     string
	keys    keys
	options Options
	queue   *Queue
	ids     ids
}

// The top-level buckets of the database.
var (
	bucketUsers = []byte("users")
	bucketJobs  = []byte("jobs")
	bucketQueue = []byte("queue")
	bucketDead  = []byte("dead")
)

// Open opens the folder, making what is missing. A folder that another process holds is ErrInUse.
func Open(dir string, o Options) (*Store, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.BaseURL == nil {
		o.BaseURL = func() string { return "" }
	}
	if o.Workers == 0 {
		o.Workers = 4
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := checkModes(dir); err != nil {
		return nil, err
	}
	// Nothing in the folder is read or written before the database is locked: two processes may start at once.
	db, err := openDatabase(filepath.Join(dir, databaseFile), writable())
	if errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("%w: %s; stop that one, or choose another folder", ErrInUse, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the database in %s: %w; restore it from a backup", dir, err)
	}
	s := &Store{db: db, dir: dir, options: o}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the data in %s: %w", dir, err), db.Close())
	}
	s.queue = newQueue(db, o.Workers, o.Log)
	return s, nil
}

// prepare reads or makes the keys, and makes what the database lacks.
func (s *Store) prepare() error {
	format, err := s.db.format()
	if err != nil {
		return err
	}
	fresh := format == 0
	if s.keys, err = openFolderKeys(s.dir, fresh); err != nil {
		return err
	}
	err = s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketUsers, bucketJobs, bucketQueue, bucketDead, bucketDamaged} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		s.ids.last = newestID(tx)
		meta := tx.Bucket(bucketMeta)
		if storedTime(meta, keyKnown).IsZero() {
			// The newest record is the best known time of data that version 0.4 stored.
			known := s.options.Clock()
			if !fresh && !s.ids.last.IsZero() {
				known = ulid.Time(s.ids.last.Time())
			}
			if err := putTime(meta, keyKnown, known); err != nil {
				return err
			}
		}
		err := meta.Put(keyFormat, fmt.Append(nil, formatVersion))
		return errors.Join(err, dropLeases(tx.Bucket(bucketJobs)))
	})
	if err == nil && fresh {
		err = keepKeys(s.dir)
	}
	return err
}

// dropLeases removes every account's lease: whoever held one is gone, as one process at a time has the database.
func dropLeases(jobs *bolt.Bucket) error {
	return jobs.ForEachBucket(func(account []byte) error { return jobs.Bucket(account).Delete(keyLease) })
}

// Close closes the database; what runs on the store must have ended.
func (s *Store) Close() error { return s.db.Close() }

// Users returns the users of all accounts.
func (s *Store) Users() users.Store { return userStore{s.db} }

// Jobs returns the jobs of all accounts.
func (s *Store) Jobs() runs.Store { return jobs{s.db, s.options.Clock} }

// Objects returns the objects of all accounts.
func (s *Store) Objects() objects.Store { return objectStore{s} }

// Queue returns the queue.
func (s *Store) Queue() *Queue { return s.queue }

// Sealer returns the sealer of passwords, which is their opener too.
func (s *Store) Sealer() Sealer { return Sealer{s.keys.seal} }
