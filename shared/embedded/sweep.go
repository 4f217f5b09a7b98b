package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/jobstore"
	"rollcall/shared/objectstore"
)

// How long objects are kept, by the first element of their key.
var lifetimes = map[string]time.Duration{
	objectstore.PlanPrefix: 24 * time.Hour,
	objectstore.CSVPrefix:  24 * time.Hour,
	// A journal may share its file with a plan that was a day old.
	objectstore.JournalPrefix: 91 * 24 * time.Hour,
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
		return lifetimes[objectstore.JournalPrefix]
	}
	_, key, _ := strings.Cut(filepath.ToSlash(relative), "/")
	kind, _, _ := strings.Cut(key, "/")
	if kept, ok := lifetimes[kind+"/"]; ok {
		return kept
	}
	return lifetimes[objectstore.JournalPrefix]
}

// sweepRecords goes through the records of all accounts.
func (s *Store) sweepRecords() error {
	now := s.options.Clock()
	err := s.db.Update(func(tx *bolt.Tx) error {
		all := tx.Bucket(bucketJobs)
		return all.ForEachBucket(func(name []byte) error {
			account := all.Bucket(name)
			return errors.Join(sweepRuns(account, now), sweepKeys(account.Bucket(bucketOnce), now))
		})
	})
	if err != nil {
		return fmt.Errorf("sweep the records: %w", err)
	}
	return nil
}

// sweepRuns deletes old runs.
func sweepRuns(account *bolt.Bucket, now time.Time) error {
	runs := account.Bucket(bucketRuns)
	if runs == nil {
		return nil
	}
	var old []jobstore.Run
	err := runs.ForEach(func(_, v []byte) error {
		var r jobstore.Run
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		if now.Sub(r.CreatedAt) > recordLifetime {
			old = append(old, r)
		}
		return nil
	})
	// A bucket must not change while it is walked.
	for _, r := range old {
		err = errors.Join(err, runs.Delete([]byte(r.ID)), account.Bucket(kindBucket(r.Kind)).Delete([]byte(r.ID)))
	}
	return err
}

// sweepKeys deletes the idempotency keys that no longer count, and those of earlier builds.
func sweepKeys(keys *bolt.Bucket, now time.Time) error {
	if keys == nil {
		return nil
	}
	var old [][]byte
	err := keys.ForEach(func(name, v []byte) error {
		var k jobstore.Key
		if err := json.Unmarshal(v, &k); err != nil {
			return err
		}
		if now.Sub(k.At) >= keyLifetime || !k.Hashed() {
			old = append(old, name)
		}
		return nil
	})
	for _, name := range old {
		err = errors.Join(err, keys.Delete(name))
	}
	return err
}
