package embedded

import (
	"bytes"
	"context"
	"encoding/base64"
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

	"rollcall/shared/notify"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
)

// How long objects are kept, by the first element of their key.
var lifetimes = map[string]time.Duration{
	// A sync that was started just before its preview expired may wait for its turn.
	objects.PlanPrefix: 30 * time.Hour,
	objects.CSVPrefix:  24 * time.Hour,
	// A recording serves the run that waits for it.
	objects.RecordingPrefix: 24 * time.Hour,
	// A journal may share its file with a plan that was a day old.
	objects.JournalPrefix: 91 * 24 * time.Hour,
}

// orphanLifetime is how long a file is kept that is being written, or whose run is gone.
const orphanLifetime = 24 * time.Hour

// Swept counts what a sweep deleted: runs, audit entries, idempotency keys, deliveries, messages that failed for the
// last time and whose run is gone, files, and the records that it could not read and set aside.
type Swept struct{ Runs, Audit, Keys, Deliveries, Messages, Files, SetAside int }

// Sweep deletes what is past its time. Where the clock is far ahead of what the store knows, it deletes nothing until
// the clock has been so for a day: history does not come back, and a clock that was wrong does.
func (s *Store) Sweep(ctx context.Context) (swept Swept, err error) {
	now := s.options.Clock()
	believed, known, err := s.believe(now)
	if err != nil {
		return swept, fmt.Errorf("compare the clock: %w", err)
	}
	if !believed {
		s.options.Log.WarnContext(ctx,
			"the clock is far ahead of the data: nothing is deleted until it has been so for a day",
			"clock", now.UTC(), "data", known)
		return swept, nil
	}
	recordsErr := s.sweepRecords(now, &swept)
	filesErr := s.sweepFiles(ctx, now, &swept)
	if swept != (Swept{}) {
		s.options.Log.InfoContext(ctx, "old data was deleted", "runs", swept.Runs, "audit", swept.Audit,
			"keys", swept.Keys, "deliveries", swept.Deliveries, "messages", swept.Messages,
			"files", swept.Files, "setAside", swept.SetAside)
	}
	return swept, errors.Join(recordsErr, filesErr)
}

func (s *Store) sweepFiles(ctx context.Context, now time.Time, swept *Swept) error {
	root := filepath.Join(s.dir, objectsFolder)
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
		lifetime, err := s.lifetime(root, path)
		if err != nil || now.Sub(info.ModTime()) <= lifetime {
			return err
		}
		swept.Files++
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lifetime returns how long the file at path is kept.
func (s *Store) lifetime(root, path string) (time.Duration, error) {
	relative, err := filepath.Rel(root, path)
	if err != nil || strings.HasPrefix(filepath.Base(path), temporary) {
		return orphanLifetime, err
	}
	folder, key, _ := strings.Cut(filepath.ToSlash(relative), "/")
	kind, name, _ := strings.Cut(key, "/")
	kept, ok := lifetimes[kind+"/"]
	if !ok {
		kept = lifetimes[objects.JournalPrefix]
	}
	if kept <= orphanLifetime {
		return kept, nil
	}
	account, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(folder, accountFolder))
	if err != nil {
		return kept, nil //nolint:nilerr // the file is not one that this program made
	}
	id, _, _ := strings.Cut(name, ".")
	err = s.db.View(func(tx *bolt.Tx) error {
		if !hasRun(tx, account, id) {
			kept = orphanLifetime
		}
		return nil
	})
	return kept, err
}

func hasRun(tx *bolt.Tx, account []byte, id string) bool {
	b := nested(tx, bucketJobs, account)
	if b == nil {
		return false
	}
	list := b.Bucket(bucketRuns)
	return list != nil && list.Get([]byte(id)) != nil
}

