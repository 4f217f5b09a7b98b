package embedded

import (
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

func (a accountJobs) UsePreview(
	_ context.Context, preview, r run.Run, entries ...runs.AuditEntry,
) (run.Run, error) {
	err := a.update(func(b *bolt.Bucket) error {
		stored, err := a.loadRun(b, preview.ID)
		if err != nil {
			return err
		}
		if stored.Revision != preview.Revision {
			return runs.ErrConflict
		}
		if err := a.createRun(b, &r); err != nil {
			return err
		}
		if _, err := a.putRun(b, stored, preview); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
	return r, err
}

// Fits takes every run: bbolt's limit is 2 GB.
func (a accountJobs) Fits(run.Run) error { return nil }

func (a accountJobs) CreateRun(_ context.Context, r run.Run, entries ...runs.AuditEntry) (run.Run, error) {
	err := a.update(func(b *bolt.Bucket) error {
		if err := a.createRun(b, &r); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
	return r, err
}

func (a accountJobs) createRun(b *bolt.Bucket, r *run.Run) error {
	r.Revision, r.UpdatedAt = 1, a.now().UTC()
	list, err := b.CreateBucketIfNotExists(bucketRuns)
	if err != nil {
		return err
	}
	if list.Get([]byte(r.ID)) != nil {
		return runs.ErrConflict
	}
	kind, err := b.CreateBucketIfNotExists(kindBucket(r.Kind))
	if err != nil {
		return err
	}
	if err := kind.Put([]byte(r.ID), []byte{1}); err != nil {
		return err
	}
	rec, parted, err := runs.NewRecord(*r, r.ID)
	if err == nil && parted != nil {
		err = putNested(b, bucketImport, []byte(r.ID), parted)
	}
	if err != nil {
		return err
	}
	return save(list, []byte(r.ID), rec)
}

// putNested puts a value into a bucket within b, which it makes where it is missing.
func putNested(b *bolt.Bucket, bucket, key, value []byte) error {
	nested, err := b.CreateBucketIfNotExists(bucket)
	if err != nil {
		return err
	}
	return nested.Put(key, value)
}

func kindBucket(kind run.Kind) []byte {
	return append(bucketKinds[:len(bucketKinds):len(bucketKinds)], kind...)
}

func (a accountJobs) LeanRun(_ context.Context, id string) (r run.Run, err error) {
	err = runs.ErrNotFound
	if viewErr := a.view(func(b *bolt.Bucket) error {
		rec, loadErr := a.loadRun(b, id)
		r, err = rec.Lean(), loadErr
		return nil
	}); viewErr != nil {
		return r, viewErr
	}
	return r, err
}

func (a accountJobs) Run(_ context.Context, id string) (r run.Run, err error) {
	err = runs.ErrNotFound
	if viewErr := a.view(func(b *bolt.Bucket) error {
		var rec runs.Record
		if rec, err = a.loadRun(b, id); err == nil {
			r, err = whole(b, rec)
		}
		return nil
	}); viewErr != nil {
		return r, viewErr
	}
	return r, err
}

// whole returns a run of the account's bucket with all of its Import.
func whole(b *bolt.Bucket, rec runs.Record) (run.Run, error) {
	return rec.Whole(func(key string) ([]byte, error) {
		if imports := b.Bucket(bucketImport); imports != nil {
			if parted := imports.Get([]byte(key)); parted != nil {
				return parted, nil
			}
		}
		return nil, runs.ErrNotFound
	})
}

// loadRun reads a run that is not past its lifetime.
func (a accountJobs) loadRun(b *bolt.Bucket, id string) (rec runs.Record, err error) {
	if id == "" {
		return rec, runs.ErrNotFound
	}
	if err := load(b.Bucket(bucketRuns), []byte(id), &rec); err != nil {
		return rec, err
	}
	if a.now().Sub(rec.CreatedAt) > rec.Kind.Lifetime() {
		return rec, runs.ErrNotFound
	}
	return rec, nil
}

func (a accountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	return a.EditRun(ctx, id, func(r *run.Run) ([]runs.AuditEntry, error) { return nil, change(r) })
}

func (a accountJobs) EditRun(
	_ context.Context, id string, change func(*run.Run) ([]runs.AuditEntry, error),
) (r run.Run, err error) {
	err = a.update(func(b *bolt.Bucket) error {
		rec, err := a.loadRun(b, id)
		if err != nil {
			return err
		}
		r = rec.Lean()
		entries, err := change(&r)
		if err != nil {
			return err
		}
		if r, err = a.putRun(b, rec, r); err != nil {
			return err
		}
		return addAudit(b, entries...)
	})
	return r, err
}

// putRun stores what became of a run that is stored already, with its next revision, and returns it.
func (a accountJobs) putRun(b *bolt.Bucket, stored runs.Record, r run.Run) (run.Run, error) {
	r.Revision++
	r.UpdatedAt = a.now().UTC()
	return r, save(b.Bucket(bucketRuns), []byte(r.ID), stored.Changed(r))
}

func (a accountJobs) Runs(_ context.Context, q runs.Query) (page runs.Page, err error) {
	err = a.view(func(b *bolt.Bucket) error {
		page.Next, err = newest(b.Bucket(kindBucket(q.Kind)), q.After, q.Limit, func(id, _ []byte) (bool, error) {
			rec, err := a.loadRun(b, string(id))
			if errors.Is(err, runs.ErrNotFound) {
				return false, nil
			}
			if err != nil || !q.Wants(&rec.Run) {
				return false, err
			}
			page.Runs = append(page.Runs, rec.Lean())
			return true, nil
		})
		return err
	})
	return page, err
}
