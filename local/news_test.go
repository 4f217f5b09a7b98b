package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/docs/events/schematest"
	"rollcall/shared/directory"
	"rollcall/shared/notify"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// switched is a directory with one person that can be switched off.
type switched struct {
	mu  sync.Mutex
	off bool
}

func (d *switched) turn(off bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = off
}

func (d *switched) Read(
	_ context.Context, _ settings.Connection, _ directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error,
) (directory.Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return directory.Info{}, &directory.Error{
			Code: directory.CodeTimeout, Step: directory.StepConnect, Message: "The server does not answer.",
		}
	}
	onStep(run.Step{Step: directory.StepBase, OK: true})
	entry := directory.Entry{DN: []byte("CN=Ann,DC=example,DC=com"), Attributes: []directory.Attribute{
		{Name: "objectGUID", Values: [][]byte{[]byte("ann-------------")}},
		{Name: "objectClass", Values: [][]byte{[]byte("person"), []byte("user")}},
		{Name: "proxyAddresses", Values: [][]byte{[]byte("SMTP:ann@example.com")}},
	}}
	return directory.Info{DirectoryID: "dc=example,dc=com", Entries: 1}, onEntry(&entry)
}

func (*switched) Find(
	context.Context, settings.Connection, directory.Question, func(run.Step),
) (directory.Answer, error) {
	return directory.Answer{}, errors.New("nobody asks")
}

// TestWhatHappensIsDelivered holds what a webhook gets of syncs and edits to the published schemas. What is repeated is
// not told again.
func TestWhatHappensIsDelivered(t *testing.T) {
	t.Parallel()
	schemas, err := schematest.Load()
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan notify.Event, 20)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e notify.Event
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err == nil {
			err = schemas.Check(string(e.Type), json.RawMessage(body))
		}
		if err != nil || r.Header.Get("webhook-id") != e.ID {
			t.Errorf("webhook %q: %v", r.Header.Get("webhook-id"), err)
		}
		got <- e
	}))
	defer receiver.Close()
	source := new(switched)
	c := startWith(t, config{data: t.TempDir(), directory: source, tick: time.Second})
	c.send(200, "PUT", "/v1/notifications", map[string]any{
		"events":  []string{"failed", "blocked", "recovered", "missed", "changed"},
		"webhook": map[string]any{"url": receiver.URL, "secret": testSecret},
	})
	c.send(200, "PUT", "/v1/settings", map[string]any{"connection": map[string]any{
		"serverType": "exchange", "host": "dc1.example.com", "port": 389, "username": "r", "password": "p",
	}})
	syncNow := func(off bool) {
		t.Helper()
		source.turn(off)
		c.wait("/v1/syncs/" + c.send(202, "POST", "/v1/syncs", map[string]any{})["id"].(string))
	}
	syncNow(false)
	syncNow(true)
	syncNow(true)
	syncNow(false)
	c.send(201, "POST", "/v1/users", map[string]any{"address": "bob@example.com", "type": "user"})
	c.send(200, "PATCH", "/v1/users/bob@example.com", map[string]any{"protected": true})
	c.send(409, "DELETE", "/v1/users/bob@example.com", nil)

	var told []string
	for range 5 {
		select {
		case e := <-got:
			line := string(e.Type)
			for _, change := range e.Data.Changes {
				line += fmt.Sprint(" ", change.Change, " ", change.Address)
			}
			told = append(told, line)
		case <-time.After(20 * time.Second):
			t.Fatalf("told only %q", told)
		}
	}
	// They may arrive in another order.
	slices.Sort(told)
	want := []string{
		"rollcall.sync.failed", "rollcall.sync.recovered", "rollcall.users.changed create ann@example.com",
		"rollcall.users.changed create bob@example.com", "rollcall.users.changed update bob@example.com",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
