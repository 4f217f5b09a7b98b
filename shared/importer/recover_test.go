package importer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// halfUsers is a store as DynamoDB is: it writes one row after another, and a context that ends stops it between two.
type halfUsers struct {
	users.Store
	// atHalf is called once half of the changes are written.
	atHalf func(ctx context.Context) error
}

func (s halfUsers) For(a user.Account) users.Users { return halfAccount{s.Store.For(a), s} }

type halfAccount struct {
	users.Users
	s halfUsers
}

func (u halfAccount) Apply(ctx context.Context, fence users.Fence, changes []users.Change) ([]users.Outcome, error) {
	half := len(changes) / 2
	outcomes, err := u.Users.Apply(ctx, fence, changes[:half])
	if err != nil {
		return nil, err
	}
	if err := u.s.atHalf(ctx); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	rest, err := u.Users.Apply(ctx, fence, changes[half:])
	return append(outcomes, rest...), err
}

// wantTold fails unless the journal tells of every user that the run wrote, and of no other.
func (h *harness) wantTold(runID string) {
	h.t.Helper()
	written := 0
	for _, u := range h.stored() {
		if u.LastRunID == runID {
			written++
		}
	}
	told, cursor := 0, ""
	for {
		page, err := h.service.Changes(h.t.Context(), h.id, runID, importer.ChangeQuery{Cursor: cursor, Limit: 1000})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range page.Changes {
			if c.Outcome == importer.OutcomeApplied {
				told++
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if run := h.run(runID); written == 0 || told != written || run.Progress.Applied != written {
		h.t.Errorf("the run wrote %d users; its journal tells of %d, its progress of %d (%s)", written, told,
			run.Progress.Applied, run.State)
	}
	h.wantUndone(runID)
}

// wantUndone undoes a run and fails where a user is left that it wrote.
func (h *harness) wantUndone(runID string) {
	h.t.Helper()
	undo, err := h.service.Undo(h.t.Context(), h.id, runID, importer.Idempotency{})
	if err != nil {
		h.t.Errorf("undo: %v", err)
		return
	}
	h.mustDeliver()
	left := 0
	for _, u := range h.stored() {
		if u.LastRunID == runID {
			left++
		}
	}
	if left > 0 {
		h.t.Errorf("%d users are left once their run was undone (%s)", left, h.run(undo.ID).State)
	}
}

// strictJobs are as those in DynamoDB: a context that has ended writes nothing. The next writes fail, as many as lost
// says.
type strictJobs struct {
	runs.Store
	lost *atomic.Int32
}

func (s strictJobs) For(a user.Account) runs.Jobs {
	return strictAccountJobs{s.Store.For(a), s.lost}
}

type strictAccountJobs struct {
	runs.Jobs
	lost *atomic.Int32
}

func (j strictAccountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error) {
	if ctx.Err() != nil {
		return run.Run{}, context.Cause(ctx)
	}
	if j.lost.Add(-1) >= 0 {
		return run.Run{}, errUnreachable
	}
	return j.Jobs.UpdateRun(ctx, id, change)
}

// TestACancelledSyncTellsWhatItWrote cancels a sync in the middle of its first write.
func TestACancelledSyncTellsWhatItWrote(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		people int
		lost   bool
		state  run.State
	}{
		"more to write":           {people: 2000, state: run.Cancelled},
		"nothing more to write":   {people: 300, state: run.Done},
		"its record out of reach": {people: 2000, lost: true, state: run.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(people(test.people)...)
			r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
			c := h.config
			c.Tick = 20 * time.Millisecond
			lost := new(atomic.Int32)
			c.Jobs = strictJobs{h.store.Jobs(), lost}
			c.Users = halfUsers{h.store.Users(), func(ctx context.Context) error {
				_, err := h.service.CancelSync(t.Context(), h.id, r.ID)
				select {
				case <-ctx.Done():
				case <-time.After(300 * time.Millisecond):
				}
				if test.lost {
					// The checkpoint after the write, and the one at the end.
					lost.Store(2)
				}
				return err
			}}
			worker := h.worker
			h.worker = importer.NewWorker(c)
			if err := h.deliver(); (err != nil) != test.lost {
				t.Fatalf("the worker ends with %v", err)
			}
			h.worker = worker
			h.mustDeliver()
			wantState(t, h.run(r.ID), test.state)
			h.wantTold(r.ID)
		})
	}
}

func TestASyncThatDiedAndEndsTellsWhatItWrote(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ half, cancel bool }{
		"cancelled, between two batches": {false, true}, "cancelled, within a batch": {true,
			true}, "given up": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(people(5000)...)
			r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
			h.dieAfter(3, test.half)
			if !test.cancel {
				for range 4 {
					h.dieAfter(0, test.half)
				}
			}
			want := run.Failed
			if test.cancel {
				want = run.Cancelled
				if _, err := h.service.CancelSync(t.Context(), h.id, r.ID); err != nil {
					t.Fatal(err)
				}
			}
			h.mustDeliver()
			wantState(t, h.run(r.ID), want)
			h.wantTold(r.ID)
		})
	}
}

