package importer_test

import (
	"context"
	"fmt"
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
	undo, err := h.service.Undo(h.t.Context(), h.id, runID, importer.Idempotency{})
	if err != nil {
		h.t.Errorf("undo: %v", err)
		return
	}
	h.mustDeliver()
	if left := h.stored(); len(left) > 0 {
		h.t.Errorf("%d users are left once the run that created all was undone (%s)", len(left),
			fmt.Sprint(h.run(undo.ID).State))
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
			c := h.config
			applied, dead, f := 0, false, new(failpoint)
			c.Users = halfUsers{h.store.Users(), func(context.Context) error {
				applied++
				if dead = applied >= 3; dead && test.half {
					return errKilled
				}
				return nil
			}}
			c.Users = dyingUsers{c.Users, &dead, f}
			c.Jobs = failingJobs{h.store.Jobs(), f}
			worker := h.worker
			h.worker = importer.NewWorker(c)
			deaths := 1
			if !test.cancel {
				deaths = 5
			}
			for range deaths {
				*f = failpoint{left: 1 << 30}
				if err := h.deliver(); err == nil {
					t.Fatal("the worker did not die")
				}
				h.outlast()
			}
			h.worker = worker
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
