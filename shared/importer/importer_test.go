package importer_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

var (
	ann = person{"ann", "ann@example.com", []string{"a.miller@example.com"}}
	bob = person{"bob", "bob@example.com", nil}
	cat = person{"cat", "cat@example.com", nil}
)

func TestSyncAppliesExactlyTheRowsOfItsPreview(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	preview := h.preview()
	wantState(t, preview, run.Done)
	want := []string{"create a.miller@example.com", "create ann@example.com", "create bob@example.com"}
	if diff := cmp.Diff(want, h.rows(preview.ID, planfile.Filter{})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	// What the directory says by now does not matter: the preview is what was shown.
	h.directory.set(cat)
	r := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	wantState(t, r, run.Done)
	if diff := cmp.Diff([]string{"a.miller@example.com alias off", "ann@example.com primary off",
		"bob@example.com primary off"}, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(run.Progress{Phase: run.PhaseApplying, Entries: 2, Addresses: 3, Applied: 3, ToApply: 3},
		r.Progress); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestSecondSyncWritesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	h.importAll()
	h.wrote = 0
	r := h.importAll()
	wantState(t, r, run.Done)
	if h.wrote != 0 || counts(r.Result.Summary) != "create 0 update 0 delete 0 unchanged 3 skipped 0 conflicts 0" {
		t.Errorf("wrote %d rows; %s", h.wrote, counts(r.Result.Summary))
	}
}

func TestReportsGoToNewPrimariesOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(bob)
	h.importAll()
	h.directory.set(ann, bob)
	options := removing()
	options.SendHSR = true
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	want := []string{"a.miller@example.com alias off", "ann@example.com primary daily", "bob@example.com primary off"}
	if diff := cmp.Diff(want, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

func TestRemoveAccountsDecidesAboutThePreviewsRemovals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	h.importAll()
	if _, err := h.service.AddUser(t.Context(), h.id,
		importer.UserRequest{Address: "hand@example.com", Type: user.TypeUser,
			HeldSpamReport: user.ReportOff}); err != nil {
		t.Fatal(err)
	}
	h.directory.set(ann)
	preview := h.preview()
	want := []string{"delete bob@example.com not in the directory", "delete hand@example.com not in the directory"}
	if diff := cmp.Diff(want, h.rows(preview.ID, planfile.Filter{Changes: []plan.Change{plan.Delete}})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if preview.Guard.Removals != 2 || preview.Guard.Blocked {
		t.Errorf("guard %+v, want 2 removals and no block", preview.Guard)
	}
	off := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	if len(h.users()) != 4 || off.Result.Summary.Delete != 0 {
		t.Errorf("Remove Accounts off: users %q, %s", h.users(), counts(off.Result.Summary))
	}
	imported := removing()
	imported.RemoveScope = "imported"
	scoped := h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &imported})
	if diff := cmp.Diff([]string{"delete bob@example.com applied"}, h.changes(scoped.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if users := h.users(); len(users) != 3 || !strings.HasPrefix(users[2], "hand@example.com") {
		t.Errorf("users %q, want the one added by hand to stay", users)
	}
}

func TestAnEditBetweenPreviewAndSyncIsKept(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob, cat)
	h.importAll()
	h.directory.set(person{"ann", "ann@example.com", nil}, person{"bob", "Bob@example.com", nil})
	preview := h.preview()
	h.patch("bob@example.com", importer.UserPatch{HeldSpamReport: ptr(user.ReportDaily)})
	h.patch("cat@example.com", importer.UserPatch{Protected: ptr(true)})
	if err := h.service.RemoveUser(t.Context(), h.id, "a.miller@example.com"); err != nil {
		t.Fatal(err)
	}
	options := removing()
	r := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options})
	wantState(t, r, run.Done)
	if diff := cmp.Diff([]string{"ann@example.com primary off", "bob@example.com primary daily",
		"cat@example.com primary off protected"}, h.users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	want := []string{"delete a.miller@example.com already", "update bob@example.com conflict",
		"delete cat@example.com conflict"}
	if diff := cmp.Diff(want, h.changes(r.ID)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&run.Applied{Already: 1, Conflicts: 2}, r.Applied); diff != "" {
		t.Errorf("what the sync did (-want +got):\n%s", diff)
	}
}

// people makes n of them.
func people(n int) []person {
	out := make([]person, n)
	for i := range out {
		out[i] = person{fmt.Sprintf("p%05d", i), fmt.Sprintf("p%05d@example.com", i),
			[]string{fmt.Sprintf("alias%05d@example.com", i)}}
	}
	return out
}

func TestTheGuardBlocksAndAConfirmationPasses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(20)...)
	h.importAll()
	h.directory.set(append(people(10), cat)...)
	preview := h.preview()
	if !preview.Guard.Blocked || preview.Guard.Removals != 20 || preview.Guard.Stored != 40 {
		t.Errorf("guard %+v, want blocked with 20 of 40", preview.Guard)
	}
	options := removing()
	blocked := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options})
	wantState(t, blocked, run.Blocked)
	if len(h.users()) != 40 {
		t.Errorf("%d users after a blocked sync, want the 40 there were", len(h.users()))
	}
	wrong := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options, ConfirmRemovals: ptr(19)})
	wantState(t, wrong, run.Blocked)
	confirmed := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options, ConfirmRemovals: ptr(20)})
	wantState(t, confirmed, run.Done)
	if len(h.users()) != 21 {
		t.Errorf("%d users after the confirmed sync, want 21", len(h.users()))
	}
}