// TestACancelledSyncTellsWhatItsDeadWorkerWrote cancels a sync whose worker died while the next one is at work.
func TestACancelledSyncTellsWhatItsDeadWorkerWrote(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(5000)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	h.dieAfter(4, false)
	c := h.config
	c.Tick = 5 * time.Millisecond
	c.Users = halfUsers{h.store.Users(), func(context.Context) error {
		_, err := h.service.CancelSync(t.Context(), h.id, r.ID)
		// The reporter sees it meanwhile.
		time.Sleep(100 * time.Millisecond)
		return err
	}}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	h.mustDeliver()
	h.worker = worker
	h.mustDeliver()
	wantState(t, h.run(r.ID), run.Cancelled)
	h.wantTold(r.ID)
}

// TestASyncThatDiedBehindRowsOfOthersTellsWhatItWrote has a worker die behind many rows that were there already.
func TestASyncThatDiedBehindRowsOfOthersTellsWhatItWrote(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	all := people(5000)
	h.directory.set(all...)
	preview := h.preview()
	h.directory.set(all[900:4000]...)
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID})
	r := h.start(importer.SyncRequest{PreviewID: preview.ID})
	h.dieAfter(6, false)
	if _, err := h.service.CancelSync(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	wantState(t, h.run(r.ID), run.Cancelled)
	h.wantTold(r.ID)
}

// TestASyncWhoseStoreFailsInTheMiddleOfAWriteIsUndone has a store that writes the first half of each batch and fails.
func TestASyncWhoseStoreFailsInTheMiddleOfAWriteIsUndone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(300)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	c := h.config
	c.Users = halfUsers{h.store.Users(), func(context.Context) error { return errUnreachable }}
	c.Sleep = func(_ context.Context, d time.Duration) error {
		h.clock = h.clock.Add(d)
		return nil
	}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	h.mustDeliver()
	h.worker = worker
	wantState(t, h.run(r.ID), run.Failed)
	if written := len(h.stored()); written != 300 {
		t.Fatalf("%d users were written, want half of 600", written)
	}
	h.wantUndone(r.ID)
}

// dieAfter has a worker die in its nth write of users, in the middle where half is set.
func (h *harness) dieAfter(n int, half bool) {
	h.t.Helper()
	applied, dead, f := 0, false, &failpoint{left: 1 << 30}
	c := h.config
	c.Users = dyingUsers{halfUsers{h.store.Users(), func(context.Context) error {
		applied++
		if dead = applied >= n; dead && half {
			return errKilled
		}
		return nil
	}}, &dead, f}
	c.Jobs = failingJobs{h.store.Jobs(), f}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	if err := h.deliver(); err == nil {
		h.t.Fatal("the worker did not die")
	}
	h.worker = worker
	h.outlast()
}

// dyingUsers makes the jobs unwritable once it is dead.
type dyingUsers struct {
	users.Store
	dead *bool
	f    *failpoint
}

func (s dyingUsers) For(a user.Account) users.Users { return dyingAccount{s.Store.For(a), s} }

type dyingAccount struct {
	users.Users
	s dyingUsers
}

func (u dyingAccount) Apply(ctx context.Context, fence users.Fence, changes []users.Change) ([]users.Outcome, error) {
	outcomes, err := u.Users.Apply(ctx, fence, changes)
	if *u.s.dead {
		u.s.f.left = 0
	}
	return outcomes, err
}
