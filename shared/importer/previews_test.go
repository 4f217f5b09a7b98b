package importer_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/importer"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// wantUsed fails unless err is a Conflict with the code that names the sync.
func wantUsed(t *testing.T, err error, code, syncID string) {
	t.Helper()
	wantCode(t, err, code)
	var e *importer.Error
	if errors.As(err, &e) && (e.Class != importer.Conflict || e.SyncID != syncID) {
		t.Errorf("the error has class %d and names sync %q, want a conflict with %s", e.Class, e.SyncID, syncID)
	}
}

func (h *harness) shown(previewID string) importer.ShownPreview {
	h.t.Helper()
	shown, err := h.service.ShowPreview(h.t.Context(), h.id, previewID)
	if err != nil {
		h.t.Fatal(err)
	}
	return shown
}

func TestAPreviewIsSyncedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(20)...)
	h.importAll()
	h.directory.set(people(10)...)
	preview := h.preview()
	options := removing()
	req := importer.SyncRequest{PreviewID: preview.ID, Options: &options}
	blocked := h.sync(req)
	wantState(t, blocked, run.Blocked)
	cancelled := h.start(req)
	_, err := h.service.StartSync(t.Context(), h.id, req)
	wantUsed(t, err, "preview_in_use", cancelled.ID)
	if _, err := h.service.CancelSync(t.Context(), h.id, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	req.ConfirmRemovals = ptr(20)
	done := h.sync(req)
	wantState(t, done, run.Done)
	_, err = h.service.StartSync(t.Context(), h.id, req)
	wantUsed(t, err, "preview_used", done.ID)
	// Those that are refused count as no syncs that wait.
	for range 20 {
		_, err = h.service.StartSync(t.Context(), h.id, req)
		wantUsed(t, err, "preview_used", done.ID)
	}
	if diff := cmp.Diff([]string{blocked.ID, cancelled.ID, done.ID}, h.shown(preview.ID).Syncs); diff != "" {
		t.Errorf("the preview's syncs (-want +got):\n%s", diff)
	}
	if n := len(h.history()); n != 4 {
		t.Errorf("%d syncs are stored, want 4: one that is refused leaves none", n)
	}
	h.start(importer.SyncRequest{PreviewID: h.preview().ID})
}

func TestOfManySyncsOfAPreviewOneBegins(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	var mu sync.Mutex
	var running sync.WaitGroup
	var begun []string
	for range 8 {
		running.Go(func() {
			r, err := h.service.StartSync(t.Context(), h.id, importer.SyncRequest{PreviewID: preview.ID})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				begun = append(begun, r.ID)
				return
			}
			wantCode(t, err, "preview_in_use")
		})
	}
	running.Wait()
	if len(begun) != 1 || !cmp.Equal(begun, h.shown(preview.ID).Syncs) || len(h.history()) != 1 {
		t.Errorf("the syncs %v began, the preview names %v, %d are stored; want one",
			begun, h.shown(preview.ID).Syncs, len(h.history()))
	}
}

// TestARepeatedRequestGetsItsSync sends a request again whatever became of its sync and of its preview.
func TestARepeatedRequestGetsItsSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	h.clock = h.clock.Add(time.Hour)
	req := importer.SyncRequest{PreviewID: preview.ID, Idempotency: importer.Idempotency{Key: "k1", Body: []byte("{}")}}
	first := h.start(req)
	again := func(when string) {
		t.Helper()
		if r, err := h.service.StartSync(t.Context(), h.id, req); err != nil || r.ID != first.ID {
			t.Errorf("%s: run %q, error %v; want run %s", when, r.ID, err, first.ID)
		}
	}
	again("while the sync waits")
	h.mustDeliver()
	again("once it is done")
	h.clock = h.clock.Add(23*time.Hour + 30*time.Minute)
	again("once the preview has expired")
	other := req
	other.Key = "k2"
	_, err := h.service.StartSync(t.Context(), h.id, other)
	wantCode(t, err, "preview_expired")
	// A request that was refused keeps no key: the next one may be another.
	other.Body = []byte(`{"options":{}}`)
	_, err = h.service.StartSync(t.Context(), h.id, other)
	wantCode(t, err, "preview_expired")
	other.Key = "k1"
	_, err = h.service.StartSync(t.Context(), h.id, other)
	wantCode(t, err, "idempotency_key_reused")
}

func TestARepeatedUndoOfAPreviewGetsItsSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview, err := h.service.PreviewUndo(t.Context(), h.id, h.importAll().ID)
	if err != nil {
		t.Fatal(err)
	}
	h.mustDeliver()
	req := importer.SyncRequest{PreviewID: preview.ID, Idempotency: importer.Idempotency{Key: "k1", Body: []byte("{}")}}
	first := h.sync(req)
	wantState(t, first, run.Done)
	if again := h.start(req); again.ID != first.ID || again.UndoOf == "" {
		t.Errorf("the repeated request gives run %s, want %s", again.ID, first.ID)
	}
}

