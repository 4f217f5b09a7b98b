package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// How long objects are kept, by the first element of their key.
var lifetimes = map[string]time.Duration{
	objects.PlanPrefix: 24 * time.Hour,
	objects.CSVPrefix:  24 * time.Hour,
	// A journal may share its file with a plan that was a day old.
	objects.JournalPrefix: 91 * 24 * time.Hour,
}

// Sweep deletes what is past its time: objects, what writers that died left behind, runs, and idempotency keys.
func (s *Store) Sweep(ctx context.Context) error {
	return errors.Join(s.sweepObjects(ctx), s.sweepRecords())
}

func (s *Store) sweepObjects(ctx context.Context) error {
	root := filepath.Join(s.dir, "objects")
	now := s.options.Clock()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if age := now.Sub(info.ModTime()); age > lifetime(root, path) {
			return os.Remove(path)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lifetime returns how long the file at path is kept.
func lifetime(root, path string) time.Duration {
	if strings.HasPrefix(filepath.Base(path), temporary) {
		return 24 * time.Hour
	}
	relative, err := filepath.Rel(root, path)
	if err != nil {
		return lifetimes[objects.JournalPrefix]
	}
	_, key, _ := strings.Cut(filepath.ToSlash(relative), "/")
	kind, _, _ := strings.Cut(key, "/")
	if kept, ok := lifetimes[kind+"/"]; ok {
		return kept
	}
	return lifetimes[objects.JournalPrefix]
}

// sweepRecords goes through the records of all accounts, and sets damaged ones aside.
func (s *Store) sweepRecords() error {
	now := s.options.Clock()
	var damaged []damagedRecord
	err := s.db.Update(func(tx *bolt.Tx) error {
		all := tx.Bucket(bucketJobs)
		err := all.ForEachBucket(func(name []byte) error {
			runs, runsErr := sweepRuns(all.Bucket(name), name, now)
			keys, keysErr := sweepKeys(all.Bucket(name).Bucket(bucketOnce), name, now)
			damaged = slices.Concat(damaged, runs, keys)
			return errors.Join(runsErr, keysErr)
		})
		return errors.Join(err, keepDamaged(tx, damaged))
	})
	if err = errors.Join(err, damagedError(damaged)); err != nil {
		return fmt.Errorf("sweep the records: %w", err)
	}
	return nil
}

// sweepRuns deletes old runs of the account with a bucket's name, and returns the damaged ones.
func sweepRuns(account *bolt.Bucket, name []byte, now time.Time) (damaged []damagedRecord, err error) {
	runs := account.Bucket(bucketRuns)
	if runs == nil {
		return nil, nil
	}
	var old []run.Run
	err = runs.ForEach(func(id, v []byte) error {
		var r run.Run
		if err := decodeRun(id, v, &r); err != nil {
			damaged = append(damaged, damagedOf(name, bucketRuns, id, v, err))
		} else if now.Sub(r.CreatedAt) > recordLifetime {
			old = append(old, r)
		}
		return nil
	})
	// A bucket must not change while it is walked.
	for _, r := range old {
		err = errors.Join(err, runs.Delete([]byte(r.ID)))
		for _, other := range [][]byte{kindBucket(r.Kind), bucketImport} {
			if b := account.Bucket(other); b != nil {
				err = errors.Join(err, b.Delete([]byte(r.ID)))
			}
		}
	}
	return damaged, err
}

// sweepKeys deletes the idempotency keys that no longer count and those of version 0.4, and returns the damaged ones.
func sweepKeys(keys *bolt.Bucket, account []byte, now time.Time) (damaged []damagedRecord, err error) {
	if keys == nil {
		return nil, nil
	}
	var old [][]byte
	err = keys.ForEach(func(name, v []byte) error {
		var k runs.Key
		if err := json.Unmarshal(v, &k); err != nil {
			damaged = append(damaged, damagedOf(account, bucketOnce, name, v, err))
		} else if now.Sub(k.At) >= keyLifetime || !k.Hashed() {
			old = append(old, name)
		}
		return nil
	})
	for _, name := range old {
		err = errors.Join(err, keys.Delete(name))
	}
	return damaged, err
}
