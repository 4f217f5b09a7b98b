package runstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

func told(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if got, err := j.Told(ctx); err != nil || !cmp.Equal(got, run.Told{}) {
		t.Errorf("at first %+v, error %v", got, err)
	}
	want := run.Told{
		State: run.Blocked, Since: Now, Syncs: 3, RunID: "01J", Fingerprint: "f", MailedAt: Now,
		Code: "c", ToldAt: Now, Digest: "d",
		Untold: []run.Untold{{ID: "01J/blocked", At: Now, Event: json.RawMessage(`{"id":"01J/blocked"}`), Edited: "k"}},
	}
	stored, err := j.UpdateTold(ctx, func(t *run.Told) error {
		*t = want
		return nil
	})
	if err != nil || !cmp.Equal(want, stored) {
		t.Errorf("stored %+v, error %v", stored, err)
	}
	if got, err := j.Told(ctx); err != nil || !cmp.Equal(want, got) {
		t.Errorf("error %v, told (-stored +read):\n%s", err, cmp.Diff(want, got))
	}
	if _, err := j.UpdateTold(ctx, func(t *run.Told) error {
		t.State = ""
		return runs.ErrUnchanged
	}); !errors.Is(err, runs.ErrUnchanged) {
		t.Errorf("a change that ends it: error %v", err)
	}
	if got, _ := j.Told(ctx); got.State != run.Blocked {
		t.Error("a change that ended its update was stored")
	}
	if got, err := s.For("other").Told(ctx); err != nil || !cmp.Equal(got, run.Told{}) {
		t.Errorf("another account has %+v, error %v", got, err)
	}
	// Nobody's note is lost.
	race(t, nil, func(i int) error {
		_, err := j.UpdateTold(ctx, func(t *run.Told) error {
			t.Untold = append(t.Untold, run.Untold{ID: fmt.Sprint(i), Event: json.RawMessage(`{}`)})
			return nil
		})
		return err
	})
	if got, err := j.Told(ctx); err != nil || len(got.Untold) != 1+takers {
		t.Errorf("%d events are noted after %d notes at once, error %v", len(got.Untold), takers, err)
	}
}
