package runstest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

func looks(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if got, err := j.Looks(ctx); err != nil || !cmp.Equal(got, run.Looks{}) {
		t.Errorf("at first %+v, error %v", got, err)
	}
	want := run.Looks{
		Fingerprint: "f", Reason: "r", NewSince: Now, NextAt: Now.Add(time.Minute), LastAt: Now.Add(-time.Minute),
		Error: "e", RunID: "01J", Cursors: []run.Cursor{
			{By: "uSNChanged", Server: "7a1c", USN: 1 << 62}, {By: "entryCSN", Since: "2026", Seen: []byte{0, 255}},
		},
	}
	put := func(l run.Looks) func(*run.Looks) error {
		return func(stored *run.Looks) error {
			*stored = l
			return nil
		}
	}
	if got, err := j.UpdateLooks(ctx, put(want)); err != nil || !cmp.Equal(want, got) {
		t.Errorf("stored %+v, error %v", got, err)
	}
	if got, err := j.Looks(ctx); err != nil || !cmp.Equal(want, got) {
		t.Errorf("error %v, looks (-stored +read):\n%s", err, cmp.Diff(want, got))
	}
	if _, err := j.UpdateLooks(ctx, func(l *run.Looks) error {
		l.Error = ""
		return runs.ErrUnchanged
	}); !errors.Is(err, runs.ErrUnchanged) {
		t.Errorf("a change that ends it: error %v", err)
	}
	if got, _ := j.Looks(ctx); got.Error != "e" {
		t.Error("a change that ended its update was stored")
	}
	dueLooks(t, s, put)
}

func dueLooks(t *testing.T, s runs.Store, put func(run.Looks) func(*run.Looks) error) {
	ctx := t.Context()
	for account, at := range map[user.Account]time.Time{
		"now": Now, "long ago": Now.Add(-time.Hour), "later": Now.Add(time.Second), "never": {},
	} {
		if _, err := s.For(account).UpdateLooks(ctx, put(run.Looks{NextAt: at})); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int][]user.Account{10: {"long ago", "now"}, 1: {"long ago"}} {
		if got, err := s.DueLooks(ctx, Now, limit); err != nil || !cmp.Equal(want, got) {
			t.Errorf("due at limit %d: %q, error %v; want %q", limit, got, err, want)
		}
	}
	won := race(t, runs.ErrUnchanged, func(int) error {
		_, err := s.For("now").UpdateLooks(ctx, func(l *run.Looks) error {
			if l.NextAt.After(Now) {
				return runs.ErrUnchanged
			}
			l.NextAt = Now.Add(time.Minute)
			return nil
		})
		return err
	})
	if len(won) != 1 {
		t.Errorf("%d of %d took the look that was due, want 1", len(won), takers)
	}
	if due, err := s.DueLooks(ctx, Now, 10); err != nil || !cmp.Equal([]user.Account{"long ago"}, due) {
		t.Errorf("due after that: %q, error %v", due, err)
	}
}
