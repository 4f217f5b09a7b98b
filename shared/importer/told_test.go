package importer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"rollcall/docs/events/schematest"
	"rollcall/shared/notify"
	"rollcall/shared/ports/events"
	"rollcall/shared/user"
)

var schemas = sync.OnceValues(schematest.Load)

// fits holds whatever any test of this package sends to its published schema.
func fits(t *testing.T, name string, event any) {
	t.Helper()
	published, err := schemas()
	if err == nil {
		err = published.Check(name, event)
	}
	if err != nil {
		t.Error(err)
	}
}

// eventList keeps what was published about the ends of syncs, by name and detail, and about changes of the Users List.
type eventList struct {
	t       *testing.T
	all     []publishedSync
	changes []notify.Event
}

type publishedSync struct {
	Name events.Name
	events.Sync
}

func (l *eventList) Publish(_ context.Context, e events.Event) error {
	fits(l.t, string(e.Name), e.Detail)
	switch detail := e.Detail.(type) {
	case events.Sync:
		l.all = append(l.all, publishedSync{e.Name, detail})
	case notify.Event:
		l.changes = append(l.changes, detail)
	}
	return nil
}

// told keeps what was told. Each number in lose is a call that fails, counted from 1; of a negative one only the
// answer is lost.
type told struct {
	t     *testing.T
	mu    sync.Mutex
	all   []notify.Event
	calls int
	lose  map[int]bool
}

func (l *told) Tell(_ context.Context, account user.Account, e notify.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.lose[l.calls] {
		return errUnreachable
	}
	if account != e.Data.Account {
		return fmt.Errorf("event %s of account %q was told to %q", e.ID, e.Data.Account, account)
	}
	if e.Digest == "" {
		// No program gets a digest.
		fits(l.t, string(e.Type), e)
	}
	l.all = append(l.all, e)
	if l.lose[-l.calls] {
		return errUnreachable
	}
	return nil
}

// types lists what was told, each event once and without digests and the changes of the Users List.
func (l *told) types() (types []string) {
	seen := make(map[string]bool)
	for _, e := range l.all {
		if e.Type != notify.UsersChanged && e.Digest == "" && !seen[e.ID] {
			types = append(types, strings.TrimPrefix(string(e.Type), "rollcall.sync."))
		}
		seen[e.ID] = true
	}
	return types
}
