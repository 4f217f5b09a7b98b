package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/queue/queuetest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

const garbage = "\x00damaged"

// damage writes garbage into a closed store, in place of the value that is under the last name below the buckets of the
// others.
func damage(t *testing.T, dir string, value string, path ...string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "rollcall.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(path[0]))
		for _, name := range path[1 : len(path)-1] {
			b = b.Bucket([]byte(name))
		}
		return b.Put([]byte(path[len(path)-1]), []byte(value))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kept returns the values that a closed store keeps as damaged, by the group they are in.
func kept(t *testing.T, dir string) map[string][]string {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "rollcall.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := make(map[string][]string)
	err = db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("damaged"))
		return b.ForEachBucket(func(group []byte) error {
			return b.Bucket(group).ForEach(func(name, v []byte) error {
				record, _, _ := strings.Cut(string(name), " ")
				all[string(group)] = append(all[string(group)], record+" "+string(v))
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// damagedStore is a store of two accounts with a due schedule, an overdue run and a key each, in which the records of
// acme were damaged. now is what its clock says.
func damagedStore(t *testing.T) (s *embedded.Store, dir string, now *time.Time) {
	t.Helper()
	dir = t.TempDir()
	at := time.Now()
	now = &at
	options := embedded.Options{Clock: func() time.Time { return *now }, Log: slog.New(slog.DiscardHandler)}
	s, err := embedded.Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []user.Account{"acme", "other"} {
		j := s.Jobs().For(account)
		due := &settings.Schedule{IntervalHours: 1, NextRunAt: at}
		run := run.Run{ID: "01J", Kind: run.KindSync, State: run.Queued, CreatedAt: at}
		key := runs.Key{Route: "r", Key: "k", RunID: "01J", At: at}
		_, settingsErr := j.PutSettings(t.Context(), settings.Saved{Schedule: due})
		_, runErr := j.CreateRun(t.Context(), run)
		_, keyErr := j.TakeKey(t.Context(), key)
		if err := errors.Join(settingsErr, runErr, keyErr); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, dir, garbage, "jobs", "=acme", "settings")
	damage(t, dir, "{}", "jobs", "=acme", "runs", "01J")
	damage(t, dir, garbage, "jobs", "=acme", "idempotency", "r\x00k")
	return open(t, dir, options), dir, now
}

func TestADamagedRecordHidesNoOthers(t *testing.T) {
	t.Parallel()
	s, dir, now := damagedStore(t)
	due, err := s.Jobs().Due(t.Context(), *now, 10)
	if !slices.Equal(due, []user.Account{"other"}) || err == nil || !strings.Contains(err.Error(), "acme") {
		t.Errorf("due %q, error %v; want the other account, and an error that names acme", due, err)
	}
	*now = now.Add(time.Hour)
	refs, err := s.Jobs().Overdue(t.Context(), *now, 10)
	want := []runs.Ref{{Account: "other", RunID: "01J"}}
	if !slices.Equal(refs, want) || err == nil || !strings.Contains(err.Error(), "acme") {
		t.Errorf("overdue %v, error %v; want %v, and an error that names acme", refs, err, want)
	}
	// Each is reported once, and the account can go on.
	due, dueErr := s.Jobs().Due(t.Context(), *now, 10)
	refs, overdueErr := s.Jobs().Overdue(t.Context(), *now, 10)
	if err := errors.Join(dueErr, overdueErr); err != nil || len(due) != 1 || len(refs) != 1 {
		t.Errorf("afterwards: due %q, overdue %v, error %v; want the other account's alone", due, refs, err)
	}
	acme := s.Jobs().For("acme")
	if _, err := acme.PutSettings(t.Context(), settings.Saved{}); err != nil {
		t.Errorf("acme cannot save settings: %v", err)
	}
	query := runs.Query{Kind: run.KindSync, Limit: 10}
	if page, err := acme.Runs(t.Context(), query); err != nil || len(page.Runs) != 0 {
		t.Errorf("acme has %d runs, error %v; want none", len(page.Runs), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := kept(t, dir)["=acme"]; !slices.Equal(got, []string{"runs/01J {}", "settings " + garbage}) {
		t.Errorf("kept %q, want the run and the settings as they were", got)
	}
}

func TestSweepGoesOnPastDamagedRecords(t *testing.T) {
	t.Parallel()
	s, dir, now := damagedStore(t)
	swept, err := s.Sweep(t.Context())
	if err == nil || !strings.Contains(err.Error(), "acme") || swept.SetAside != 2 {
		t.Errorf("%+v, error %v; want two records set aside, and an error that names acme", swept, err)
	}
	pass(t, s, now, 91*24*time.Hour)
	*now = now.Add(-91 * 24 * time.Hour)
	if _, err := s.Jobs().For("other").Run(t.Context(), "01J"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("the other account's old run is still there (error %v)", err)
	}
	if err := s.Erase(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := kept(t, dir)["=acme"]; !slices.Equal(got, []string{"idempotency/r\x00k " + garbage, "runs/01J {}"}) {
		t.Errorf("kept %q, want the run and the key as they were", got)
	}
}

func TestADamagedMessageStopsNobody(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*testing.T, *embedded.Queue) int{
		"handed out": func(*testing.T, *embedded.Queue) int { return 0 },
		"sent": func(t *testing.T, q *embedded.Queue) int {
			t.Helper()
			if err := q.Send(t.Context(), queuetest.Sync("third", "01J")); err != nil {
				t.Fatal(err)
			}
			return 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := embedded.Open(dir, embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Queue().Send(t.Context(), queuetest.Sync("other", "01J")); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, dir, garbage, "queue", "\x00\x00\x00\x00\x00\x00\x00\x00")
			damage(t, dir, `{"task":"sync","account":"acme","runId":""}`, "queue", "\x00\x00\x00\x00\x00\x00\x00\x09")
			damage(t, dir, `{"task":"sync","account":"acme","runId":"01J"}`, "queue", "odd")
			var log strings.Builder
			s = open(t, dir, embedded.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			wanted := 1 + first(t, s.Queue())
			handled := queuetest.Handled(t, s.Queue(), wanted, nil)
			if !slices.ContainsFunc(handled, func(m queue.Message) bool { return m.Account == "other" }) {
				t.Errorf("handled %+v, want the other account's message among them", handled)
			}
			if n := strings.Count(log.String(), "a message cannot be read"); n != 3 {
				t.Errorf("%d lines say that a message cannot be read, want 3:\n%s", n, log.String())
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := kept(t, dir)["queue"]; len(got) != 3 {
				t.Errorf("kept %q, want three messages", got)
			}
		})
	}
}

func TestErasingAnAccountTakesItsDamagedRecords(t *testing.T) {
	t.Parallel()
	s, dir, now := damagedStore(t)
	if _, err := s.Jobs().Due(t.Context(), *now, 10); err == nil {
		t.Fatal("nothing was damaged")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, dir, `{"account":"acme", damaged`, "queue", "odd")
	damage(t, dir, `{"account":"acme", damaged`, "dead", "odd")
	damage(t, dir, `{"account":"third", damaged`, "dead", "odder")
	s = open(t, dir, embedded.Options{Log: slog.New(slog.DiscardHandler)})
	if err := s.Erase(context.Background(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := kept(t, dir)
	if len(got["=acme"]) != 0 || !slices.Equal(got["queue"], []string{`odder {"account":"third", damaged`}) {
		t.Errorf("kept %q, want the third account's message alone", got)
	}
}
