package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// errKilled is what every write of a process answers once it was killed.
var errKilled = errors.New("the process was killed")

// failpoint lets a number of writes through, to whatever store, and then kills: that write and all that follow fail, as
// nothing is written by a process that is gone. With late set, the fatal write itself still happens.
type failpoint struct {
	left int
	late bool
	hit  bool
}

// write does one write, or the failpoint's work.
func (f *failpoint) write(do func() error) error {
	switch {
	case f.hit:
		return errKilled
	case f.left == 0:
		f.hit = true
		if f.late {
			if err := do(); err != nil {
				return err
			}
		}
		return errKilled
	}
	f.left--
	return do()
}

type failingUsers struct {
	users.Store
	f *failpoint
}

func (s failingUsers) For(a user.Account) users.Users {
	return failingAccountUsers{s.Store.For(a), s.f}
}

type failingAccountUsers struct {
	users.Users
	f *failpoint
}

func (u failingAccountUsers) Apply(ctx context.Context, fence users.Fence,
	changes []users.Change) (outcomes []users.Outcome, err error) {
	err = u.f.write(func() (err error) {
		outcomes, err = u.Users.Apply(ctx, fence, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

type failingJobs struct {
	runs.Store
	f *failpoint
}

func (s failingJobs) For(a user.Account) runs.Jobs {
	return failingAccountJobs{s.Store.For(a), s.f}
}

type failingAccountJobs struct {
	runs.Jobs
	f *failpoint
}

func (j failingAccountJobs) PutSettings(
	ctx context.Context, s settings.Saved, entries ...runs.AuditEntry,
) (out settings.Saved, err error) {
	err = j.f.write(func() (err error) { out, err = j.Jobs.PutSettings(ctx, s, entries...); return err })
	return out, err
}

func (j failingAccountJobs) UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (out run.Run,
	err error) {
	err = j.f.write(func() (err error) { out, err = j.Jobs.UpdateRun(ctx, id, change); return err })
	return out, err
}

func (j failingAccountJobs) NoteListWrite(ctx context.Context, at time.Time) error {
	return j.f.write(func() error { return j.Jobs.NoteListWrite(ctx, at) })
}

func (j failingAccountJobs) UpdateRemovals(
	ctx context.Context, change func(run.Removals) (run.Removals, error),
) error {
	return j.f.write(func() error { return j.Jobs.UpdateRemovals(ctx, change) })
}

func (j failingAccountJobs) AcquireLease(ctx context.Context, l runs.Lease, now time.Time) error {
	return j.f.write(func() error { return j.Jobs.AcquireLease(ctx, l, now) })
}

func (j failingAccountJobs) ReleaseLease(ctx context.Context, l runs.Lease) (waiting []runs.Waiter, err error) {
	err = j.f.write(func() (err error) { waiting, err = j.Jobs.ReleaseLease(ctx, l); return err })
	return waiting, err
}

type failingObjects struct {
	objects.Store
	f *failpoint
}

func (s failingObjects) For(a user.Account) objects.Objects {
	return failingAccountObjects{s.Store.For(a), s.f}
}

type failingAccountObjects struct {
	objects.Objects
	f *failpoint
}

func (o failingAccountObjects) Put(ctx context.Context, key string, write func(io.Writer) error) error {
	return o.f.write(func() error { return o.Objects.Put(ctx, key, write) })
}

func (o failingAccountObjects) Copy(ctx context.Context, from, to string) error {
	return o.f.write(func() error { return o.Objects.Copy(ctx, from, to) })
}

// workerThatDies is a worker whose writes go through a failpoint.
func (h *harness) workerThatDies(f *failpoint) *importer.Worker {
	c := h.config
	c.Users, c.Jobs = failingUsers{h.store.Users(), f}, failingJobs{h.store.Jobs(), f}
	c.Objects = failingObjects{h.store.Objects(), f}
	return importer.NewWorker(c)
}

// scenario prepares a sync that creates, changes, removes and meets two conflicts, and starts it.
func scenario(t *testing.T, undo bool) (*harness, string) {
	t.Helper()
	h := newHarness(t)
	h.directory.set(append(people(700), ann, bob)...)
	h.save(importer.SettingsRequest{Connection: connection(), Options: ptr(removing()), IntervalHours: ptr(6)})
	h.importAll()
	changed := people(900)[100:]
	for i := range changed[:50] {
		changed[i].primary = "P" + changed[i].primary[1:]
	}
	h.directory.set(append(changed, cat)...)
	preview := h.preview()
	h.patch("p00101@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	h.patch("p00001@example.com", importer.UserPatch{Protected: ptr(true)})
	options := removing()
	options.SendHSR = true
	request := importer.SyncRequest{PreviewID: preview.ID, Options: &options, ConfirmRemovals: &preview.Guard.Removals}
	if !undo {
		return h, h.start(request).ID
	}
	r := h.sync(request)
	wantState(t, r, run.Done)
	h.patch("p00800@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportOff)})
	undone, err := h.service.Undo(t.Context(), h.id, r.ID, importer.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	return h, undone.ID
}

// ending is all that must not depend on where a process died.
func ending(h *harness, runID string) (users []user.User, changes []string, summary string) {
	h.t.Helper()
	for _, u := range h.stored() {
		u.Version, u.LastRunID, u.CreatedAt, u.UpdatedAt = 0, "", time.Time{}, time.Time{}
		users = append(users, u)
	}
	run := h.run(runID)
	return users, h.changes(runID), fmt.Sprintf("%s, %s, applied %d of %d", run.State, counts(run.Result.Summary),
		run.Progress.Applied, run.Progress.ToApply)
}

// TestADeathAtAnyWriteEndsAsNoDeathDoes kills the process at each write of a sync, and of an undo, before and after the
// write took place, and starts it again.
func TestADeathAtAnyWriteEndsAsNoDeathDoes(t *testing.T) {
	t.Parallel()
	for _, undo := range []bool{false, true} {
		t.Run(fmt.Sprintf("undo %t", undo), func(t *testing.T) {
			t.Parallel()
			h, runID := scenario(t, undo)
			h.mustDeliver()
			wantUsers, wantChanges, wantSummary := ending(h, runID)
			writes := 0
			for late, done := false, false; !done; late = !late {
				f := &failpoint{left: writes, late: late}
				if late {
					writes++
				}
				h, runID := scenario(t, undo)
				worker := h.worker
				h.worker = h.workerThatDies(f)
				err := h.deliver()
				h.worker = worker
				h.outlast()
				if !f.hit {
					done = late
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				// A message whose handler came back with nothing although the process died is gone; the sweep sends it
				// again.
				if err == nil {
					if _, err := h.service.CareFor(t.Context(), h.clock.Add(time.Hour)); err != nil {
						t.Fatal(err)
					}
				}
				h.mustDeliver()
				users, changes, summary := ending(h, runID)
				if diff := cmp.Diff(wantUsers, users) + cmp.Diff(wantChanges, changes) +
					cmp.Diff(wantSummary, summary); diff != "" {
					t.Fatalf("killed at write %d (late %t), the run ends otherwise (-without +with):\n%.3000s", f.left,
						late, diff)
				}
			}
			if writes < 8 {
				t.Errorf("the run has %d writes; this test must have missed some", writes)
			}
			t.Logf("killed at each of %d writes", writes-1)
		})
	}
}
