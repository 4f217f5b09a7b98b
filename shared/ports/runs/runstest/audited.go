package runstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// audited writes settings and runs with entries, and finds those of the writes that took place and no others.
func audited(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	entry := func(id string) runs.AuditEntry {
		return runs.AuditEntry{ID: id, At: Now, By: "ann", Action: runs.SettingsSaved, Subject: "settings"}
	}
	var want []string
	check := func(name, id string, err, wanted error) {
		t.Helper()
		if !errors.Is(err, wanted) {
			t.Errorf("%s: error %v, want %v", name, err, wanted)
		}
		if wanted == nil {
			want = append([]string{id}, want...)
		}
		page, err := j.AuditLog(ctx, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Entries {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the audit log (-want +got):\n%s", name, diff)
		}
	}
	errStop := errors.New("stop")
	first, err := j.PutSettings(ctx, sampleSettings(), entry("01J0"))
	check("a first save", "01J0", err, nil)
	_, err = j.PutSettings(ctx, sampleSettings(), entry("01J1"))
	check("a second first save", "01J1", err, runs.ErrConflict)
	second, err := j.PutSettings(ctx, first, entry("01J2"))
	check("a second save", "01J2", err, nil)
	_, err = j.PutSettings(ctx, first, entry("01J3"))
	check("a save of an old revision", "01J3", err, runs.ErrConflict)
	created, err := j.CreateRun(ctx, newRun("01JA", run.KindPreview), entry("01J4"))
	check("a run", "01J4", err, nil)
	_, err = j.CreateRun(ctx, newRun("01JA", run.KindPreview), entry("01J5"))
	check("the same run again", "01J5", err, runs.ErrConflict)
	changed, err := j.EditRun(ctx, created.ID, func(r *run.Run) ([]runs.AuditEntry, error) {
		r.CancelRequested = true
		return []runs.AuditEntry{entry("01J51")}, nil
	})
	check("a change of a run", "01J51", err, nil)
	_, err = j.EditRun(ctx, created.ID, func(r *run.Run) ([]runs.AuditEntry, error) {
		r.CancelRequested = false
		return []runs.AuditEntry{entry("01J52")}, errStop
	})
	check("a change of a run that is given up", "01J52", err, errStop)
	_, err = j.EditRun(ctx, "01JX", func(*run.Run) ([]runs.AuditEntry, error) { return nil, nil })
	check("a change of a run that is not stored", "01J53", err, runs.ErrNotFound)
	if got, err := j.Run(ctx, "01JA"); err != nil || !got.CancelRequested || got.Revision != changed.Revision {
		t.Errorf("after a change the run is %+v, error %v", got, err)
	}
	check("deleting an old revision", "01J6", j.DeleteSettings(ctx, first, entry("01J6")), runs.ErrConflict)
	check("deleting", "01J7", j.DeleteSettings(ctx, second, entry("01J7")), nil)
	check("deleting none", "01J8", j.DeleteSettings(ctx, second, entry("01J8")), runs.ErrNotFound)
	if _, err := j.Settings(ctx); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("after deleting: error %v", err)
	}

	// What comes together in one step is stored whole, also near the limit of a record.
	large := sampleSettings()
	large.Advanced.Exclude = slices.Repeat([]string{strings.Repeat("x", 60) + "@example.com"}, 3400)
	e := entry("01J9")
	e.Details = map[string]string{"advanced.exclude": strings.Repeat("ä", 1500)}
	_, err = j.PutSettings(ctx, large, e)
	check("large settings", "01J9", err, nil)
}

// raceSettings lets several save the settings that all of them read, each with an entry.
func raceSettings(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	first, err := j.PutSettings(ctx, sampleSettings())
	if err != nil {
		t.Fatal(err)
	}
	won := race(t, runs.ErrConflict, func(i int) error {
		mine := first
		mine.UpdatedBy = fmt.Sprint(i)
		_, err := j.PutSettings(ctx, mine, runs.AuditEntry{ID: fmt.Sprint("01J", i), At: Now, By: mine.UpdatedBy})
		return err
	})
	page, err := j.AuditLog(ctx, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var stored settings.Saved
	if stored, err = j.Settings(ctx); err != nil {
		t.Fatal(err)
	}
	if len(won) != 1 || len(page.Entries) != 1 || page.Entries[0].By != stored.UpdatedBy {
		t.Errorf("%d of %d saves succeeded; the log is %+v and the settings are by %s; want one, in both",
			len(won), takers, page.Entries, stored.UpdatedBy)
	}
}
