package importer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// lateJobs dies where a sync stores its plan with the time that its journal is kept, once the reporter has stored the
// plan.
type lateJobs struct {
	runs.Store
	dead *atomic.Bool
}

func (s lateJobs) For(a user.Account) runs.Jobs { return lateAccountJobs{s.Store.For(a), s.dead} }

type lateAccountJobs struct {
	runs.Jobs
	dead *atomic.Bool
}

func (j lateAccountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	if j.dead.Load() {
		return run.Run{}, errKilled
	}
	fatal := false
	record, err := j.Jobs.UpdateRun(ctx, id, func(r *run.Run) error {
		if err := change(r); err != nil {
			return err
		}
		if fatal = r.PlanKey != "" && !r.ExpiresAt.IsZero(); fatal {
			return errKilled
		}
		return nil
	})
	if fatal {
		for end := time.Now().Add(time.Second); time.Now().Before(end) && !j.dead.Load(); time.Sleep(time.Millisecond) {
			if stored, err := j.Run(ctx, id); err == nil && stored.PlanKey != "" {
				break
			}
		}
		j.dead.Store(true)
	}
	return record, err
}

// TestAJournalKeepsItsTime kills a sync between the reporter's storing of its plan and its own.
func TestAJournalKeepsItsTime(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	c := h.config
	c.Tick = time.Millisecond
	c.Jobs = lateJobs{h.store.Jobs(), new(atomic.Bool)}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	if err := h.deliver(); err == nil {
		t.Fatal("the worker did not die")
	}
	h.worker = worker
	h.mustDeliver()
	ended := h.run(r.ID)
	wantState(t, ended, run.Done)
	if want := ended.CreatedAt.Add(importer.RecordLifetime); !ended.ExpiresAt.Equal(want) {
		t.Errorf("the journal is kept until %v, want %v", ended.ExpiresAt, want)
	}
	if _, err := h.service.Undo(t.Context(), h.id, r.ID, importer.Idempotency{}); err != nil {
		t.Errorf("undo: %v", err)
	}
}
