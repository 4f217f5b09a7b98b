package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/lab/cloud"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/deployment"
	"rollcall/shared/dynamo"
	"rollcall/shared/user"
	"rollcall/shared/userstore"
)

// quantities are what a piece of work takes: everything that has a price, and the requests to DynamoDB.
type quantities struct {
	Requests, ReadUnits, WriteUnits float64
	Puts, Gets                      float64
	StoredMB, FetchedMB             float64
	WorkerSeconds, APISeconds       float64
	Invocations                     float64
	Messages, KeyUses, Events, HTTP float64
	LogMB                           float64
}

// list gives every quantity a place, so that they can be computed with alike.
func (q *quantities) list() []*float64 {
	return []*float64{
		&q.Requests, &q.ReadUnits, &q.WriteUnits, &q.Puts, &q.Gets, &q.StoredMB, &q.FetchedMB, &q.WorkerSeconds, &q.APISeconds, &q.Invocations, &q.Messages, &q.KeyUses, &q.Events,
		&q.HTTP, &q.LogMB,
	}
}

// medians makes quantities of several, one by one.
func medians(all []quantities) quantities {
	var out quantities
	for i, to := range out.list() {
		var values []float64
		for j := range all {
			values = append(values, *all[j].list()[i])
		}
		slices.Sort(values)
		*to = values[len(values)/2]
	}
	return out
}

// combine makes quantities of two others, one by one.
func combine(a, b quantities, of func(a, b float64) float64) quantities {
	var out quantities
	to, left, right := out.list(), a.list(), b.list()
	for i := range to {
		*to[i] = of(*left[i], *right[i])
	}
	return out
}

func plus(a, b float64) float64  { return a + b }
func minus(a, b float64) float64 { return a - b }

// laboratory measures works on a deployment.
type laboratory struct {
	lab *awslab.Lab
	*cloud.Deployment
	log     *printed
	account string
}

// used is all that was used so far.
func (l *laboratory) used() quantities {
	var q quantities
	for a, u := range l.lab.Recorder.Uses() {
		if !isFunction(a.Caller) {
			continue
		}
		q.ReadUnits += u.ReadUnits
		q.WriteUnits += u.WriteUnits
		switch {
		case a.Service != "s3":
			q.Requests += float64(u.Calls)
		case strings.HasPrefix(a.Operation, "Get"), strings.HasPrefix(a.Operation, "Head"):
			q.Gets += float64(u.Calls)
			q.FetchedMB += float64(u.ResponseBytes) / (1 << 20)
		default:
			q.Puts += float64(u.Calls)
			q.StoredMB += float64(u.RequestBytes) / (1 << 20)
		}
	}
	for name, u := range l.Host.Usage() {
		q.Invocations += float64(u.Invocations)
		if strings.HasSuffix(name, deployment.HandlerWorker) {
			q.WorkerSeconds += u.Time.Seconds()
		} else {
			q.APISeconds += u.Time.Seconds()
		}
		if strings.HasSuffix(name, deployment.HandlerAPI) {
			q.HTTP += float64(u.Invocations)
		}
	}
	calls := l.lab.ServiceCalls()
	q.Messages, q.KeyUses, q.Events = float64(len(calls["sqs"])), float64(len(calls["kms"])), float64(len(calls["events"]))
	// A mapping receives and deletes besides, which its poller here does under no function's name but is counted with the rest.
	q.LogMB = float64(l.log.Len()) / (1 << 20)
	return q
}

func isFunction(caller string) bool {
	for _, f := range deployment.Functions() {
		if f.Name == caller {
			return true
		}
	}
	return false
}

// call sends a request of the account and returns the answer.
func (l *laboratory) call(ctx context.Context, method, path string, body any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, l.URL+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Rollcall-Account", l.account)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(data, &answer); err != nil || resp.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: status %d: %.300s", method, path, resp.StatusCode, data)
	}
	return answer, nil
}

// run starts a preview or sync and waits for its end. It looks each second, which is counted too: one read of a record, and one request.
func (l *laboratory) run(ctx context.Context, path string, body any) (id string, err error) {
	started, err := l.call(ctx, http.MethodPost, path, body)
	if err != nil {
		return "", err
	}
	id, _ = started["id"].(string)
	for {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(time.Second):
		}
		run, err := l.call(ctx, http.MethodGet, path+"/"+id, nil)
		if err != nil {
			return "", err
		}
		switch run["state"] {
		case "queued", "running":
		case "done":
			return id, nil
		default:
			return "", fmt.Errorf("%s %s is %v: %v", path, id, run["state"], run["error"])
		}
	}
}

