package costs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/lab/cloud"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// The quantities that a piece of work takes: everything that has a price, and the requests to DynamoDB.
const (
	requests = iota // to DynamoDB
	readUnits
	writeUnits
	puts // requests to S3 that write
	gets // and that read
	storedMB
	fetchedMB
	workerSeconds
	apiSeconds
	invocations
	messages
	keyUses
	events
	httpRequests
	logMB
	quantityCount
)

// quantities has one number for each.
type quantities [quantityCount]float64

// plus returns the sum with so many times the other quantities.
func (q quantities) plus(other quantities, times float64) quantities {
	for i := range q {
		q[i] += times * other[i]
	}
	return q
}

// meter measures works on a deployment.
type meter struct {
	lab *awslab.Lab
	*cloud.Deployment
	logged  *logSize
	account string
}

// newMeter builds the functions and runs them on what stands in for AWS until the test ends.
func newMeter(t *testing.T) *meter {
	t.Helper()
	dir := t.TempDir()
	if err := cloud.Build(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	// The context of a test has ended before its cleanup: what it started must still answer then.
	ctx := context.WithoutCancel(t.Context())
	lab, err := awslab.Start(ctx, filepath.Join(dir, "lab"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	m := &meter{lab: lab, logged: new(logSize)}
	// The clock does not tick by itself: its cost is measured apart.
	m.Deployment, err = cloud.Start(ctx, dir, lab, cloud.Config{Log: m.logged, Tick: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// logSize counts the bytes that several processes print.
type logSize struct{ bytes atomic.Int64 }

func (l *logSize) Write(p []byte) (int, error) {
	l.bytes.Add(int64(len(p)))
	return len(p), nil
}

// used returns all that was used so far.
func (m *meter) used() quantities {
	var q quantities
	for a, u := range m.lab.Recorder.Uses() {
		if !isFunction(a.Caller) {
			continue
		}
		q[readUnits] += u.ReadUnits
		q[writeUnits] += u.WriteUnits
		switch {
		case a.Service != "s3":
			q[requests] += float64(u.Calls)
		case strings.HasPrefix(a.Operation, "Get"), strings.HasPrefix(a.Operation, "Head"):
			q[gets] += float64(u.Calls)
			q[fetchedMB] += float64(u.ResponseBytes) / (1 << 20)
		default:
			q[puts] += float64(u.Calls)
			q[storedMB] += float64(u.RequestBytes) / (1 << 20)
		}
	}
	for name, u := range m.Host.Usage() {
		q[invocations] += float64(u.Invocations)
		if strings.HasSuffix(name, manifest.HandlerWorker) {
			q[workerSeconds] += u.Time.Seconds()
		} else {
			q[apiSeconds] += u.Time.Seconds()
		}
		if strings.HasSuffix(name, manifest.HandlerAPI) {
			q[httpRequests] += float64(u.Invocations)
		}
	}
	// The receives and deletes of the queues' pollers are among the messages.
	calls := m.lab.ServiceCalls()
	q[messages], q[keyUses] = float64(len(calls["sqs"])), float64(len(calls["kms"]))
	q[events] = float64(len(calls["events"]))
	q[logMB] = float64(m.logged.bytes.Load()) / (1 << 20)
	return q
}

func isFunction(caller string) bool {
	for _, f := range manifest.Functions() {
		if f.Name == caller {
			return true
		}
	}
	return false
}

// call sends a request of the account and returns the answer.
func (m *meter) call(t *testing.T, method, path string, body any) (answer map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, m.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Rollcall-Account", m.account)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: status %d, %v, error %v", method, path, resp.StatusCode, answer, err)
	}
	return answer
}

// run starts a preview or sync and waits for its end. It asks each second, which counts too: one read of a record, and
// one request.
func (m *meter) run(t *testing.T, path string, body map[string]any) (id string) {
	t.Helper()
	run := m.call(t, http.MethodPost, path, body)
	id, _ = run["id"].(string)
	for run["state"] == "queued" || run["state"] == "running" {
		time.Sleep(time.Second)
		run = m.call(t, http.MethodGet, path+"/"+id, nil)
	}
	if run["state"] != "done" {
		t.Fatalf("%s %s is %v: %v", path, id, run["state"], run["error"])
	}
	return id
}

// works are the pieces of work that a month is made of, for one number of users.
type works struct {
	users int
	// preview and first are of an empty list, unchanged is a scheduled sync that finds nothing to do, and changed one
	// that writes changes users. tick is one of the clock's, and look a quick look that finds nothing, without its
	// tick.
	preview, first, unchanged, changed, tick, look quantities
	changes                                        int
}

// measure does every work once with a directory of n entries, in the order in which a new account meets them. The sync
// with changes finds one user of so many missing.
func (m *meter) measure(t *testing.T, n, missing int) (w works) {
	t.Helper()
	config := ldapserver.OpenLDAPConfig{Entries: ldapserver.People(n)}
	server, err := ldapserver.StartOpenLDAP(t.Context(), t.TempDir(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	w.users, m.account = ldapserver.PeopleAddresses(n), fmt.Sprint("costs-", n)
	connection := map[string]any{
		"serverType": "exchange", "host": server.Host, "port": server.Port,
		"username": server.Username, "password": server.Password, "caCertificate": server.CACertificate,
	}
	m.call(t, http.MethodPut, "/v1/settings", map[string]any{"connection": connection})
	var preview string
	saved := map[string]any{}
	w.preview = m.taken(t, func() { preview = m.run(t, "/v1/previews", saved) })
	w.first = m.taken(t, func() { m.run(t, "/v1/syncs", map[string]any{"previewId": preview}) })
	w.unchanged = m.taken(t, func() { m.run(t, "/v1/syncs", saved) })
	w.changes = m.deleteUsers(t, w.users/missing)
	w.changed = m.taken(t, func() { m.run(t, "/v1/syncs", saved) })
	w.tick = m.taken(t, func() { m.tick(t) })
	m.call(t, http.MethodPut, "/v1/settings", map[string]any{
		"connection": connection, "schedule": map[string]any{"intervalHours": 24, "quickMinutes": 5},
	})
	w.look = m.look(t).plus(w.tick, -1)
	return w
}

func (m *meter) tick(t *testing.T) {
	t.Helper()
	if _, err := m.Host.Invoke(t.Context(), manifest.SyncSchedule().Name, []byte("{}")); err != nil {
		t.Fatal(err)
	}
}

// look makes the account's next quick look due and returns what it takes.
func (m *meter) look(t *testing.T) quantities {
	t.Helper()
	tables := dynamodb.NewClient(m.lab.Config("DYNAMODB"))
	jobs := dynamodb.NewJobs(tables, awslab.JobsTable, time.Now).For(user.Account(m.account))
	due, err := jobs.UpdateLooks(t.Context(), func(l *run.Looks) error {
		if l.NextAt.IsZero() {
			return errors.New("no look is planned") //nolint:err113 // nobody asks for it
		}
		l.NextAt = time.Now().Add(-time.Second)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.taken(t, func() {
		m.tick(t)
		for now := due; now.LastAt.Equal(due.LastAt); time.Sleep(100 * time.Millisecond) {
			if now, err = jobs.Looks(t.Context()); err != nil || now.Error != "" {
				t.Fatalf("error %v, looks %+v", err, now)
			}
		}
	})
}

// taken returns what a work takes.
func (m *meter) taken(t *testing.T, do func()) quantities {
	t.Helper()
	before := m.settled()
	do()
	return m.settled().plus(before, -1)
}

// settled returns what was used, once nothing is at work any more: a worker answers a little after its run has ended.
func (m *meter) settled() quantities {
	const still = 200 * time.Millisecond
	for last := m.used(); ; {
		time.Sleep(still)
		now := m.used()
		// Only whole numbers: sums of fractions differ a little each time. The pollers receive messages all the time.
		if now[requests] == last[requests] && now[invocations] == last[invocations] {
			return now
		}
		last = now
	}
}

// deleteUsers deletes some users in the table itself, so that the next sync has to write them. It returns how many.
func (m *meter) deleteUsers(t *testing.T, n int) int {
	t.Helper()
	client := dynamodb.NewClient(m.lab.Config("DYNAMODB"))
	list := dynamodb.NewUsers(client, awslab.UsersTable, awslab.JobsTable).For(user.Account(m.account))
	var changes []users.Change
	for u, err := range list.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == n {
			break
		}
		changes = append(changes, users.Change{Key: u.Key, Expect: u.Version})
	}
	if _, err := list.Apply(t.Context(), users.Fence{}, changes); err != nil {
		t.Fatal(err)
	}
	return len(changes)
}
