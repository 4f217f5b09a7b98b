package dynamodb_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// script is an HTTP client that does to each call what its next line says, and lets the rest through.
type script struct {
	mu    sync.Mutex
	lines []func(*http.Request) (*http.Response, error)
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	line := s.lines[0]
	s.lines = s.lines[1:]
	return line(r)
}

// through lets a call through.
func through(r *http.Request) (*http.Response, error) { return http.DefaultTransport.RoundTrip(r) }

// lost does the call and loses its answer.
func lost(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// throttled refuses the call.
func throttled(r *http.Request) (*http.Response, error) {
	body := `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"busy"}`
	return &http.Response{
		StatusCode: http.StatusBadRequest, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}, nil
}

// then does the call, loses its answer, and lets something happen before the next attempt.
func then(what func()) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		defer what()
		return lost(r)
	}
}

// scripted is a client whose calls go through a script, beside one whose do not.
func scripted(t *testing.T) (*script, *dynamodb.Users, *dynamodb.Jobs, *dynamodb.Jobs) {
	t.Helper()
	plain, users, jobs := newTables(t, nil)
	config, s := server.Config(), new(script)
	config.HTTPClient = s
	client := dynamodb.NewClient(config)
	list, theirs := dynamodb.NewUsers(client, users, jobs), dynamodb.NewJobs(plain, jobs, nil)
	return s, list, dynamodb.NewJobs(client, jobs, nil), theirs
}

func TestWritesOfUsersWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	s, list, _, _ := scripted(t)
	u := list.For("acme")
	// The clock's times carry more than is stored: a reading of the monotonic clock.
	now := time.Now()
	ann := user.User{Key: "ann@example.com", Address: "ann@example.com", Kind: user.Primary,
		PrimaryAddress: "ann@example.com", Version: 5, CreatedAt: now, UpdatedAt: now}
	edited := ann
	edited.Version, edited.Protected = 6, true
	other := edited
	other.DN = "CN=Ann"
	for _, step := range []struct {
		name   string
		change users.Change
		fault  func(*http.Request) (*http.Response, error)
		want   users.Outcome
	}{
		{"added by hand", users.Change{Key: ann.Key, After: &ann}, lost, users.Applied},
		{"added by hand again", users.Change{Key: ann.Key, After: &ann}, throttled, users.Already},
		{"edited by hand", users.Change{Key: ann.Key, Expect: 5, After: &edited}, lost, users.Applied},
		{"edited by hand after somebody else", users.Change{Key: ann.Key, Expect: 5, After: &other}, lost,
			users.Conflict},
		{"removed", users.Change{Key: ann.Key, Expect: 6}, lost, users.Applied},
		{"removed again", users.Change{Key: ann.Key, Expect: 6}, throttled, users.Absent},
	} {
		s.lines = append(s.lines, step.fault)
		outcomes, err := u.Apply(t.Context(), users.Fence{}, []users.Change{step.change})
		if err != nil || outcomes[0] != step.want {
			t.Errorf("%s: outcome %v, error %v; want %d", step.name, outcomes, err, step.want)
		}
	}
}

func TestWritesOfRecordsWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	s, _, jobs, others := scripted(t)
	mine, theirs := jobs.For("acme"), others.For("acme")
	s.lines = append(s.lines, lost)
	if _, err := mine.CreateRun(t.Context(), run.Run{ID: "01JA", Kind: run.KindSync,
		CreatedAt: time.Now()}); err != nil {
		t.Error("a new run:", err)
	}
	count := func(j runs.Jobs) (run.Run, error) {
		return j.UpdateRun(t.Context(), "01JA", func(r *run.Run) error { r.Attempts++; return nil })
	}
	meanwhile := func() {
		if _, err := count(theirs); err != nil {
			t.Error(err)
		}
	}
	s.lines = append(s.lines, through, then(meanwhile))
	if r, err := count(mine); err != nil || r.Attempts != 1 {
		t.Errorf("an update gives %d attempts, error %v; want 1", r.Attempts, err)
	}
	if r, err := mine.Run(t.Context(), "01JA"); err != nil || r.Attempts != 2 {
		t.Errorf("after two updates %d attempts, error %v", r.Attempts, err)
	}
	s.lines = append(s.lines, through, lost)
	first, err := mine.PutSettings(t.Context(), settings.Saved{UpdatedBy: "ann"})
	if err != nil {
		t.Error("first settings:", err)
	}
	s.lines = append(s.lines, through, lost, lost)
	if _, err := mine.TakeSlot(t.Context(), first, run.Run{ID: "01JB", Kind: run.KindSync,
		CreatedAt: time.Now()}); err != nil {
		t.Error("a slot:", err)
	}
	preview, err := mine.CreateRun(t.Context(), run.Run{ID: "01JP", Kind: run.KindPreview, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s.lines = append(s.lines, through, lost, lost)
	if _, err := mine.UsePreview(t.Context(), preview,
		run.Run{ID: "01JC", Kind: run.KindSync, CreatedAt: time.Now()}); err != nil {
		t.Error("a preview:", err)
	}
	if first, err = theirs.Settings(t.Context()); err != nil {
		t.Error(err)
	}
	// Settings that somebody saves after ours were deleted are not deleted with them.
	s.lines = append(s.lines, through, then(func() {
		if _, err := theirs.PutSettings(t.Context(), settings.Saved{UpdatedBy: "bob"}); err != nil {
			t.Error(err)
		}
	}))
	if err := mine.DeleteSettings(t.Context(), first); err != nil {
		t.Error("deleting ann's settings:", err)
	}
	if left, err := mine.Settings(t.Context()); err != nil || left.UpdatedBy != "bob" {
		t.Errorf("the settings are those of %q, error %v; want bob's", left.UpdatedBy, err)
	}
	left, err := theirs.Settings(t.Context())
	if err != nil {
		t.Error(err)
	}
	s.lines = append(s.lines, through, lost)
	if err := mine.DeleteSettings(t.Context(), left); err != nil {
		t.Error("deleting the settings:", err)
	}
	if err := mine.DeleteSettings(t.Context(), left); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("deleting none: %v, want %v", err, runs.ErrNotFound)
	}
	if len(s.lines) > 0 {
		t.Errorf("%d lines of the script are left: the calls are others than this test thinks", len(s.lines))
	}
}

// TestNoWriteIsSentOnceTheLeaseIsOver has leases that end before a write, and between its signing and its sending.
func TestNoWriteIsSentOnceTheLeaseIsOver(t *testing.T) {
	t.Parallel()
	client, table, _ := newTables(t, nil)
	u := dynamodb.NewUsers(client, table, "").For("acme")
	ann := user.User{Key: "ann@example.com", Address: "ann@example.com", Version: 1}
	for name, test := range map[string]struct {
		until []time.Duration
		want  error
	}{
		"lasts":                            {[]time.Duration{time.Minute, time.Minute}, nil},
		"over":                             {[]time.Duration{-time.Second, -time.Second}, users.ErrFenced},
		"over when the request is sent":    {[]time.Duration{time.Minute, -time.Second}, users.ErrFenced},
		"over when its body is sent":       {[]time.Duration{time.Minute, time.Minute, -time.Second}, users.ErrFenced},
		"over before an answer could come": {[]time.Duration{time.Nanosecond, time.Nanosecond}, users.ErrFenced},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			fence := users.Fence{RunID: "01J", Attempt: 1, Until: func() time.Time {
				left := test.until[min(int(asked.Add(1)), len(test.until))-1]
				return time.Now().Add(left)
			}}
			key := ann
			key.Key = strings.ReplaceAll(name, " ", "-") + "@example.com"
			_, err := u.Apply(t.Context(), fence, []users.Change{{Key: key.Key, After: &key}})
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if _, err := u.Get(t.Context(), key.Key); (err == nil) != (test.want == nil) {
				t.Errorf("read of the user: error %v", err)
			}
		})
	}
}

// TestANumberWhoseAnswerWasLost is put once, by the call that lost it, and is taken for any other.
func TestANumberWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	plain, _, jobs := newTables(t, nil)
	config, s := server.Config(), new(script)
	config.HTTPClient = s
	ours := dynamodb.NewConnectors(dynamodb.NewClient(config), jobs, nil).For("acme")
	theirs := dynamodb.NewConnectors(plain, jobs, nil).For("acme")
	until := time.Now().Add(time.Hour)
	s.lines = []func(*http.Request) (*http.Response, error){lost}
	if err := ours.Number(t.Context(), "set", "1", 1, until); err != nil {
		t.Errorf("the call whose answer was lost: %v", err)
	}
	if err := theirs.Number(t.Context(), "set", "1", 1, until); !errors.Is(err, connectors.ErrTaken) {
		t.Errorf("the same number again: error %v", err)
	}
	if err := theirs.Number(t.Context(), "set", "2", 1, until); !errors.Is(err, connectors.ErrFull) {
		t.Errorf("another number of a full set: error %v", err)
	}
}