// works are the pieces of work that a month is made of, for one number of users.
type works struct {
	users int
	// preview and first are of an empty list, unchanged is a scheduled sync that finds nothing to do, and changed one that writes
	// changes users. tick is one of the clock's.
	preview, first, unchanged, changed, tick quantities
	changes                                  int
}

// list gives every work a place.
func (w *works) list() []*quantities {
	return []*quantities{&w.preview, &w.first, &w.unchanged, &w.changed, &w.tick}
}

// measure does every work with a directory of n entries, each round with an account of its own, and returns the medians. A sync with
// changes finds one user of so many missing.
func (l *laboratory) measure(ctx context.Context, n, rounds, missing int, dir string) (works, error) {
	server, err := ldapserver.StartOpenLDAP(ctx, dir, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(n)})
	if err != nil {
		return works{}, err
	}
	defer server.Stop()
	var all []works
	for round := range rounds {
		w := works{users: ldapserver.PeopleAddresses(n)}
		l.account = fmt.Sprintf("costs-%d-%d", n, round)
		if err := l.once(ctx, server, missing, &w); err != nil {
			return w, err
		}
		say("  %d users, round %d of %d: %.1f s of a worker for the first sync, %.1f s for one that finds nothing to do", w.users, round+1, rounds, w.first.WorkerSeconds, w.unchanged.WorkerSeconds)
		all = append(all, w)
	}
	out := all[0]
	for i, to := range out.list() {
		var of []quantities
		for j := range all {
			of = append(of, *all[j].list()[i])
		}
		*to = medians(of)
	}
	return out, nil
}

// once does every work once.
func (l *laboratory) once(ctx context.Context, server *ldapserver.Server, missing int, w *works) error {
	connection := map[string]any{
		"serverType": "exchange", "host": server.Host, "port": server.Port, "username": server.Username, "password": server.Password, "caCertificate": server.CACertificate,
	}
	if _, err := l.call(ctx, http.MethodPut, "/v1/settings", map[string]any{"connection": connection}); err != nil {
		return err
	}
	var preview string
	for _, step := range []struct {
		into *quantities
		do   func() error
	}{
		{&w.preview, func() (err error) {
			preview, err = l.run(ctx, "/v1/previews", map[string]any{})
			return err
		}},
		{&w.first, func() error { return l.only(l.run(ctx, "/v1/syncs", map[string]any{"previewId": preview})) }},
		{&w.unchanged, func() error { return l.only(l.run(ctx, "/v1/syncs", map[string]any{})) }},
		{new(quantities), func() (err error) {
			w.changes, err = l.forget(ctx, w.users/missing)
			return err
		}},
		{&w.changed, func() error { return l.only(l.run(ctx, "/v1/syncs", map[string]any{})) }},
		{&w.tick, func() error {
			_, err := l.Host.Invoke(ctx, deployment.SyncSchedule().Name, []byte("{}"))
			return err
		}},
	} {
		before, err := l.settled(ctx)
		if err == nil {
			err = step.do()
		}
		if err != nil {
			return err
		}
		after, err := l.settled(ctx)
		if err != nil {
			return err
		}
		*step.into = combine(after, before, minus)
	}
	return nil
}

// settled returns what was used, once nothing is at work any more: a worker answers a little after its run has ended.
func (l *laboratory) settled(ctx context.Context) (quantities, error) {
	const still = 200 * time.Millisecond
	for last := l.used(); ; {
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(still):
		}
		now := l.used()
		// Counts: sums of fractions differ by a little each time they are added up, and the queues are asked all the time.
		if now.Requests == last.Requests && now.Invocations == last.Invocations {
			return now, nil
		}
		last = now
	}
}

func (l *laboratory) only(_ string, err error) error { return err }

// forget deletes some users behind everybody's back, so that the next sync has that many to write. It tells how many.
func (l *laboratory) forget(ctx context.Context, n int) (int, error) {
	users := dynamo.NewUsers(dynamo.NewClient(l.lab.Config("DYNAMODB")), awslab.UsersTable).For(user.Account(l.account))
	var changes []userstore.Change
	for u, err := range users.All(ctx) {
		if err != nil {
			return 0, err
		}
		if len(changes) == n {
			break
		}
		changes = append(changes, userstore.Change{Key: u.Key, Expect: u.Version})
	}
	_, err := users.Apply(ctx, changes)
	return len(changes), err
}
