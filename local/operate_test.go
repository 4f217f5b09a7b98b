package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/shared/api"
	"rollcall/shared/user"
)

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// get asks for a path with an account that the API refuses, and returns the answer.
func (c *caller) get(path string) (body string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set(api.AccountHeader, strings.Repeat("x", user.MaxAccount+1))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("GET %s: status %d, error %v", path, response.StatusCode, err)
	}
	return string(content)
}

func TestWhatOperatorsAskFor(t *testing.T) {
	t.Parallel()
	data, log := filepath.Join(t.TempDir(), "data"), new(logBuffer)
	c := startWith(t, config{
		data: data, demo: true, hour: time.Hour, log: slog.New(slog.NewTextHandler(log, nil)),
	})
	c.account = "acme"
	body := demoBody(t, data, "exchange")
	preview := c.send(202, "POST", "/v1/previews", body)["id"].(string)
	c.wait("/v1/previews/" + preview)
	c.send(404, "GET", "/v1/previews/no-such-preview", nil)
	c.send(404, "GET", "/v1/no-such-route", nil)
	if answer := c.get("/healthz"); answer != `{"status":"ok"}`+"\n" {
		t.Errorf("health: %s", answer)
	}
	if answer := c.get("/version"); !strings.Contains(answer, `"version":"`) ||
		!strings.Contains(answer, `"go":"go1.`) {
		t.Errorf("version: %s", answer)
	}
	// A run is counted a moment after it is shown as ended.
	answer := c.get("/metrics")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) &&
		!strings.Contains(answer, "rollcall_runs_total{"); answer = c.get("/metrics") {
		time.Sleep(20 * time.Millisecond)
	}
	for _, line := range []string{
		`rollcall_requests_total{method="POST",route="/v1/previews",status="202"} 1`,
		`rollcall_requests_total{method="GET",route="/v1/previews/{id}",status="404"} 1`,
		`rollcall_requests_total{method="GET",route="other",status="404"} 1`,
		`rollcall_runs_total{kind="preview",state="done"} 1`,
		`rollcall_queue_messages{queue="syncs"} 0`, `rollcall_store_up 1`,
	} {
		if !strings.Contains(answer, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	const label = `[a-z]+="[^"]*"`
	sample := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{` + label + `(,` + label + `)*\})? [0-9.e+-]+)$`)
	for line := range strings.Lines(answer) {
		if !sample.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("this is no line of Prometheus's format: %q", line)
		}
	}
	for _, want := range []string{"msg=started", "runsResumed=0", "messagesWaiting=0",
		"path=/v1/previews account=acme status=202"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// TestFailuresAreCountedByAccount has more accounts fail than have a number of their own.
func TestFailuresAreCountedByAccount(t *testing.T) {
	t.Parallel()
	m := newMetrics(time.Now(), nil)
	for range 3 {
		m.failed(t.Context(), `a"b\c`)
	}
	for i := range 2 * maxFailing {
		m.failed(t.Context(), user.Account(fmt.Sprint("account", i)))
	}
	var text strings.Builder
	m.write(&text)
	for _, line := range []string{
		`rollcall_account_failures_total{account="a\"b\\c"} 3`, `rollcall_account_failures_total{account="account0"} 1`,
		fmt.Sprintf(`rollcall_account_failures_total{account=""} %d`, maxFailing+1),
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("the metrics lack %s:\n%s", line, text.String())
		}
	}
	if n := strings.Count(text.String(), "\nrollcall_account_failures_total{"); n != maxFailing+1 {
		t.Errorf("%d accounts are told apart, want %d and the others together", n, maxFailing)
	}
}

// TestASlowClientHoldsUpNoStop ends a server to which a client sends half a request.
func TestASlowClientHoldsUpNoStop(t *testing.T) {
	t.Parallel()
	var began time.Time
	// The server ends, without an error, with the test within.
	t.Run("serve", func(t *testing.T) {
		c := start(t, filepath.Join(t.TempDir(), "data"))
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		host := strings.TrimPrefix(c.base, "http://")
		_, err = fmt.Fprintf(conn, "POST /v1/previews HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
			"Content-Length: 1000\r\n\r\n{", host)
		if err != nil {
			t.Fatal(err)
		}
		// A request that was answered was read after the other one.
		c.send(200, "GET", "/v1/users", nil)
		began = time.Now()
	})
	if took := time.Since(began); took > drainTime+stopTime {
		t.Errorf("stopping took %s", took)
	}
}

func TestWorkersFor(t *testing.T) {
	t.Parallel()
	for memory, want := range map[int64]int{512 << 20: 4, 4 << 30: 8, 8 << 30: 16, 64 << 30: 16} {
		if got := workersFor(memory); got != want {
			t.Errorf("%d workers for %d MB, want %d", got, memory>>20, want)
		}
	}
}
