package runstest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// longImports has runs whose settings are short and long.
func longImports(t *testing.T, s runs.Store) {
	j := s.For("acme")
	for at, exclusions := range []int{1, 3000} {
		t.Run(fmt.Sprint(exclusions, " exclusions"), func(t *testing.T) {
			previewedImport(t, j, fmt.Sprint(at), importWith(exclusions))
			keepImport(t, j, fmt.Sprint(at), importWith(exclusions))
		})
	}
	if _, err := j.LeanRun(t.Context(), "01JX"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("no run: error %v", err)
	}
}

func importWith(exclusions int) (i settings.Import) {
	i.Connection = settings.Connection{ServerType: settings.Exchange, Host: "dc1", CACertificate: "ca"}
	i.Options = settings.Options{RemoveAccounts: true}
	for n := range exclusions {
		i.Advanced.Exclude = append(i.Advanced.Exclude, fmt.Sprintf("somebody%d@example.com", n))
	}
	return i
}

// previewedImport has a preview and the sync of it keep settings.
func previewedImport(t *testing.T, j runs.Jobs, suffix string, want settings.Import) {
	t.Helper()
	ctx := t.Context()
	preview, used := newRun("01JD"+suffix, run.KindPreview), newRun("01JC"+suffix, run.KindSync)
	preview.Import, used.Import, used.PreviewID = want, want, preview.ID
	_, err := j.CreateRun(ctx, preview)
	if err == nil {
		_, err = runs.CreateFromPreview(ctx, j, used, func(p *run.Run) error {
			p.Syncs = append(p.Syncs, used.ID)
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	preview, previewErr := j.Run(ctx, preview.ID)
	used, usedErr := j.Run(ctx, used.ID)
	if err := errors.Join(previewErr, usedErr); err != nil || len(preview.Syncs) != 1 {
		t.Fatalf("the preview names %v, error %v", preview.Syncs, err)
	}
	wantImports(t, want, map[string]settings.Import{"preview's": preview.Import, "sync's of it": used.Import})
}

// keepImport has runs keep settings, and gives them without what is long where nobody reads it.
func keepImport(t *testing.T, j runs.Jobs, suffix string, want settings.Import) {
	t.Helper()
	ctx, id, started := t.Context(), "01JA"+suffix, "01JB"+suffix
	r := newRun(id, run.KindSync)
	r.Import = want
	created, err := j.CreateRun(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	r.ID = started
	saved, _ := j.Settings(ctx)
	if _, err := j.TakeSlot(ctx, saved, r); err != nil {
		t.Fatal(err)
	}
	updated, err := j.UpdateRun(ctx, id, func(r *run.Run) error { r.State = run.Running; return nil })
	if err != nil {
		t.Fatal(err)
	}
	read, readErr := j.Run(ctx, id)
	other, otherErr := j.Run(ctx, started)
	brief, briefErr := j.LeanRun(ctx, id)
	page, listErr := j.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 1})
	if err := errors.Join(readErr, otherErr, briefErr, listErr); err != nil {
		t.Fatal(err)
	}
	wantImports(t, want, map[string]settings.Import{
		"created": created.Import, "read": read.Import, "started": other.Import,
	})
	short := settings.Import{Connection: want.Connection, Options: want.Options}
	short.Connection.CACertificate = ""
	wantImports(t, short, map[string]settings.Import{
		"updated": updated.Import, "lean": brief.Import, "listed": page.Runs[0].Import,
	})
	if read.State != run.Running || brief.State != run.Running ||
		brief.Fingerprint() != want.Fingerprint() || page.Runs[0].Fingerprint() != want.Fingerprint() {
		t.Errorf("read %s and %s; fingerprints differ from the whole settings'", read.State, brief.State)
	}
}

func wantImports(t *testing.T, want settings.Import, got map[string]settings.Import) {
	t.Helper()
	for what, i := range got {
		if diff := cmp.Diff(want, i, equalSecrets); diff != "" {
			t.Errorf("the %s run (-want +got):\n%.500s", what, diff)
		}
	}
}
