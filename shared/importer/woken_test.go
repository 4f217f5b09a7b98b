package importer_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
)

// TestAWorkerThatWasReplacedNotesNothing stalls a worker before one of its small writes until another one has ended its
// run and something else has happened, and wakes it.
func TestAWorkerThatWasReplacedNotesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// start starts the run whose worker stalls where stall is called.
		start func(h *harness, stall func() error) (run.Run, hookedJobs)
		// cancel has somebody cancel it meanwhile. then is what happens once another worker has ended it.
		cancel bool
		then   func(h *harness)
	}{
		"that a schedule is paused": {
			start: func(h *harness, stall func() error) (run.Run, hookedJobs) {
				h.schedule(6)
				return h.startUndo(h.sync(importer.SyncRequest{}).ID), hookedJobs{settings: stall}
			},
			then: func(h *harness) { h.save(importer.SettingsRequest{IntervalHours: ptr(6)}) },
		},
		"that removals were confirmed": {
			start: func(h *harness, stall func() error) (run.Run, hookedJobs) {
				h.importAll()
				h.directory.set(people(50)...)
				return h.startConfirmed(), hookedJobs{removals: stall}
			},
			then: func(h *harness) {
				options := removing()
				h.directory.set(people(49)...)
				h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
			},
		},
		"that removals were undone": {
			start: func(h *harness, stall func() error) (run.Run, hookedJobs) {
				h.importAll()
				h.directory.set(people(99)...)
				options := removing()
				removed := h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
				return h.startUndo(removed.ID), hookedJobs{removals: stall}
			},
			cancel: true,
		},
		"that the Users List was written": {
			start: func(h *harness, stall func() error) (run.Run, hookedJobs) {
				return h.start(importer.SyncRequest{PreviewID: h.preview().ID}),
					hookedJobs{updated: func(r run.Run) error {
						if r.Checkpoint.Batches == 0 {
							return nil
						}
						return stall()
					}}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// In a bubble the time that a lease lasts passes at once.
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t)
				h.directory.set(people(100)...)
				reached, wake := make(chan struct{}), make(chan struct{})
				r, jobs := test.start(h, heldOnce(reached, wake))
				message := queue.Message{Task: queue.TaskSync, Account: h.id.Account, RunID: r.ID}
				h.queue.messages = nil
				c := h.config
				jobs.Store = h.store.Jobs()
				c.Jobs = jobs
				woken := make(chan error, 1)
				go func() { woken <- importer.NewWorker(c).Work(t.Context(), message) }()
				<-reached
				time.Sleep(2 * time.Minute)
				h.outlast()
				if test.cancel {
					if _, err := h.service.CancelSync(t.Context(), h.id, r.ID); err != nil {
						t.Fatal(err)
					}
				}
				if err := h.worker.Work(t.Context(), message); err != nil {
					t.Fatal(err)
				}
				if test.then != nil {
					test.then(h)
				}
				before := h.noted()
				close(wake)
				t.Log("the worker that was replaced:", <-woken)
				if after := h.noted(); after != before {
					t.Errorf("a worker that was replaced changed what is noted from\n%s\nto\n%s", before, after)
				}
			})
		})
	}
}

// noted is what workers note beside a run's record.
func (h *harness) noted() string {
	h.t.Helper()
	jobs := h.store.Jobs().For(h.id.Account)
	saved, err := h.service.Settings(h.t.Context(), h.id)
	if err != nil {
		saved = importer.Saved{}
	}
	removals, err := jobs.Removals(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	written, err := jobs.ListWritten(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprintf("schedule %+v, last sync %s\nremovals %+v\nlist written %s", saved.Schedule, saved.LastSyncID,
		removals, written)
}

func (h *harness) startUndo(syncID string) run.Run {
	h.t.Helper()
	r, err := h.service.Undo(h.t.Context(), h.id, syncID, importer.Idempotency{})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// startConfirmed starts a sync whose removals somebody confirms.
func (h *harness) startConfirmed() run.Run {
	h.t.Helper()
	preview, options := h.preview(), removing()
	return h.start(importer.SyncRequest{
		PreviewID: preview.ID, Options: &options, ConfirmRemovals: &preview.Guard.Removals,
	})
}