func TestTheSecondOfTwoPreviewsFindsItsRowsDone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	first, second := h.preview(), h.preview()
	wantState(t, h.sync(importer.SyncRequest{PreviewID: first.ID}), run.Done)
	before := h.stored()
	r := h.sync(importer.SyncRequest{PreviewID: second.ID})
	wantState(t, r, run.Done)
	if diff := cmp.Diff(&run.Applied{Already: 3}, r.Applied); diff != "" || r.Result.Summary.Conflicts != 0 {
		t.Errorf("%d conflicts; what the sync did (-want +got):\n%s", r.Result.Summary.Conflicts, diff)
	}
	if diff := cmp.Diff(before, h.stored()); diff != "" {
		t.Errorf("users (-before +after):\n%s", diff)
	}
}

func TestAPreviewSaysThatItIsOutdated(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann, bob)
	preview := h.preview()
	wants := func(what string, previewID string, want bool) {
		t.Helper()
		if got := h.shown(previewID).Outdated; got != want {
			t.Errorf("%s: outdated %t, want %t", what, got, want)
		}
		page, err := h.service.Previews(t.Context(), h.id, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Previews {
			if p.ID == previewID && p.Outdated != want {
				t.Errorf("%s: in the list outdated is %t, want %t", what, p.Outdated, want)
			}
		}
	}
	wants("a new preview", preview.ID, false)
	other := run.Identity{Account: "globex", Subject: "eve"}
	byHand := importer.UserRequest{Address: "hand@example.com", Type: user.TypeUser, HeldSpamReport: user.ReportOff}
	if _, err := h.service.AddUser(t.Context(), other, byHand); err != nil {
		t.Fatal(err)
	}
	wants("an edit of another account", preview.ID, false)
	done := h.sync(importer.SyncRequest{PreviewID: preview.ID})
	wants("its own sync", preview.ID, true)
	for _, edit := range []struct {
		name string
		edit func() error
	}{
		{"a user that was added", func() error { _, err := h.service.AddUser(t.Context(), h.id, byHand); return err }},
		{"a user that was changed", func() error {
			patch := importer.UserPatch{Protected: ptr(true)}
			_, err := h.service.PatchUser(t.Context(), h.id, "hand@example.com", patch)
			return err
		}},
		{"a sync", func() error { wantState(t, h.undo(done.ID), run.Done); return nil }},
	} {
		fresh := h.preview()
		wants("before "+edit.name, fresh.ID, false)
		if err := edit.edit(); err != nil {
			t.Fatal(err)
		}
		wants(edit.name, fresh.ID, true)
	}
	// A sync that writes nobody changes nothing.
	h.importAll()
	fresh := h.preview()
	h.importAll()
	wants("a sync that wrote nobody", fresh.ID, false)
}

func (h *harness) wantGone(previewID string) {
	h.t.Helper()
	_, err := h.service.StartSync(h.t.Context(), h.id, importer.SyncRequest{PreviewID: previewID})
	wantCode(h.t, err, "preview_expired")
	_, err = h.service.PreviewRows(h.t.Context(), h.id, previewID, planfile.Filter{}, "", 10)
	wantCode(h.t, err, "preview_expired")
	_, err = h.service.ExportPreview(h.t.Context(), h.id, previewID, nil)
	wantCode(h.t, err, "preview_expired")
}

func TestAPreviewWithoutItsPlanIsGone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	for _, path := range h.files() {
		if strings.Contains(path, "plans") {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.wantGone(preview.ID)
	if n := len(h.history()) + len(h.queue.messages); n != 0 {
		t.Errorf("%d syncs and messages are left", n)
	}
}

func TestAnOldPreviewIsGoneAndNotUnknown(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(ann)
	preview := h.preview()
	h.clock = h.clock.Add(89 * 24 * time.Hour)
	if _, err := h.store.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := h.service.ShowPreview(t.Context(), h.id, preview.ID)
	wantCode(t, err, "preview_expired")
	h.wantGone(preview.ID)
	h.clock = h.clock.Add(2 * 24 * time.Hour)
	_, err = h.service.ShowPreview(t.Context(), h.id, preview.ID)
	wantCode(t, err, "preview_not_found")
}

func TestPreviewsAreListedInPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	exclude := make([]string, 5000)
	for i := range exclude {
		exclude[i] = fmt.Sprintf("%s%05d@example.com", strings.Repeat("x", 40), i)
	}
	var ids []string
	for i := range 45 {
		h.clock = h.clock.Add(time.Minute)
		req := importer.PreviewRequest{Connection: connection()}
		if i >= 30 {
			// About 300 KB: four of them are a page.
			req.Advanced = &settings.Advanced{Exclude: exclude}
		}
		r, err := h.service.StartPreview(t.Context(), h.id, req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.service.CancelPreview(t.Context(), h.id, r.ID); err != nil {
			t.Fatal(err)
		}
		ids = append([]string{r.ID}, ids...)
	}
	for limit, want := range map[int][]int{7: {4, 4, 4, 7, 7, 7, 7, 5}, 100: {4, 4, 4, 33}} {
		var got []string
		var sizes []int
		for after := ""; ; {
			page, err := h.service.Previews(t.Context(), h.id, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Previews {
				got = append(got, p.ID)
			}
			sizes = append(sizes, len(page.Previews))
			if after = page.Next; after == "" {
				break
			}
		}
		if diff := cmp.Diff(ids, got) + cmp.Diff(want, sizes); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}
