package embedded_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// history is a store with a run, whose clock is *now.
func history(t *testing.T, now *time.Time, log io.Writer) (s *embedded.Store, dir, id string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s = open(t, dir, embedded.Options{
		Clock: func() time.Time { return *now }, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	r := run.Run{ID: s.NewID(), Kind: run.KindSync, State: run.Done, CreatedAt: *now}
	if _, err := s.Jobs().For("acme").CreateRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return s, dir, r.ID
}

func TestAClockFarAheadDeletesNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	right := now
	var log strings.Builder
	s, _, id := history(t, &now, &log)
	sweep := func(at time.Time) embedded.Swept {
		t.Helper()
		now = at
		swept, err := s.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return swept
	}
	ahead := right.Add(100 * 24 * time.Hour)
	const hour = time.Hour
	for _, at := range []time.Time{right, ahead, ahead.Add(23 * hour), right.Add(hour), ahead.Add(25 * hour)} {
		if swept := sweep(at); swept != (embedded.Swept{}) {
			t.Errorf("at %s %+v was deleted, want nothing", at, swept)
		}
	}
	if !strings.Contains(log.String(), "the clock is far ahead") {
		t.Errorf("the log does not say that the clock is far ahead: %s", log.String())
	}
	now = right
	if _, err := s.Jobs().For("acme").Run(t.Context(), id); err != nil {
		t.Errorf("the run is gone: %v", err)
	}
	// A clock that stays so is right: the machine was off.
	if swept := sweep(ahead.Add(49 * time.Hour)); swept.Runs != 1 {
		t.Errorf("a day later %+v was deleted, want the run", swept)
	}
	if !strings.Contains(log.String(), "runs=1") {
		t.Errorf("the log does not say what was deleted: %s", log.String())
	}
}

// TestAClockThatWasBehindDeletesNothing has a clock that starts behind, is set right, and is set far ahead.
func TestAClockThatWasBehindDeletesNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	right := now
	s, _, _ := history(t, &now, io.Discard)
	const day = 24 * time.Hour
	for _, days := range []time.Duration{0, -30, 0, 100, 200} {
		now = right.Add(days * day)
		if swept, err := s.Sweep(t.Context()); err != nil || swept != (embedded.Swept{}) {
			t.Errorf("%d days ahead %+v was deleted, error %v; want nothing", days, swept, err)
		}
	}
}

// TestAClockFarAheadDeletesNothingOfOldData opens data that has no time of its own, as version 0.4 left it.
func TestAClockFarAheadDeletesNothingOfOldData(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, dir, _ := history(t, &now, io.Discard)
	err := errors.Join(s.Close(), inMeta(dir, func(meta *bolt.Bucket) error { return meta.Delete([]byte("time")) }))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(100 * 24 * time.Hour)
	s = open(t, dir, embedded.Options{Clock: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if swept, err := s.Sweep(t.Context()); err != nil || swept != (embedded.Swept{}) {
		t.Errorf("%+v was deleted, error %v; want nothing", swept, err)
	}
}

func TestIDsAreNewerThanAllThatAreStored(t *testing.T) {
	t.Parallel()
	now := time.Now()
	right := now
	now = right.Add(400 * 24 * time.Hour)
	s, dir, last := history(t, &now, io.Discard)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = right
	s = open(t, dir, embedded.Options{Clock: func() time.Time { return now }})
	for range 100 {
		id := s.NewID()
		if _, err := ulid.ParseStrict(id); err != nil || id <= last {
			t.Fatalf("id %s after %s, error %v", id, last, err)
		}
		last = id
	}
	entry := runs.AuditEntry{ID: last, At: now}
	_, err := s.Jobs().For("other").PutSettings(t.Context(), settings.Saved{}, entry)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, embedded.Options{Clock: func() time.Time { return now }})
	if id := s.NewID(); id <= last {
		t.Errorf("id %s after that of an audit entry, %s", id, last)
	}
}

// TestAScheduleFarAheadIsLookedAt has Due return a schedule that only a wrong clock can have set.
func TestAScheduleFarAheadIsLookedAt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, _, _ := history(t, &now, io.Discard)
	for ahead, want := range map[time.Duration]int{6 * time.Hour: 0, 7 * time.Hour: 0, 8 * time.Hour: 1} {
		saved, err := s.Jobs().For("acme").Settings(t.Context())
		if err != nil && !errors.Is(err, runs.ErrNotFound) {
			t.Fatal(err)
		}
		saved.Schedule = &settings.Schedule{IntervalHours: 6, NextRunAt: now.Add(ahead)}
		if _, err := s.Jobs().For("acme").PutSettings(t.Context(), saved); err != nil {
			t.Fatal(err)
		}
		if due, err := s.Jobs().Due(t.Context(), now, 5); err != nil || len(due) != want {
			t.Errorf("%s ahead: due %q, error %v; want %d", ahead, due, err, want)
		}
	}
}

func TestFilesWhoseRunIsGoneAreSwept(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, dir, id := history(t, &now, io.Discard)
	o := s.Objects().For("acme")
	for _, key := range []string{"journals/" + id + ".1", "journals/" + id + ".1.conflicts.0", "journals/gone.1"} {
		if err := o.Put(t.Context(), key, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	pass(t, s, &now, 25*time.Hour)
	files, err := os.ReadDir(filepath.Join(dir, "objects", "a-YWNtZQ", "journals"))
	if err != nil || len(files) != 2 || !strings.HasPrefix(files[0].Name(), id) {
		t.Errorf("%v are left, error %v; want the two of the stored run", files, err)
	}
}