func TestAnEmptyOrIncompleteReadRemovesNobody(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	h.importAll()
	h.directory.set()
	preview := h.preview()
	wantState(t, preview, run.Done)
	const hint = "Try (mail=*)."
	if preview.Guard.Reason != run.GuardEmptyRead || !strings.HasSuffix(preview.Guard.Message, hint) {
		t.Errorf("guard %+v, want %s with the directory's hint", preview.Guard, run.GuardEmptyRead)
	}
	options := removing()
	failed := h.sync(importer.SyncRequest{PreviewID: preview.ID, Options: &options, ConfirmRemovals: ptr(3)})
	wantState(t, failed, run.Failed)
	if failed.Failure.Code != "empty_read" || failed.Guard.Reason != run.GuardEmptyRead ||
		!strings.HasSuffix(failed.Failure.Message, hint) {
		t.Errorf("failure %+v, guard %+v; want empty_read", failed.Failure, failed.Guard)
	}
	h.directory.set(ann)
	h.directory.err = &directory.Error{Code: "incomplete_read", Step: "search", Message: "The server stopped early."}
	broken := h.preview()
	wantState(t, broken, run.Failed)
	if diff := cmp.Diff(&run.Failure{Code: "incomplete_read", Step: "search", Message: "The server stopped early."},
		broken.Failure); diff != "" {
		t.Errorf("failure (-want +got):\n%s", diff)
	}
	if !broken.Guard.Blocked || broken.Guard.Reason != run.GuardIncompleteRead {
		t.Errorf("guard %+v, want it blocked by the incomplete read", broken.Guard)
	}
	if len(h.users()) != 3 {
		t.Errorf("%d users, want the 3 there were", len(h.users()))
	}
}

func TestASyncThatBreaksGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for broken := range 4 {
			t.Run(fmt.Sprintf("write %d, answer lost %t", broken, lose), func(t *testing.T) {
				t.Parallel()
				h := newHarness(t)
				h.directory.set(people(1500)...)
				r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
				h.calls = broken
				failed := h.deliver()
				if broken < 3 && failed == nil {
					t.Fatal("the broken write went unnoticed")
				}
				h.mustDeliver()
				r = h.run(r.ID)
				wantState(t, r, run.Done)
				if len(h.users()) != 3000 || r.Progress.Applied != 3000 || r.Result.Summary.Conflicts != 0 {
					t.Errorf("%d users, applied %d, %s; want 3000 and no conflict", len(h.users()), r.Progress.Applied,
						counts(r.Result.Summary))
				}
			})
		}
	}
}

// TestAStoreThatCannotBeReachedIsNoDeath fails each write of users for twenty tries and then for longer than a run
// waits.
func TestAStoreThatCannotBeReachedIsNoDeath(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		minutes int
		state   run.State
	}{
		"for ten minutes":    {10, run.Done},
		"for twenty minutes": {20, run.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.directory.set(ann, bob)
			r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
			var pauses []time.Duration
			waited := time.Duration(0)
			c := h.config
			c.Sleep = func(_ context.Context, d time.Duration) error {
				pauses = append(pauses, d)
				waited += d
				h.clock = h.clock.Add(d)
				h.calls = 0
				if waited >= time.Duration(test.minutes)*time.Minute {
					h.calls = -1
				}
				return nil
			}
			h.worker = importer.NewWorker(c)
			h.calls = 0
			h.mustDeliver()
			r = h.run(r.ID)
			wantState(t, r, test.state)
			if first, last := pauses[0], pauses[len(pauses)-1]; first != time.Second || last != 30*time.Second {
				t.Errorf("the waits go from %v to %v, want from 1s to 30s", first, last)
			}
			if test.state == run.Done {
				if r.Deaths != 0 || r.Trouble != nil {
					t.Errorf("%d deaths, trouble %+v; want none", r.Deaths, r.Trouble)
				}
				return
			}
			if r.Failure.Code != "store_unavailable" || !strings.Contains(r.Failure.Message, errUnreachable.Error()) {
				t.Errorf("failure %+v, want store_unavailable with the store's error", r.Failure)
			}
		})
	}
}

func TestStoppingTheProcessCountsAsNoAttempt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.directory.block = make(chan struct{})
	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	for range 7 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := h.worker.Work(ctx, h.queue.messages[0]); err == nil {
			t.Fatal("a stopped run was taken for done")
		}
	}
	close(h.directory.block)
	h.mustDeliver()
	if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil || r.State != run.Done || r.Deaths != 0 {
		t.Errorf("the run is %s after %d deaths (%+v), error %v; want done after none", r.State, r.Deaths,
			r.Failure, err)
	}
}