// sweepRecords goes through the records of all accounts, and sets damaged ones aside.
func (s *Store) sweepRecords(now time.Time, swept *Swept) error {
	var damaged []damagedRecord
	err := s.db.Update(func(tx *bolt.Tx) error {
		all := tx.Bucket(bucketJobs)
		err := all.ForEachBucket(func(name []byte) error {
			sweep := accountSweep{name: name, account: all.Bucket(name), now: now, swept: swept}
			err := errors.Join(sweep.runs(), sweep.keys(), sweep.audit(), sweep.deliveries())
			damaged = slices.Concat(damaged, sweep.damaged)
			return err
		})
		over := func(n storedName) bool { return n.over(now) }
		return errors.Join(err, dropNames(tx, over), sweepDead(tx, swept), keepDamaged(tx, damaged))
	})
	swept.SetAside += len(damaged)
	if err = errors.Join(err, damagedError(damaged)); err != nil {
		return fmt.Errorf("sweep the records: %w", err)
	}
	return nil
}

// accountSweep deletes an account's old records, and collects the damaged ones. name is its bucket's.
type accountSweep struct {
	name    []byte
	account *bolt.Bucket
	now     time.Time
	swept   *Swept
	damaged []damagedRecord
}

// each deletes the records of one of the account's buckets for which old is true, and counts them. It deletes them
// behind the walk: a bucket must not change while it is walked.
func (s *accountSweep) each(within []byte, count *int, old func(key, value []byte) (bool, error)) error {
	b := s.account.Bucket(within)
	if b == nil {
		return nil
	}
	var found [][]byte
	err := b.ForEach(func(key, value []byte) error {
		isOld, err := old(key, value)
		if err != nil {
			s.damaged = append(s.damaged, damagedOf(s.name, within, key, value, err))
		} else if isOld {
			found = append(found, bytes.Clone(key))
		}
		return nil
	})
	for _, key := range found {
		err = errors.Join(err, b.Delete(key))
	}
	*count += len(found)
	return err
}

func (s *accountSweep) runs() error {
	var old []runs.Record
	err := s.each(bucketRuns, &s.swept.Runs, func(id, v []byte) (bool, error) {
		var r runs.Record
		err := decodeRun(id, v, &r)
		isOld := err == nil && s.now.Sub(r.CreatedAt) > r.Kind.Lifetime()
		if isOld {
			old = append(old, r)
		}
		return isOld, err
	})
	for _, r := range old {
		for _, other := range [][]byte{kindBucket(r.Kind), bucketImport} {
			if b := s.account.Bucket(other); b != nil {
				err = errors.Join(err, b.Delete([]byte(r.ID)))
			}
		}
	}
	return err
}

// keys deletes the idempotency keys that no longer count and those of version 0.4.
func (s *accountSweep) keys() error {
	return s.each(bucketOnce, &s.swept.Keys, func(_, v []byte) (bool, error) {
		var k runs.Key
		err := json.Unmarshal(v, &k)
		return s.now.Sub(k.At) >= keyLifetime || !k.Hashed(), err
	})
}

func (s *accountSweep) audit() error {
	return s.each(bucketAudit, &s.swept.Audit, func(_, v []byte) (bool, error) {
		var e runs.AuditEntry
		err := json.Unmarshal(v, &e)
		return s.now.Sub(e.At) > auditLifetime, err
	})
}

func (s *accountSweep) deliveries() error {
	return s.each(bucketDeliveries, &s.swept.Deliveries, func(_, v []byte) (bool, error) {
		var d notify.Delivery
		err := json.Unmarshal(v, &d)
		return s.now.Sub(d.CreatedAt) > notify.DeliveryLifetime, err
	})
}

// sweepDead deletes the messages that failed for the last time and whose run is gone.
func sweepDead(tx *bolt.Tx, swept *Swept) error {
	dead, damaged := storedMessages(tx, bucketDead)
	swept.SetAside += len(damaged)
	err := keepDamaged(tx, damaged)
	for _, m := range dead {
		if hasRun(tx, []byte(m.Account), m.RunID) {
			continue
		}
		swept.Messages++
		err = errors.Join(err, tx.Bucket(bucketDead).Delete(messageKey(m.key)))
	}
	return err
}
