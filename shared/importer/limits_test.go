package importer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

func TestEventsTellWhatBecameOfASync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(append(people(20), ann)...)
	options := removing()
	options.SendHSR = true
	run := h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	if len(h.events.all) != 1 {
		t.Fatalf("%d events, want 1: %+v", len(h.events.all), h.events.all)
	}
	imported := h.events.all[0]
	if imported.Name != events.UsersImported || imported.Account != "acme" || imported.RunID != run.ID ||
		imported.Created != 42 || !imported.SendHSR ||
		imported.NewUsers != "/v1/syncs/"+run.ID+"/changes?change=create&kind=primary&outcome=applied" {
		t.Errorf("event %+v", imported)
	}
	h.directory.set(ann)
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	if blocked := h.events.all[1]; blocked.Name != events.SyncBlocked || blocked.Code != "removal_limit" ||
		!strings.Contains(blocked.Message, "40 of 42") {
		t.Errorf("event %+v", blocked)
	}
	h.directory.set()
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	if failed := h.events.all[2]; failed.Name != events.SyncFailed || failed.Code != "empty_read" {
		t.Errorf("event %+v", failed)
	}
	h.directory.set(append(people(20), ann)...)
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	h.undo(run.ID)
	if len(h.events.all) != 3 {
		t.Errorf("a sync without changes, or an undo, was announced: %+v", h.events.all[3:])
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	start := func() error {
		_, err := h.service.StartPreview(t.Context(), h.id, importer.PreviewRequest{Connection: connection()})
		return err
	}
	for range 10 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, start(), "too_many_waiting")
	other := run.Identity{Account: user.Account("globex"), Subject: "x"}
	if _, err := h.service.StartPreview(t.Context(), other,
		importer.PreviewRequest{Connection: connection()}); err != nil {
		t.Errorf("another account's limit counts: %v", err)
	}
	h.mustDeliver()
	for range 50 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
		h.mustDeliver()
	}
	wantCode(t, start(), "too_many_previews")
	h.clock = h.clock.Add(11 * time.Minute)
	if err := start(); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

// TestManyAtOncePassNoLimit sends many requests at the same time.
func TestManyAtOncePassNoLimit(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.importAll()
	users := func() error { _, err := h.service.ExportUsers(t.Context(), h.id, nil); return err }
	for name, test := range map[string]struct {
		account     user.Account
		start       func(id run.Identity) error
		times, most int
		code        string
	}{
		"previews": {"p", func(id run.Identity) error {
			_, err := h.service.StartPreview(t.Context(), id, importer.PreviewRequest{Connection: connection()})
			return err
		}, 60, 10, "too_many_waiting"},
		"exports": {"e", func(id run.Identity) error {
			_, err := h.service.ExportUsers(t.Context(), id, nil)
			return err
		}, 140, 120, "too_many_exports"},
	} {
		id := run.Identity{Account: test.account, Subject: "x"}
		var starting sync.WaitGroup
		var passed atomic.Int64
		for range test.times {
			starting.Go(func() {
				err := test.start(id)
				var refused *importer.Error
				switch {
				case err == nil:
					passed.Add(1)
				case !errors.As(err, &refused) || refused.Code != test.code || refused.RetryAfter <= 0:
					t.Errorf("%s: %v, to be tried again after a while; want %s", name, err, test.code)
				}
			})
		}
		starting.Wait()
		if passed.Load() != int64(test.most) {
			t.Errorf("%d %s passed, want %d", passed.Load(), name, test.most)
		}
	}
	if err := users(); err != nil {
		t.Errorf("another account's exports count: %v", err)
	}
}

