package importer_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// stalling holds a worker before one of its writes of users until it is woken.
type stalling struct {
	users.Store
	// left is how many writes go through first. reached is closed at the one that is held, which goes on when wake is.
	left          *int
	reached, wake chan struct{}
}

func (s stalling) For(a user.Account) users.Users { return stallingUsers{s.Store.For(a), s} }

type stallingUsers struct {
	users.Users
	s stalling
}

func (u stallingUsers) Apply(ctx context.Context, f users.Fence, changes []users.Change) ([]users.Outcome, error) {
	if *u.s.left == 0 {
		close(u.s.reached)
		<-u.s.wake
	}
	*u.s.left--
	return u.Users.Apply(ctx, f, changes)
}

// TestAWorkerThatWasReplacedWritesNothing stalls a worker in the middle of a sync, lets another one end the sync, and
// wakes the first one then, or after an undo.
func TestAWorkerThatWasReplacedWritesNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		writes int
		undo   bool
	}{
		"before its first write":                 {0, false},
		"between two writes":                     {1, false},
		"between two writes, then all is undone": {1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(people(2500)...)
			r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
			message := queue.Message{Task: queue.TaskSync, Account: h.id.Account, RunID: r.ID}
			c := h.config
			held := stalling{h.store.Users(), &test.writes, make(chan struct{}), make(chan struct{})}
			c.Users = held
			woken := make(chan error, 1)
			go func() { woken <- importer.NewWorker(c).Work(t.Context(), message) }()
			<-held.reached

			if err := h.worker.Work(t.Context(), message); err == nil {
				t.Error("a second worker began while the lease of the first one lasts")
			}
			h.outlast()
			if err := h.worker.Work(t.Context(), message); err != nil {
				t.Fatal(err)
			}
			if test.undo {
				h.undo(r.ID)
			}
			before, list, changes := h.run(r.ID), h.users(), h.changes(r.ID)
			wantState(t, before, run.Done)
			if before.Progress.Applied != 5000 {
				t.Fatalf("%d users were written", before.Progress.Applied)
			}
			close(held.wake)
			if err := <-woken; err != nil {
				t.Logf("the worker that was replaced: %v", err)
			}
			if diff := cmp.Diff(before, h.run(r.ID), cmpopts.EquateComparable(secret.String{})); diff != "" {
				t.Errorf("the record changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(list, h.users()); diff != "" {
				t.Errorf("users changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(changes, h.changes(r.ID)); diff != "" {
				t.Errorf("the journal changed (-before +after):\n%s", diff)
			}
			if !test.undo {
				h.undo(r.ID)
				if left := h.users(); len(left) > 0 {
					t.Errorf("%d users are left after an undo", len(left))
				}
			}
		})
	}
}
