package embedded

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// formatVersion is the newest format of the database that this program reads, and the one that it writes. Version 0.4
// stored no number; its format is 1.
const formatVersion = 1

var (
	// ErrDamaged means that the database cannot be read.
	ErrDamaged = errors.New("the database is damaged")
	// ErrNewer means that a newer version of the program wrote the data.
	ErrNewer = errors.New("the data was written by a newer version of Rollcall")
)

// bucketMeta says what the database is; keyFormat in it is the number of its format.
var (
	bucketMeta = []byte("meta")
	keyFormat  = []byte("format")
)

// database is bbolt's, in which a damaged page ends a transaction with an error. bbolt panics at one, or reads behind
// the end of the file, which the system answers with a fault.
type database struct {
	*bolt.DB
	// stuck is set once a transaction that wrote cannot be rolled back: bbolt keeps its lock then.
	stuck atomic.Bool
}

// openDatabase opens and locks the database, making it where it is missing. A damaged one may stay locked until the
// process ends.
func openDatabase(path string, o bolt.Options) (db *database, err error) {
	defer recoverDamage(debug.SetPanicOnFault(true), &err)
	opened := new(database)
	opened.DB, err = bolt.Open(path, 0o600, &o)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return nil, err
	}
	if err := opened.checkSize(path); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// checkSize returns ErrDamaged where the file lacks its end: whoever reads what is not there ends the process.
func (db *database) checkSize(path string) error {
	return db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err == nil && info.Size() < tx.Size() {
			err = fmt.Errorf("%w: it has %d of %d bytes", ErrDamaged, info.Size(), tx.Size())
		}
		return err
	})
}

// writable are the options of a database that is written. The timeout is how long another process may take to end.
func writable() bolt.Options {
	return bolt.Options{Timeout: 2 * time.Second, FreelistType: bolt.FreelistMapType}
}

// View runs read in a transaction.
func (db *database) View(read func(*bolt.Tx) error) (err error) {
	defer recoverDamage(debug.SetPanicOnFault(true), &err)
	return db.DB.View(read)
}

// Update runs write in a transaction that is stored if it returns nil.
func (db *database) Update(write func(*bolt.Tx) error) (err error) {
	if db.stuck.Load() {
		return fmt.Errorf("%w: it takes no more writes", ErrDamaged)
	}
	defer recoverDamage(debug.SetPanicOnFault(true), &err)
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer func() {
		if tx.DB() != nil {
			err = errors.Join(err, db.rollBack(tx))
		}
	}()
	if err := write(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// rollBack ends a transaction that wrote. Only where that panics no other can begin.
func (db *database) rollBack(tx *bolt.Tx) error {
	ended := false
	defer func() {
		if !ended {
			db.stuck.Store(true)
		}
	}()
	err := tx.Rollback()
	ended = true
	return err
}

// Close closes the database. One that is stuck stays open until the process ends: bbolt would wait for ever.
func (db *database) Close() error {
	if db.stuck.Load() {
		return nil
	}
	return db.DB.Close()
}

// recoverDamage makes a panic the error of the function that defers it, and sets the goroutine back to how it took
// faults before.
func recoverDamage(faults bool, err *error) {
	debug.SetPanicOnFault(faults)
	if found := recover(); found != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, found)
	}
}

// format returns the number of the database's format, 0 where nothing was stored yet.
func (db *database) format() (format int, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		if name, _ := tx.Cursor().First(); name == nil {
			return nil
		}
		format = 1
		meta := tx.Bucket(bucketMeta)
		if meta == nil || meta.Get(keyFormat) == nil {
			return nil
		}
		_, err := fmt.Sscan(string(meta.Get(keyFormat)), &format)
		if err != nil {
			return fmt.Errorf("%w: read its format: %w", ErrDamaged, err)
		}
		return nil
	})
	if err == nil && format > formatVersion {
		err = fmt.Errorf("%w (format %d, and this one reads %d): start that version, or restore a backup of this one's",
			ErrNewer, format, formatVersion)
	}
	return format, err
}
