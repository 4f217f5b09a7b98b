package importer_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// hookedJobs calls what is set before it does the same, and updated once a run was updated.
type hookedJobs struct {
	runs.Store
	note, settings, removals, release, put func() error
	updated                                func(run.Run) error
}

func (s hookedJobs) For(a user.Account) runs.Jobs { return hookedAccountJobs{s.Store.For(a), s} }

type hookedAccountJobs struct {
	runs.Jobs
	s hookedJobs
}

func (j hookedAccountJobs) NoteListWrite(ctx context.Context, at time.Time) error {
	if j.s.note != nil {
		if err := j.s.note(); err != nil {
			return err
		}
	}
	return j.Jobs.NoteListWrite(ctx, at)
}

func (j hookedAccountJobs) Settings(ctx context.Context) (settings.Saved, error) {
	if j.s.settings != nil {
		if err := j.s.settings(); err != nil {
			return settings.Saved{}, err
		}
	}
	return j.Jobs.Settings(ctx)
}

func (j hookedAccountJobs) UpdateRemovals(
	ctx context.Context, change func(run.Removals) (run.Removals, error),
) error {
	if j.s.removals != nil {
		if err := j.s.removals(); err != nil {
			return err
		}
	}
	return j.Jobs.UpdateRemovals(ctx, change)
}

func (j hookedAccountJobs) UpdateRun(
	ctx context.Context, id string, change func(*run.Run) error,
) (run.Run, error) {
	r, err := j.Jobs.UpdateRun(ctx, id, change)
	if err == nil && j.s.updated != nil {
		err = j.s.updated(r)
	}
	return r, err
}

func (j hookedAccountJobs) ReleaseLease(ctx context.Context, l runs.Lease) ([]runs.Waiter, error) {
	if j.s.release != nil {
		if err := j.s.release(); err != nil {
			return nil, err
		}
	}
	return j.Jobs.ReleaseLease(ctx, l)
}

func (j hookedAccountJobs) EditRun(
	ctx context.Context, id string, change func(*run.Run) ([]runs.AuditEntry, error),
) (run.Run, error) {
	return j.Jobs.EditRun(ctx, id, func(r *run.Run) ([]runs.AuditEntry, error) {
		entries, err := change(r)
		if err == nil && j.s.put != nil {
			err = j.s.put()
		}
		return entries, err
	})
}

// heldOnce returns what holds its first caller until it is woken.
func heldOnce(reached, wake chan struct{}) func() error {
	first := true
	return func() error {
		if first {
			first = false
			close(reached)
			<-wake
		}
		return nil
	}
}

func TestAReplacedWorkerLeavesTheDaysRemovals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(100)...)
	h.importAll()
	h.directory.set(people(100)[:92]...)
	options := removing()
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	message := queue.Message{Task: queue.TaskSync, Account: h.id.Account, RunID: r.ID}
	c := h.config
	reached, wake := make(chan struct{}), make(chan struct{})
	c.Jobs = hookedJobs{Store: h.store.Jobs(), note: heldOnce(reached, wake)}
	woken := make(chan error, 1)
	go func() { woken <- importer.NewWorker(c).Work(t.Context(), message) }()
	<-reached
	h.outlast()
	if err := h.worker.Work(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	h.queue.messages = nil
	day := func() run.Day {
		l, err := h.store.Jobs().For(h.id.Account).Removals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l.Day(h.clock, settings.RemoveAll)
	}
	t.Log("after the second worker", day(), h.run(r.ID).Applied)
	h.undo(r.ID)
	before := day()
	close(wake)
	t.Log(<-woken)
	if after := day(); after != before {
		t.Errorf("a replaced worker changed the guard's count from %+v to %+v", before, after)
	}
}

