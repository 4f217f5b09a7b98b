package importer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// queues keeps messages as the real ones do: each queue in order, and what was sent before counts once.
type queues struct {
	waiting map[queue.Name][]queue.Message
	sent    map[queue.Message]bool
}

func (q *queues) Send(_ context.Context, m queue.Message) error {
	if !q.sent[m] {
		q.sent[m] = true
		q.waiting[m.Queue()] = append(q.waiting[m.Queue()], m)
	}
	return nil
}

func (q *queues) take(name queue.Name) (m queue.Message, ok bool) {
	if len(q.waiting[name]) == 0 {
		return m, false
	}
	m, q.waiting[name] = q.waiting[name][0], q.waiting[name][1:]
	return m, true
}

type failingQueue struct {
	queue.Sender
	f *failpoint
}

func (q failingQueue) Send(ctx context.Context, m queue.Message) error {
	return q.f.write(func() error { return q.Sender.Send(ctx, m) })
}

// slowDirectory says when it is read, and answers when it may.
type slowDirectory struct {
	importer.Directory
	reached, answer chan struct{}
}

func (d slowDirectory) Read(
	ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error,
) (directory.Info, error) {
	close(d.reached)
	<-d.answer
	return d.Directory.Read(ctx, c, q, onStep, onEntry)
}

// twoQueues is an account with a sync that somebody started and one of its schedule, each on its queue.
func twoQueues(t *testing.T) (*harness, *queues) {
	t.Helper()
	h, q := newHarness(t), &queues{map[queue.Name][]queue.Message{}, map[queue.Message]bool{}}
	h.directory.set(people(20)...)
	h.config.Queue = q
	h.service, h.worker = importer.NewService(h.config), importer.NewWorker(h.config)
	h.clock = h.schedule(1).Schedule.NextRunAt.Add(time.Minute)
	if started, err := h.service.StartDue(t.Context()); started != 1 || err != nil {
		t.Fatalf("%d syncs are due, error %v", started, err)
	}
	h.start(importer.SyncRequest{})
	return h, q
}

// handOut delivers what waits on both queues until nothing does. What fails comes again.
func (h *harness) handOut(q *queues) {
	h.t.Helper()
	for round := 0; len(q.waiting[queue.Syncs])+len(q.waiting[queue.Scheduled]) > 0; round++ {
		if round == 20 {
			h.t.Fatalf("messages still come after %d rounds: %+v", round, q.waiting)
		}
		for _, name := range []queue.Name{queue.Scheduled, queue.Syncs} {
			if m, ok := q.take(name); ok && h.worker.Work(h.t.Context(), m) != nil {
				q.waiting[name] = append([]queue.Message{m}, q.waiting[name]...)
				h.outlast()
			}
		}
	}
}

// TestTwoSyncsOfAnAccountOnTwoQueues lets one sync of an account meet the other at work, kills the worker of that one
// at each of its writes, and hands out what is on the queues. Both end, and no tick has to look for either.
func TestTwoSyncsOfAnAccountOnTwoQueues(t *testing.T) {
	t.Parallel()
	for _, first := range []queue.Name{queue.Syncs, queue.Scheduled} {
		t.Run(string(first)+" first", func(t *testing.T) {
			t.Parallel()
			writes := 0
			for late, done := false, false; !done; late = !late {
				f := &failpoint{left: writes, late: late}
				if late {
					writes++
				}
				meet(t, first, f)
				done = !f.hit && late
			}
			if writes < 8 {
				t.Errorf("a sync that others wait for has %d writes; this test must have missed some", writes)
			}
		})
	}
}

func meet(t *testing.T, first queue.Name, f *failpoint) {
	t.Helper()
	what := fmt.Sprintf("killed at write %d (late %t)", f.left, f.late)
	h, q := twoQueues(t)
	slow := slowDirectory{h.directory, make(chan struct{}), make(chan struct{})}
	c := h.config
	c.Users, c.Jobs = failingUsers{h.store.Users(), f}, failingJobs{h.store.Jobs(), f}
	c.Objects, c.Queue, c.Directory = failingObjects{h.store.Objects(), f}, failingQueue{q, f}, slow
	message, _ := q.take(first)
	ended := make(chan error, 1)
	go func() { ended <- importer.NewWorker(c).Work(t.Context(), message) }()
	var err error
	select {
	case err = <-ended:
	case <-slow.reached:
		for _, name := range []queue.Name{queue.Syncs, queue.Scheduled} {
			if m, ok := q.take(name); ok {
				if err := h.worker.Work(t.Context(), m); err != nil {
					t.Errorf("%s: a sync that meets another one at work is a failed delivery: %v", what, err)
				}
				if r := h.run(m.RunID); r.State != run.Queued || r.Attempts != 0 {
					t.Errorf("%s: a sync began beside another one: %s, %d attempts", what, r.State, r.Attempts)
				}
			}
		}
		close(slow.answer)
		err = <-ended
	}
	if err != nil {
		q.waiting[first] = append([]queue.Message{message}, q.waiting[first]...)
		h.outlast()
	}
	h.handOut(q)
	for _, r := range h.history() {
		if r.State != run.Done {
			t.Errorf("%s: the %s sync is %s", what, r.Trigger, r.State)
		}
	}
}

// TestARedeliveryBesideALiveWorkerComesAgain has a message come again while its own run is at work: whoever works may
// die yet, and then nobody else knows of the run.
func TestARedeliveryBesideALiveWorkerComesAgain(t *testing.T) {
	t.Parallel()
	h, q := twoQueues(t)
	m, _ := q.take(queue.Scheduled)
	jobs := h.store.Jobs().For(h.id.Account)
	if err := jobs.AcquireLease(t.Context(),
		runs.Lease{RunID: m.RunID, Attempt: 7, ExpiresAt: h.clock.Add(time.Minute)}, h.clock); err != nil {
		t.Fatal(err)
	}
	if err := h.worker.Work(t.Context(), m); err == nil {
		t.Error("the message is gone, and its run with it if the worker dies")
	}
	h.outlast()
	if err := h.worker.Work(t.Context(), m); err != nil || h.run(m.RunID).State != run.Done {
		t.Errorf("once the lease is over: error %v, run %s", err, h.run(m.RunID).State)
	}
}

// TestASyncThatWasCancelledWhileItWaited is not sent again, and those behind it are.
func TestASyncThatWasCancelledWhileItWaited(t *testing.T) {
	t.Parallel()
	h, q := twoQueues(t)
	other := h.start(importer.SyncRequest{})
	slow := slowDirectory{h.directory, make(chan struct{}), make(chan struct{})}
	c := h.config
	c.Directory = slow
	message, _ := q.take(queue.Scheduled)
	ended := make(chan error, 1)
	go func() { ended <- importer.NewWorker(c).Work(t.Context(), message) }()
	<-slow.reached
	first, _ := q.take(queue.Syncs)
	second, _ := q.take(queue.Syncs)
	for _, m := range []queue.Message{first, second} {
		if err := h.worker.Work(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.service.CancelSync(t.Context(), h.id, first.RunID); err != nil {
		t.Fatal(err)
	}
	close(slow.answer)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if left := q.waiting[queue.Syncs]; len(left) != 1 || left[0].RunID != other.ID || left[0].Again == 0 {
		t.Errorf("sent again: %+v, want the sync that was not cancelled", left)
	}
	h.handOut(q)
	wantState(t, h.run(other.ID), run.Done)
}
