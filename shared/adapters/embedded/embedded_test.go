package embedded_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/ports/connectors/connectorstest"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/objects/objectstest"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/queue/queuetest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/runs/runstest"
	"rollcall/shared/ports/users"
	"rollcall/shared/ports/users/userstest"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret/secrettest"
	"rollcall/shared/user"
)

func open(t testing.TB, dir string, o embedded.Options) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("users", func(t *testing.T) {
		t.Parallel()
		userstest.Run(t, func(t *testing.T) users.Store { return open(t, t.TempDir(), embedded.Options{}).Users() })
		userstest.RunEdits(t, func(t *testing.T) (users.Store, runs.Store) {
			s := open(t, t.TempDir(), embedded.Options{})
			return s.Users(), s.Jobs()
		})
	})
	t.Run("jobs", func(t *testing.T) {
		t.Parallel()
		runstest.Run(t, func(t *testing.T, now func() time.Time) runs.Store {
			return open(t, t.TempDir(), embedded.Options{Clock: now}).Jobs()
		})
	})
	t.Run("connectors", func(t *testing.T) {
		t.Parallel()
		connectorstest.Run(t, func(t *testing.T, now func() time.Time) connectorstest.Stores {
			s := open(t, t.TempDir(), embedded.Options{Clock: now})
			return connectorstest.Stores{Connectors: s.Connectors(), Jobs: s.Jobs(), Erase: s.Erase}
		})
	})
	t.Run("objects", func(t *testing.T) {
		t.Parallel()
		objectstest.Run(t, func(t *testing.T) (objects.Store, http.Handler) {
			s := served(t, nil)
			return s.Objects(), s.UploadHandler()
		})
	})
	t.Run("queue", func(t *testing.T) {
		t.Parallel()
		queuetest.Run(t, func(t *testing.T) queuetest.Queue { return open(t, t.TempDir(), embedded.Options{}).Queue() })
	})
	t.Run("sealer", func(t *testing.T) {
		t.Parallel()
		s := open(t, t.TempDir(), embedded.Options{})
		secrettest.Run(t, s.Sealer(), s.Sealer())
	})
}

// served is a store whose download links work. clock may be nil.
func served(t *testing.T, clock func() time.Time) *embedded.Store {
	t.Helper()
	var base string
	s := open(t, t.TempDir(), embedded.Options{Clock: clock, BaseURL: func() string { return base }})
	server := httptest.NewServer(s.DownloadHandler())
	t.Cleanup(server.Close)
	base = server.URL
	return s
}

func TestLinksExpireAndCannotBeChanged(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := served(t, func() time.Time { return now })
	o := s.Objects().For("acme")
	for _, key := range []string{"csv/a.csv", "plans/secret"} {
		write := func(w io.Writer) error { _, err := io.WriteString(w, key); return err }
		if err := o.Put(t.Context(), key, write); err != nil {
			t.Fatal(err)
		}
	}
	link, _, err := o.Link(t.Context(), "csv/a.csv", "a.csv", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	status := func(link string) int {
		t.Helper()
		resp, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := status(link); got != http.StatusOK {
		t.Errorf("a good link answers %d", got)
	}
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*url.URL, url.Values){
		"path": func(u *url.URL, _ url.Values) {
			u.Path = strings.Replace(u.Path, "csv/a.csv", "plans/secret", 1)
		},
		"name":         func(_ *url.URL, q url.Values) { q.Set("name", "b.csv") },
		"expiry":       func(_ *url.URL, q url.Values) { q.Set("expires", "99999999999") },
		"signature":    func(_ *url.URL, q url.Values) { q.Set("signature", strings.ToUpper(q.Get("signature"))) },
		"no signature": func(_ *url.URL, q url.Values) { q.Del("signature") },
	} {
		changed, query := *parsed, parsed.Query()
		change(&changed, query)
		changed.RawQuery = query.Encode()
		if got := status(changed.String()); got != http.StatusForbidden {
			t.Errorf("%s changed: status %d, want 403", name, got)
		}
	}
	now = now.Add(time.Hour)
	if got := status(link); got != http.StatusForbidden {
		t.Errorf("after an hour: status %d, want 403", got)
	}
}

func TestReopeningKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(dir, embedded.Options{}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("a second process: error %v, want %v", err, embedded.ErrInUse)
	}
	u := user.User{Key: "a@example.com", Version: 1}
	change := []users.Change{{Key: u.Key, After: &u}}
	if _, err := s.Users().For("acme").Apply(t.Context(), users.Fence{}, change); err != nil {
		t.Fatal(err)
	}
	if err := s.Queue().Send(t.Context(), queuetest.Sync("acme", "01J")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, embedded.Options{})
	if _, err := s.Users().For("acme").Get(t.Context(), u.Key); err != nil {
		t.Error(err)
	}
	if got := queuetest.Handled(t, s.Queue(), 1, nil); got[0].RunID != "01J" {
		t.Errorf("the message came back as %+v", got[0])
	}
}

func TestKeysThatOthersCanReadAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "keys")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v, error %v; want 0600", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(dir, embedded.Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error %v, want one that says chmod 600", err)
	}
}

// pass lets time pass and sweeps meanwhile: a clock that jumps is not believed.
func pass(t *testing.T, s *embedded.Store, now *time.Time, d time.Duration) {
	t.Helper()
	const step = 6 * 24 * time.Hour
	for ; d > step; d -= step {
		*now = now.Add(step)
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	*now = now.Add(d)
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSweepKeepsWhatIsNotOver(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := open(t, t.TempDir(), embedded.Options{Clock: func() time.Time { return now }})
	o := s.Objects().For("acme")
	keys := []string{"plans/a", "csv/a.csv", "journals/a"}
	for _, key := range keys {
		if err := o.Put(t.Context(), key, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	r := run.Run{ID: "a", Kind: run.KindSync, State: run.Done, CreatedAt: now}
	if _, err := s.Jobs().For("acme").CreateRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	left := func(after time.Duration) []string {
		t.Helper()
		pass(t, s, &now, after)
		var there []string
		for _, key := range keys {
			if object, err := o.Open(t.Context(), key); err == nil {
				object.Close()
				there = append(there, key)
			}
		}
		return there
	}
	if got := left(23 * time.Hour); len(got) != 3 {
		t.Errorf("after 23 hours %q are left, want all", got)
	}
	if got := left(2 * time.Hour); !slices.Equal(got, []string{"plans/a", "journals/a"}) {
		t.Errorf("after 25 hours %q are left, want the journal, and the plan for syncs that wait", got)
	}
	if got := left(6 * time.Hour); !slices.Equal(got, []string{"journals/a"}) {
		t.Errorf("after 31 hours %q are left, want the journal", got)
	}
	if got := left(90 * 24 * time.Hour); got != nil {
		t.Errorf("after 91 days %q are left, want none", got)
	}
}

func TestSweepForgetsOldRecords(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := open(t, t.TempDir(), embedded.Options{Clock: func() time.Time { return now }})
	j := s.Jobs().For("acme")
	for id, kind := range map[string]run.Kind{
		"01JP": run.KindPreview, "01JS": run.KindSync, "01JX": run.KindExplanation,
	} {
		r := run.Run{ID: id, Kind: kind, State: run.Done, CreatedAt: now}
		if _, err := j.CreateRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	entry := runs.AuditEntry{ID: "01JA", At: now, Action: "settings.saved"}
	if _, err := j.PutSettings(t.Context(), settings.Saved{}, entry); err != nil {
		t.Fatal(err)
	}
	pass(t, s, &now, 25*time.Hour)
	now = now.Add(-25 * time.Hour)
	if _, err := j.Run(t.Context(), "01JP"); err != nil {
		t.Errorf("a run's record is gone after 25 hours: %v", err)
	}
	if _, err := j.Run(t.Context(), "01JX"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("an explanation is still stored after 25 hours: %v", err)
	}
	now = now.Add(25 * time.Hour)
	if log, err := j.AuditLog(t.Context(), "", 5); err != nil || len(log.Entries) != 1 {
		t.Errorf("%d audit entries after 25 hours, error %v; want 1", len(log.Entries), err)
	}
	pass(t, s, &now, 90*24*time.Hour)
	if log, err := j.AuditLog(t.Context(), "", 5); err != nil || len(log.Entries) != 0 {
		t.Errorf("%d audit entries after 91 days, error %v; want none", len(log.Entries), err)
	}
	now = now.Add(-90 * 24 * time.Hour)
	for _, id := range []string{"01JP", "01JS"} {
		if _, err := j.Run(t.Context(), id); !errors.Is(err, runs.ErrNotFound) {
			t.Errorf("run %s is still stored: %v", id, err)
		}
	}
	if page, err := j.Runs(t.Context(), runs.Query{Kind: run.KindSync, Limit: 5}); err != nil || len(page.Runs) != 0 {
		t.Errorf("%d runs are listed, error %v", len(page.Runs), err)
	}
}

func TestSweepForgetsDeadMessagesOfRunsThatAreGone(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, dir, id := history(t, &now, io.Discard)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for n, run := range []string{id, "gone"} {
		message := fmt.Sprintf(`{"task":"sync","account":"acme","runId":%q,"deliveries":8}`, run)
		damage(t, dir, message, "dead", string(binary.BigEndian.AppendUint64(nil, uint64(n))))
	}
	s = open(t, dir, embedded.Options{Clock: func() time.Time { return now }})
	swept, err := s.Sweep(t.Context())
	if err != nil || swept.Messages != 1 {
		t.Errorf("%d messages are deleted, error %v; want the one whose run is gone", swept.Messages, err)
	}
	if state, err := s.State(); err != nil || state.DeadMessages != 1 {
		t.Errorf("%d messages are left, error %v; want 1", state.DeadMessages, err)
	}
}

func TestSweepForgetsIdempotencyKeys(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := open(t, t.TempDir(), embedded.Options{Clock: func() time.Time { return now }})
	j := s.Jobs().For("acme")
	take := func(k runs.Key, run string, at time.Time) string {
		t.Helper()
		k.RunID, k.At = run, at
		got, err := j.TakeKey(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		return got.RunID
	}
	old, fresh := runs.Key{Route: "r", Key: "k", Request: "a plain hash"}, runs.NewKey("r", "k", nil)
	take(old, "01J1", now)
	take(fresh, "01J1", now)
	pass(t, s, &now, 0)
	if got := take(old, "01J2", now); got != "01J2" {
		t.Errorf("a record of an earlier build still stands for %s", got)
	}
	if got := take(fresh, "01J2", now); got != "01J1" {
		t.Errorf("a fresh record was swept: the key stands for %s", got)
	}
	// The store itself would renew a record that is a day old: the time of its use shows whether it is there.
	earlier := now
	pass(t, s, &now, 25*time.Hour)
	if got := take(fresh, "01J3", earlier); got != "01J3" {
		t.Errorf("a record a day old still stands for %s", got)
	}
}

// TestACopyTakenTwiceLeavesNothingBehind copies as a sync does that died after the copy and before it noted it.
func TestACopyTakenTwiceLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := open(t, dir, embedded.Options{}).Objects().For("acme")
	if err := o.Put(t.Context(), "plans/a", func(w io.Writer) error {
		_, err := io.WriteString(w, "a plan")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.Copy(t.Context(), "plans/a", "journals/a"); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "objects", "*", "journals", "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("the journals' folder has %q, error %v", files, err)
	}
	// The copy stays when the plan goes.
	if err := o.Delete(t.Context(), "plans/a"); err != nil {
		t.Fatal(err)
	}
	object, err := o.Open(t.Context(), "journals/a")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if object.Size() != int64(len("a plan")) {
		t.Errorf("the copy has %d bytes", object.Size())
	}
}

// benchUsers are the rows of a first sync.
func benchUsers(n int) []users.Change {
	at := time.Now()
	changes := make([]users.Change, n)
	for i := range changes {
		address := fmt.Sprintf("user%06d@example.com", i)
		changes[i] = users.Change{Key: address, After: &user.User{
			Key: address, Address: address, Kind: user.Primary, PrimaryAddress: address, Type: user.TypeUser,
			Source: user.FromDirectory, DirectoryID: "dc=example,dc=com",
			SourceID: fmt.Sprintf("7a1c0000-0000-0000-0000-%012d", i),
			DN:       "CN=" + address + ",OU=Staff,DC=example,DC=com", HeldSpamReport: user.ReportOff,
			Version: at.UnixMilli(), LastRunID: "01J0000000000000000000RUN1", CreatedAt: at, UpdatedAt: at,
		}}
	}
	return changes
}

const (
	benchRows  = 100_000
	benchBatch = 1024
)

func BenchmarkFirstSync(b *testing.B) {
	changes := benchUsers(benchRows)
	for range b.N {
		b.StopTimer()
		u := open(b, b.TempDir(), embedded.Options{}).Users().For("acme")
		b.StartTimer()
		for part := range slices.Chunk(changes, benchBatch) {
			if _, err := u.Apply(b.Context(), users.Fence{}, part); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkRawWrites is the peer of BenchmarkFirstSync: the database's own batched writes of as many bytes.
func BenchmarkRawWrites(b *testing.B) {
	changes := benchUsers(benchRows)
	value := make([]byte, 155)
	for range b.N {
		b.StopTimer()
		db, err := bolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for part := range slices.Chunk(changes, benchBatch) {
			if err := db.Update(func(tx *bolt.Tx) error {
				bucket, err := tx.CreateBucketIfNotExists([]byte("users"))
				if err != nil {
					return err
				}
				for _, c := range part {
					if err := bucket.Put([]byte(c.Key), value); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		db.Close()
		b.StartTimer()
	}
}

// TestBusyWorkersLeaveExplanations has every worker wait for a directory that says nothing.
func TestBusyWorkersLeaveExplanations(t *testing.T) {
	t.Parallel()
	const workers = 4
	q := open(t, t.TempDir(), embedded.Options{Workers: workers}).Queue()
	for n := range workers + 1 {
		m := queue.Message{Task: queue.TaskPreview, Account: user.Account(fmt.Sprint(n)), RunID: "01J"}
		if n == workers {
			m.Task = queue.TaskExplanation
		}
		if err := q.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := q.Run(ctx, func(ctx context.Context, m queue.Message) error {
		if m.Task == queue.TaskExplanation {
			cancel()
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("error %v, and the explanation waited: %v", err, ctx.Err())
	}
}

// TestSilentAccountsLeaveWorkers has more accounts wait for their directories than a store had workers by default.
func TestSilentAccountsLeaveWorkers(t *testing.T) {
	t.Parallel()
	const silent = 6
	q := open(t, t.TempDir(), embedded.Options{Workers: silent + 1}).Queue()
	for n := range silent + 1 {
		if err := q.Send(t.Context(), queuetest.Sync(user.Account(fmt.Sprint(n)), "01J")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := q.Run(ctx, func(ctx context.Context, m queue.Message) error {
		if m.Account != user.Account(fmt.Sprint(silent)) {
			<-ctx.Done()
			return ctx.Err()
		}
		cancel()
		return nil
	})
	if err != nil || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("error %v, and the last account waited: %v", err, ctx.Err())
	}
}

// TestAnEditIsDoneBesideAWorkerThatWritesWithoutAPause cancels a run whose worker stores its progress all the time.
func TestAnEditIsDoneBesideAWorkerThatWritesWithoutAPause(t *testing.T) {
	t.Parallel()
	jobs := open(t, t.TempDir(), embedded.Options{}).Jobs().For("acme")
	r := run.Run{ID: "01J", Kind: run.KindSync, State: run.Running, CreatedAt: time.Now()}
	if _, err := jobs.CreateRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	done, worker := make(chan struct{}), make(chan error)
	go func() {
		for {
			_, err := jobs.UpdateRun(context.Background(), "01J", func(r *run.Run) error {
				r.Progress.Applied++
				return nil
			})
			select {
			case <-done:
				worker <- err
				return
			default:
			}
		}
	}()
	for range 20 {
		if _, err := jobs.EditRun(t.Context(), "01J", func(r *run.Run) ([]runs.AuditEntry, error) {
			r.CancelRequested = true
			return nil, nil
		}); err != nil {
			t.Errorf("edit the run: %v", err)
			break
		}
	}
	close(done)
	if err := <-worker; err != nil {
		t.Error(err)
	}
}