// TestWaitingRunsAreCountedByWhatBecameOfThem ends runs in each way: by a worker, by somebody, and not at all.
func TestWaitingRunsAreCountedByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.save(importer.SettingsRequest{Connection: connection()})
	start := func() (run.Run, error) { return h.service.StartSync(t.Context(), h.id, importer.SyncRequest{}) }
	// Three requests died between counting their run and storing it.
	jobs := h.store.Jobs().For(h.id.Account)
	for i := range 3 {
		if err := jobs.Count(t.Context(), func(c *runs.Counts) error {
			c.Opened("sync", fmt.Sprint("lost", i), h.clock)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	h.clock = h.clock.Add(2 * time.Minute)
	var first run.Run
	for i := range 10 {
		r, err := start()
		if err != nil {
			t.Fatalf("sync %d: %v", i, err)
		}
		if i == 0 {
			first = r
		}
	}
	_, err := start()
	wantCode(t, err, "too_many_waiting")
	if _, err := h.service.CancelSync(t.Context(), h.id, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := start(); err != nil {
		t.Errorf("after one was cancelled: %v", err)
	}
	_, err = start()
	wantCode(t, err, "too_many_waiting")
	h.mustDeliver()
	for range 10 {
		if _, err := start(); err != nil {
			t.Errorf("after all ended: %v", err)
		}
	}
}

func TestEditsHaveARate(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	h.importAll()
	edit := func(protect bool) error {
		_, err := h.service.PatchUser(t.Context(), h.id, "ann@example.com", importer.UserPatch{Protected: &protect})
		return err
	}
	earlier := func(edits int) {
		t.Helper()
		jobs := h.store.Jobs().For(h.id.Account)
		if err := jobs.Count(t.Context(), func(c *runs.Counts) error {
			for range edits {
				c.Started("edit", edits, time.Minute, h.clock)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	earlier(1000)
	if err := edit(true); err != nil {
		t.Errorf("after 1000 edits: %v", err)
	}
	earlier(1200)
	err := edit(false)
	wantCode(t, err, "too_many_edits")
	var refused *importer.Error
	if errors.As(err, &refused) {
		h.clock = h.clock.Add(refused.RetryAfter)
	}
	if err := edit(false); err != nil {
		t.Errorf("after the time to wait: %v", err)
	}
	const ahead = 40 * 24 * time.Hour
	h.clock = h.clock.Add(ahead)
	earlier(1200)
	h.clock = h.clock.Add(-ahead)
	if err := edit(true); err != nil {
		t.Errorf("after edits by a clock that was far ahead: %v", err)
	}
}

// TestASecondWorkerWaits has another run hold the account's lease.
func TestASecondWorkerWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	r := h.start(importer.SyncRequest{PreviewID: h.preview().ID})
	held := runs.Lease{RunID: "another", Attempt: 1, ExpiresAt: h.clock.Add(time.Minute)}
	jobs := h.store.Jobs().For(h.id.Account)
	if err := jobs.AcquireLease(t.Context(), held, h.clock); err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	if len(h.users()) != 0 || h.run(r.ID).Attempts != 0 {
		t.Errorf("users %q, %d attempts; want none while another holds the lease", h.users(), h.run(r.ID).Attempts)
	}
	// The holder is gone, and cannot send the one that waits again: the tick does.
	h.clock = h.clock.Add(20 * time.Minute)
	if cared, err := h.service.CareFor(t.Context(), h.clock); cared != 1 || err != nil {
		t.Fatalf("%d runs were overdue, error %v", cared, err)
	}
	h.mustDeliver()
	wantState(t, h.run(r.ID), run.Done)
}

func TestErasingAnAccountLeavesNothingOfIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.server = "dc1"
	h.directory.set(ann)
	h.quick(1, ptr(5))
	r := h.importAll()
	jobs := h.store.Jobs().For(h.id.Account)
	if looks, err := jobs.Looks(t.Context()); err != nil || !looks.Possible() {
		t.Fatalf("looks %+v, error %v", looks, err)
	}
	if _, err := h.service.ExportUsers(t.Context(), h.id, nil); err != nil {
		t.Fatal(err)
	}
	other := run.Identity{Account: "acme2", Subject: "x"}
	if _, err := h.service.AddUser(t.Context(), other,
		importer.UserRequest{Address: "stay@example.com", Type: user.TypeUser,
			HeldSpamReport: user.ReportOff}); err != nil {
		t.Fatal(err)
	}
	if err := h.store.Erase(t.Context(), h.id.Account); err != nil {
		t.Fatal(err)
	}
	_, settingsErr := h.service.Settings(t.Context(), h.id)
	wantCode(t, settingsErr, "settings_not_found")
	_, runErr := h.service.Sync(t.Context(), h.id, r.ID)
	wantCode(t, runErr, "sync_not_found")
	if looks, err := jobs.Looks(t.Context()); err != nil || looks.Possible() {
		t.Errorf("left: looks %+v, error %v", looks, err)
	}
	log, err := h.service.Audit(t.Context(), h.id, "", 10)
	if err != nil || len(log.Entries) != 0 || len(h.users()) != 0 {
		t.Errorf("left: users %q, %d audit entries, error %v", h.users(), len(log.Entries), err)
	}
	var files []string
	for _, file := range h.files() {
		if strings.Contains(file, "/objects/") {
			files = append(files, file)
		}
	}
	if len(files) > 0 {
		t.Errorf("left: %q", files)
	}
	if page, err := h.service.Users(t.Context(), other, users.Query{Limit: 10}); err != nil || len(page.Users) != 1 {
		t.Errorf("another account has %+v, error %v", page.Users, err)
	}
	if err := h.store.Erase(t.Context(), h.id.Account); err != nil {
		t.Errorf("erasing again: %v", err)
	}
}
