package runstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// previews has syncs of one preview stored at once, of which one wins, and then uses that are refused.
func previews(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	preview, err := j.CreateRun(ctx, newRun("01JP", run.KindPreview))
	if err != nil {
		t.Fatal(err)
	}
	won := race(t, runs.ErrConflict, func(i int) error {
		used, r := preview, syncOf(preview, fmt.Sprint("01JS", i))
		used.Syncs = []string{r.ID}
		entry := runs.AuditEntry{ID: "01JE" + r.ID, At: Now, By: "ann", Action: "sync.started", Subject: r.ID}
		created, err := j.UsePreview(ctx, used, r, entry)
		if err == nil && (created.Revision != 1 || !created.UpdatedAt.Equal(Now)) {
			t.Errorf("created %+v", created)
		}
		return err
	})
	stored, err := j.Run(ctx, preview.ID)
	page, listErr := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 10})
	if err := errors.Join(err, listErr); err != nil {
		t.Fatal(err)
	}
	if len(won) != 1 || len(page.Runs) != 1 {
		t.Fatalf("%d succeeded, and %d syncs are stored", len(won), len(page.Runs))
	}
	winner := fmt.Sprint("01JS", won[0])
	if !cmp.Equal(stored.Syncs, []string{winner}) || page.Runs[0].ID != winner {
		t.Fatalf("%s succeeded; the preview names %v, %s is stored", winner, stored.Syncs, page.Runs[0].ID)
	}
	log, err := j.AuditLog(ctx, "", 10)
	if err != nil || len(log.Entries) != 1 || log.Entries[0].Subject != winner {
		t.Errorf("the audit log has %+v, error %v; want the entry of %s", log.Entries, err, winner)
	}
	refusedUses(t, j, stored, winner)
}

func syncOf(preview run.Run, id string) run.Run {
	r := newRun(id, run.KindSync)
	r.PreviewID = preview.ID
	return r
}

// refusedUses uses a stored preview for the sync that it has already, and one that is not stored.
func refusedUses(t *testing.T, j runs.Jobs, preview run.Run, syncID string) {
	t.Helper()
	ctx, twice := t.Context(), preview
	twice.Syncs = append(twice.Syncs, syncID)
	if _, err := j.UsePreview(ctx, twice, syncOf(preview, syncID)); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("a run that is stored already: error %v, want %v", err, runs.ErrConflict)
	}
	if got, err := j.Run(ctx, preview.ID); err != nil || got.Revision != preview.Revision || len(got.Syncs) != 1 {
		t.Errorf("after a refused use the preview is %+v, error %v", got, err)
	}
	unknown := preview
	unknown.ID = "01JU"
	if _, err := j.UsePreview(ctx, unknown, syncOf(preview, "01JV")); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no such preview: error %v, want %v", err, runs.ErrNotFound)
	}
}

// previewsInTurn uses a preview many times at once: those that read it again all get their turn.
func previewsInTurn(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	preview, err := j.CreateRun(ctx, newRun("01JP", run.KindPreview))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for i := range takers {
		running.Go(func() {
			r := syncOf(preview, fmt.Sprint("01JT", i))
			use := func(p *run.Run) error { p.Syncs = append(p.Syncs, r.ID); return nil }
			if _, err := runs.CreateFromPreview(ctx, j, r, use); err != nil {
				t.Errorf("create %s: %v", r.ID, err)
			}
		})
	}
	running.Wait()
	if got, err := j.Run(ctx, preview.ID); err != nil || len(got.Syncs) != takers {
		t.Errorf("the preview names %v, error %v; want all syncs", got.Syncs, err)
	}
}