func TestAReplacedWorkerLeavesTheHealth(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	h.save(importer.SettingsRequest{Connection: connection()})
	h.directory.err = &directory.Error{Step: directory.StepConnect, Code: "connect_failed", Message: "refused"}
	a := h.start(importer.SyncRequest{})
	message := queue.Message{Task: queue.TaskSync, Account: h.id.Account, RunID: a.ID}
	c := h.config
	reached, wake := make(chan struct{}), make(chan struct{})
	c.Jobs = hookedJobs{Store: h.store.Jobs(), settings: heldOnce(reached, wake)}
	woken := make(chan error, 1)
	go func() { woken <- importer.NewWorker(c).Work(t.Context(), message) }()
	<-reached
	h.outlast()
	if err := h.worker.Work(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	wantState(t, h.run(a.ID), run.Failed)
	h.queue.messages = nil
	h.directory.set(people(10)...)
	b := h.sync(importer.SyncRequest{})
	wantState(t, b, run.Done)
	close(wake)
	t.Log(<-woken)
	s, err := h.service.Settings(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if s.LastSyncID != b.ID || s.Health.State != settings.OK {
		t.Errorf("settings name %s (want %s), health %+v", s.LastSyncID, b.ID, s.Health)
	}
}

// hookedObjects calls put at the end of each object whose key contains only.
type hookedObjects struct {
	objects.Store
	put  func() error
	only string
}

func (s hookedObjects) For(a user.Account) objects.Objects {
	return hookedAccountObjects{s.Store.For(a), s}
}

type hookedAccountObjects struct {
	objects.Objects
	s hookedObjects
}

func (o hookedAccountObjects) Put(ctx context.Context, key string, w func(io.Writer) error) error {
	return o.Objects.Put(ctx, key, func(to io.Writer) error {
		if err := w(to); err != nil {
			return err
		}
		if !strings.Contains(key, o.s.only) {
			return nil
		}
		return o.s.put()
	})
}

// lateDirectory calls read before each read.
type lateDirectory struct {
	importer.Directory
	read func()
}

func (d lateDirectory) Read(ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error) (directory.Info, error) {
	d.read()
	return d.Directory.Read(ctx, c, q, onStep, onEntry)
}

func TestFaultsFarApartAreNoTrouble(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	c := h.config
	puts := 0
	c.Objects = hookedObjects{only: "", Store: h.store.Objects(), put: func() error {
		if puts++; puts <= 2 {
			return errUnreachable
		}
		return nil
	}}
	c.Directory = lateDirectory{h.directory, func() { h.clock = h.clock.Add(20 * time.Minute) }}
	h.worker = importer.NewWorker(c)
	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = h.deliver()
	}
	p, err := h.service.Preview(t.Context(), h.id, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.State != run.Done {
		t.Errorf("two single faults, 20 minutes apart, ended the preview: %+v", p.Failure)
	}
}

func TestWhatADeadWorkerDidNotWriteIsPending(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(5000)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	c := h.config
	applied, dead, f := 0, false, new(failpoint)
	c.Users = halfUsers{h.store.Users(), func(context.Context) error {
		applied++
		if dead = applied >= 3; dead {
			return errKilled
		}
		return nil
	}}
	c.Users = dyingUsers{c.Users, &dead, f}
	c.Jobs = failingJobs{h.store.Jobs(), f}
	*f = failpoint{left: 1 << 30}
	worker := h.worker
	h.worker = importer.NewWorker(c)
	if err := h.deliver(); err == nil {
		t.Fatal("did not die")
	}
	h.outlast()
	h.worker = worker
	if _, err := h.service.CancelSync(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	got := h.run(r.ID)
	wantState(t, got, run.Cancelled)
	if got.Applied.Conflicts != 0 {
		t.Errorf("nobody changed a user, and the run tells of conflicts: %+v", *got.Applied)
	}
}

func TestALeaseThatCannotBeReleasedIsNoDeath(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	c := h.config
	n := 0
	c.Jobs = hookedJobs{Store: h.store.Jobs(), release: func() error {
		if n++; n <= 6 {
			return errUnreachable
		}
		return nil
	}}
	h.worker = importer.NewWorker(c)
	for range 12 {
		if h.deliver() == nil {
			break
		}
		h.outlast()
	}
	if got := h.run(r.ID); got.State != run.Done {
		t.Errorf("%s %+v deaths %d trouble %+v", got.State, got.Failure, got.Deaths, got.Trouble)
	}
}

func TestACancelledRunHasItsEntry(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(10)...)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	c := h.config
	n := 0
	c.Jobs = hookedJobs{Store: h.store.Jobs(), put: func() error {
		if n++; n == 1 {
			return errUnreachable
		}
		return nil
	}}
	s := importer.NewService(c)
	_, err := s.CancelSync(t.Context(), h.id, r.ID)
	_, err2 := s.CancelSync(t.Context(), h.id, r.ID)
	page, _ := s.Audit(t.Context(), h.id, "", 100)
	found := false
	for _, e := range page.Entries {
		found = found || e.Action == runs.SyncCancelled
	}
	if !found {
		t.Errorf("cancelled (%v, then %v), state %s, and no audit entry", err, err2, h.run(r.ID).State)
	}
}

// TestARunBehindItsJournalDoesNotEnd keeps a sync that removes users from storing which rows were in conflict. Ending
// it would lose the removals: no undo finds a user that is gone and that no journal tells of.
func TestARunBehindItsJournalDoesNotEnd(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(100)...)
	h.importAll()
	h.directory.set(people(100)[:92]...)
	options, preview := removing(), h.preview()
	h.patch("p00095@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	r := h.start(importer.SyncRequest{PreviewID: preview.ID, Options: &options})
	c, away := h.config, true
	c.Objects = hookedObjects{Store: h.store.Objects(), only: "conflicts", put: func() error {
		if away {
			return errUnreachable
		}
		return nil
	}}
	h.worker = importer.NewWorker(c)
	for range 12 {
		if err := h.deliver(); err == nil {
			t.Fatalf("the run ended: %+v", h.run(r.ID).Failure)
		}
		h.clock = h.clock.Add(3 * time.Minute)
	}
	away = false
	h.mustDeliver()
	wantState(t, h.run(r.ID), run.Done)
	h.undo(r.ID)
	if n := len(h.users()); n != 200 {
		t.Errorf("%d users after the undo, want 200", n)
	}
}