func TestARunningPreviewIsCancelled(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.directory.block = make(chan struct{})
	h.config.Tick = 5 * time.Millisecond
	h.worker = importer.NewWorker(h.config)
	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	messages := h.queue.messages
	go func() { done <- h.worker.Work(t.Context(), messages[0]) }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil {
			t.Fatal(err)
		}
		if r.State == run.Running && r.Progress.Phase == run.PhaseReading {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the preview shows no progress: %+v", r.Progress)
		}
	}
	if _, err := h.service.CancelPreview(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, r, run.Cancelled)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	r, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = h.service.CancelPreview(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, r, run.Cancelled)
	h.mustDeliver()
	if r, err = h.service.Preview(t.Context(), h.id, r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, r, run.Cancelled)
	_, err = h.service.CancelPreview(t.Context(), h.id, r.ID)
	wantCode(t, err, "preview_ended")
}

func TestAnExpiredPreviewIsGone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	h.clock = h.clock.Add(25 * time.Hour)
	_, err := h.service.Preview(t.Context(), h.id, preview.ID)
	wantCode(t, err, "preview_expired")
	_, err = h.service.StartSync(t.Context(), h.id, importer.SyncRequest{PreviewID: preview.ID})
	wantCode(t, err, "preview_expired")
	_, err = h.service.SaveSettings(t.Context(), h.id, importer.SettingsRequest{PreviewID: preview.ID})
	wantCode(t, err, "preview_expired")
	_, err = h.service.PreviewRows(t.Context(), h.id, preview.ID, planfile.Filter{}, "", 10)
	wantCode(t, err, "preview_expired")
	_, err = h.service.ExportPreview(t.Context(), h.id, preview.ID, nil)
	wantCode(t, err, "preview_expired")
}

func TestAnIdempotencyKeyStartsOneRun(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	req := importer.SyncRequest{PreviewID: h.preview().ID,
		Idempotency: importer.Idempotency{Key: "k1", Body: []byte("{}")}}
	first, second := h.start(req), h.start(req)
	if first.ID != second.ID {
		t.Errorf("the repeated request started %s beside %s", second.ID, first.ID)
	}
	req.Body = []byte(`{"options":{}}`)
	_, err := h.service.StartSync(t.Context(), h.id, req)
	wantCode(t, err, "idempotency_key_reused")
	h.clock = h.clock.Add(25 * time.Hour)
	h.clock = h.clock.Add(-2 * time.Hour)
	if _, err := h.service.CancelSync(t.Context(), h.id, first.ID); err != nil {
		t.Fatal(err)
	}
	req.Key, req.Body = "k2", nil
	if third := h.start(req); third.ID == first.ID {
		t.Error("another key gave the same run")
	}
}

func TestOtherAccountsFindNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	r := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	export, err := h.service.ExportPreview(t.Context(), h.id, preview.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := run.Identity{Account: "globex", Subject: "eve"}
	ctx := t.Context()
	_, err = h.service.Preview(ctx, other, preview.ID)
	wantCode(t, err, "preview_not_found")
	_, err = h.service.PreviewRows(ctx, other, preview.ID, planfile.Filter{}, "", 10)
	wantCode(t, err, "preview_not_found")
	_, err = h.service.StartSync(ctx, other, importer.SyncRequest{PreviewID: preview.ID})
	wantCode(t, err, "preview_not_found")
	_, err = h.service.Sync(ctx, other, r.ID)
	wantCode(t, err, "sync_not_found")
	_, err = h.service.Undo(ctx, other, r.ID, importer.Idempotency{})
	wantCode(t, err, "sync_not_found")
	_, err = h.service.Export(ctx, other, export.Run.ID)
	wantCode(t, err, "export_not_found")
	_, err = h.service.PatchUser(ctx, other, "ann@example.com", importer.UserPatch{})
	wantCode(t, err, "user_not_found")
	_, err = h.service.SaveSettings(ctx, other, importer.SettingsRequest{PreviewID: preview.ID})
	wantCode(t, err, "preview_not_found")
}

func TestThePasswordIsWrittenNowhere(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	preview := h.preview()
	if got := h.directory.seen.Password.Reveal(); got != plantedPassword {
		t.Fatalf("the directory was read with password %q", got)
	}
	h.sync(importer.SyncRequest{PreviewID: preview.ID})
	if _, err := h.service.SaveSettings(t.Context(), h.id,
		importer.SettingsRequest{PreviewID: preview.ID, IntervalHours: ptr(6)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.ExportPreview(t.Context(), h.id, preview.ID, nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(h.log.String(), plantedPassword) {
		t.Error("the log holds the password")
	}
	files := h.files()
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), plantedPassword) {
			t.Errorf("%s holds the password", path)
		}
	}
	if len(files) < 3 {
		t.Errorf("looked into %d files only", len(files))
	}
	if s := fmt.Sprintf("%v %+v %#v", *connection(), *connection(), *connection()); strings.Contains(s,
		plantedPassword) {
		t.Errorf("a printed connection shows the password: %s", s)
	}
}
