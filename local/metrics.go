package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/api"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// metrics counts requests and runs since the start, and writes them in Prometheus's text format, version 0.0.4. The
// format is a line for each number; the client library would add several modules to write these lines.
type metrics struct {
	// routes finds the route of a request: labels must not hold what callers make up.
	routes  *http.ServeMux
	started time.Time
	// state counts what is stored; nil where nobody can say.
	state func() (embedded.State, error)

	mu       sync.Mutex
	requests map[labels]*tally
	runs     map[labels]*tally
	// failures counts by account.
	failures map[labels]*tally
}

// maxFailing is how many accounts have a number of failures of their own; the others share one. Each is a time series.
const maxFailing = 100

// labels are the names and values of a metric's labels, as they are written.
type labels string

// tally is a number of things and how long they took together.
type tally struct {
	count int
	took  time.Duration
}

// newMetrics starts counting. state may be nil.
func newMetrics(now time.Time, state func() (embedded.State, error)) *metrics {
	return &metrics{
		routes: http.NewServeMux(), started: now, state: state,
		requests: make(map[labels]*tally), runs: make(map[labels]*tally),
		failures: make(map[labels]*tally),
	}
}

// know takes the routes of the API, and adds those beside it.
func (m *metrics) know(v1 *api.API) {
	for path := range v1.OpenAPI().Paths {
		m.routes.Handle(path, http.NotFoundHandler())
	}
	for _, path := range []string{
		"/v1/openapi.json", embedded.DownloadPath, backupPath, "/healthz", "/version", "/metrics",
	} {
		if _, known := v1.OpenAPI().Paths[path]; !known {
			m.routes.Handle(path, http.NotFoundHandler())
		}
	}
}

// request counts a request that was answered.
func (m *metrics) request(r *http.Request, status int, took time.Duration) {
	_, route := m.routes.Handler(r)
	if route == "" {
		route = "other"
	}
	method := r.Method
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "other"
	}
	m.add(m.requests, labelled("method", method, "route", route, "status", strconv.Itoa(status)), took)
}

// ended counts a run that a worker ended; it is the importer's Ended.
func (m *metrics) ended(_ context.Context, _ user.Account, r run.Run) {
	m.add(m.runs, labelled("kind", string(r.Kind), "state", string(r.State)), r.FinishedAt.Sub(r.StartedAt))
}

// failed counts a failure of an account's; it is the importer's Failed.
func (m *metrics) failed(_ context.Context, account user.Account) {
	own := labelled("account", escaped.Replace(string(account)))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failures[own] == nil && len(m.failures) >= maxFailing {
		own = labelled("account", "")
	}
	count(m.failures, own, 0)
}

// escaped is how a label's value is written that somebody else made up.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *metrics) add(to map[labels]*tally, l labels, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(to, l, took)
}

// count adds to a tally. The caller holds the lock.
func count(to map[labels]*tally, l labels, took time.Duration) {
	if to[l] == nil {
		to[l] = new(tally)
	}
	to[l].count++
	to[l].took += took
}

// labelled writes labels, given as names and values. Routes, states and numbers need no escaping.
func labelled(namesAndValues ...string) labels {
	var parts []string
	for pair := range slices.Chunk(namesAndValues, 2) {
		parts = append(parts, pair[0]+`="`+pair[1]+`"`)
	}
	return labels("{" + strings.Join(parts, ",") + "}")
}

// ServeHTTP answers a scrape.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	m.write(&b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	// The status is out; a broken connection is all that can fail here.
	_, _ = io.WriteString(w, b.String())
}

func (m *metrics) write(b *strings.Builder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	describe(b, "rollcall_requests_total", "counter", "Requests answered.")
	for l, t := range inOrder(m.requests) {
		fmt.Fprintf(b, "rollcall_requests_total%s %d\n", l, t.count)
	}
	describe(b, "rollcall_request_duration_seconds_total", "counter", "Time that answering them took.")
	for l, t := range inOrder(m.requests) {
		fmt.Fprintf(b, "rollcall_request_duration_seconds_total%s %g\n", l, t.took.Seconds())
	}
	describe(b, "rollcall_runs_total", "counter", "Previews, syncs, exports and explanations that workers ended.")
	for l, t := range inOrder(m.runs) {
		fmt.Fprintf(b, "rollcall_runs_total%s %d\n", l, t.count)
	}
	describe(b, "rollcall_run_duration_seconds_total", "counter", "Time from their start to their end.")
	for l, t := range inOrder(m.runs) {
		fmt.Fprintf(b, "rollcall_run_duration_seconds_total%s %g\n", l, t.took.Seconds())
	}
	describe(b, "rollcall_account_failures_total", "counter",
		"Due syncs and looks that could not be started, overdue runs that could not be looked after; see the log.")
	for l, t := range inOrder(m.failures) {
		fmt.Fprintf(b, "rollcall_account_failures_total%s %d\n", l, t.count)
	}
	m.writeState(b)
	v := build()
	describe(b, "rollcall_build_info", "gauge", "The program; the value is always 1.")
	fmt.Fprintf(b, "rollcall_build_info%s 1\n", labelled("version", v.Version, "commit", v.Commit, "go", v.Go))
	describe(b, "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.")
	fmt.Fprintf(b, "process_start_time_seconds %d\n", m.started.Unix())
}

func (m *metrics) writeState(b *strings.Builder) {
	if m.state == nil {
		return
	}
	state, err := m.state()
	describe(b, "rollcall_store_up", "gauge", "1 if the data can be read.")
	if err != nil {
		fmt.Fprintln(b, "rollcall_store_up 0")
		return
	}
	fmt.Fprintln(b, "rollcall_store_up 1")
	describe(b, "rollcall_queue_messages", "gauge", "Messages that wait or are being handled.")
	for _, name := range queue.Names() {
		fmt.Fprintf(b, "rollcall_queue_messages%s %d\n", labelled("queue", string(name)), state.Messages[name])
	}
	describe(b, "rollcall_dead_messages", "gauge", "Messages that failed for the last time.")
	fmt.Fprintf(b, "rollcall_dead_messages %d\n", state.DeadMessages)
	describe(b, "rollcall_damaged_records", "gauge", "Records that could not be read and were set aside.")
	fmt.Fprintf(b, "rollcall_damaged_records %d\n", state.SetAside)
}

func describe(b *strings.Builder, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// inOrder walks over tallies by their labels.
func inOrder(all map[labels]*tally) func(func(labels, *tally) bool) {
	return func(yield func(labels, *tally) bool) {
		for _, l := range slices.SortedFunc(maps.Keys(all), cmp.Compare) {
			if !yield(l, all[l]) {
				return
			}
		}
	}
}
