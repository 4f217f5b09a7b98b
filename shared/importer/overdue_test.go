package importer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
)

// care looks after runs at the harness's own time.
func (h *harness) care() int {
	h.t.Helper()
	cared, err := h.service.CareFor(h.t.Context(), h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	return cared
}

func TestARunWhoseMessageWasLostIsSentAgain(t *testing.T) {
	h := newHarness(t)
	h.directory.set(person{id: "ann", primary: "ann@example.com"})
	preview := h.preview()
	r := h.start(importer.SyncRequest{PreviewID: preview.ID})
	want := h.queue.messages[0]
	h.queue.messages = nil
	if cared := h.care(); cared != 0 {
		t.Errorf("%d runs were looked after at once, want none", cared)
	}
	h.clock = h.clock.Add(time.Hour)
	if cared := h.care(); cared != 1 || len(h.queue.messages) != 1 || h.queue.messages[0] != want {
		t.Fatalf("%d runs were looked after and %v sent, want %v", cared, h.queue.messages, want)
	}
	if cared := h.care(); cared != 0 {
		t.Errorf("%d runs were looked after again at once, want none", cared)
	}
	h.mustDeliver()
	if got := h.run(r.ID); got.State != run.Done || got.Progress.Applied != 1 {
		t.Errorf("the run is %s with %d applied, want done with 1", got.State, got.Progress.Applied)
	}
}

func TestExpiredPreviewsForgetTheirPasswords(t *testing.T) {
	h := newHarness(t)
	h.directory.set(person{id: "ann", primary: "ann@example.com"})
	preview := h.preview()
	password := func() []byte {
		t.Helper()
		run, err := h.store.Jobs().For(h.id.Account).Run(t.Context(), preview.ID)
		if err != nil {
			t.Fatal(err)
		}
		return run.SealedPassword
	}
	// A look ahead of time is for unfinished runs only.
	if cared, err := h.service.CareFor(t.Context(), h.clock.Add(48*time.Hour)); err != nil || cared != 0 ||
		password() == nil {
		t.Errorf("%d runs were looked after, error %v; want none, and the password kept", cared, err)
	}
	h.clock = h.clock.Add(importer.PlanLifetime)
	if cared := h.care(); cared != 1 || password() != nil {
		t.Errorf("%d runs were looked after; want the preview's password forgotten", cared)
	}
	if cared := h.care(); cared != 0 {
		t.Errorf("%d runs were looked after again, want none", cared)
	}
}

func TestASyncCancelledWhileItWaitsForgetsItsPassword(t *testing.T) {
	h := newHarness(t)
	h.directory.set(person{id: "ann", primary: "ann@example.com"})
	if _, err := h.service.SaveSettings(t.Context(), h.id,
		importer.SettingsRequest{Connection: connection()}); err != nil {
		t.Fatal(err)
	}
	run := h.start(importer.SyncRequest{})
	if run.SealedPassword == nil {
		t.Fatal("the waiting sync has no password")
	}
	if cancelled, err := h.service.CancelSync(t.Context(), h.id, run.ID); err != nil ||
		cancelled.SealedPassword != nil {
		t.Errorf("error %v, password %q; want none of either", err, cancelled.SealedPassword)
	}
}

// A worker whose time is up stores how far it is and sends its successor's message; nobody notices in the result.
func TestARunIsHandedOverFromWorkerToWorker(t *testing.T) {
	const people = 5000
	h := newHarness(t)
	everybody := make([]person, people)
	for i := range everybody {
		everybody[i] = person{id: fmt.Sprint(i), primary: fmt.Sprintf("user%05d@example.com", i)}
	}
	h.directory.set(everybody...)
	preview := h.preview()
	r := h.start(importer.SyncRequest{PreviewID: preview.ID})
	slices := 0
	for ; len(h.queue.messages) > 0; slices++ {
		m := h.queue.messages[0]
		h.queue.messages = nil
		if want := (queue.Message{Task: queue.TaskSync, Account: h.id.Account, RunID: r.ID, Slice: slices}); m != want {
			t.Fatalf("message %+v, want %+v", m, want)
		}
		// The harness's clock ticks with each look: a deadline so near leaves time for little more than one write.
		// Reading and planning go by the real clock and have plenty.
		deadline := time.Now().Add(2 * time.Minute)
		h.clock = deadline.Add(-time.Minute - 8*time.Millisecond)
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		err := h.worker.Work(ctx, m)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	got := h.run(r.ID)
	if got.State != run.Done || got.Progress.Applied != people || got.Result.Summary.Conflicts != 0 || got.Deaths != 0 {
		t.Errorf("the run is %s after %d deaths, %d applied, %d conflicts; want done, 0, %d, 0", got.State, got.Deaths,
			got.Progress.Applied, got.Result.Summary.Conflicts, people)
	}
	if slices < 3 || got.Slice != slices-1 {
		t.Errorf("the run took %d workers and counts %d hand-overs; want several", slices, got.Slice)
	}
	if h.wrote != people {
		t.Errorf("%d changes were written for %d users", h.wrote, people)
	}
}

func TestReadingThatOutlastsTheWorkerFails(t *testing.T) {
	h := newHarness(t)
	h.directory.set(person{id: "ann", primary: "ann@example.com"})
	h.directory.block = make(chan struct{})
	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Minute+50*time.Millisecond))
	defer cancel()
	if err := h.worker.Work(ctx, h.queue.messages[0]); err != nil {
		t.Fatal(err)
	}
	if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil || r.State != run.Failed ||
		r.Failure.Code != "out_of_time" {
		t.Errorf("error %v, the preview is %s, %+v; want failed, out_of_time", err, r.State, r.Failure)
	}
}
