// Package connectorstest holds what every adapter of connectors must do.
package connectorstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

// Stores are the store under test, the jobs beside it, and what erases an account from both.
type Stores struct {
	Connectors connectors.Store
	Jobs       runs.Store
	Erase      func(context.Context, user.Account) error
}

// Run holds a store to the contract of connectors. open returns empty stores whose clock is now.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Stores) {
	fixed := func(t *testing.T) Stores { return open(t, func() time.Time { return start }) }
	t.Run("connectors are kept", func(t *testing.T) { keep(t, fixed(t)) })
	t.Run("changes come one after another", func(t *testing.T) { race(t, fixed(t)) })
	t.Run("names", func(t *testing.T) { names(t, open) })
	t.Run("numbers", func(t *testing.T) { numbers(t, fixed(t)) })
	t.Run("accounts are apart, and erased with all names", func(t *testing.T) { apart(t, fixed(t)) })
}

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func sample(id string) connectors.Connector {
	return connectors.Connector{
		ID: id, Name: "HQ", CreatedAt: start, Codes: []connectors.Code{{Hash: "ab", ExpiresAt: start}},
		Instances: []connectors.Instance{{ID: "i", PublicKey: []byte{0, 255}, Name: "srv1", Version: "1",
			LastSeenAt: start, Targets: []connectors.Target{{Host: "dc1", Port: 389, Username: "reader"}}}},
		Orders: []connectors.Order{{ID: "o", Message: queue.Message{Task: queue.TaskSync, Account: "acme", RunID: "r"},
			CreatedAt: start, Recording: &connectors.Recording{Blocks: 2, Bytes: 9, SHA256: []byte{1}}}},
	}
}

func entry(id string) runs.AuditEntry {
	return runs.AuditEntry{ID: id, At: start, By: "ann", Action: runs.SettingsSaved, Subject: "x"}
}

func keep(t *testing.T, s Stores) {
	ctx, all := t.Context(), s.Connectors.For("acme")
	if _, err := all.Get(ctx, "01A"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("none: error %v", err)
	}
	for i, id := range []string{"01A", "01B"} {
		if err := all.Create(ctx, sample(id), entry(fmt.Sprint("01E", i))); err != nil {
			t.Fatal(err)
		}
	}
	got, err := all.Get(ctx, "01A")
	if diff := cmp.Diff(sample("01A"), got); err != nil || diff != "" {
		t.Errorf("error %v, connector (-stored +read):\n%s", err, diff)
	}
	changed, err := all.Update(ctx, "01A", func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		c.Name, c.Orders = "Plant", nil
		return []runs.AuditEntry{entry("01E2")}, nil
	})
	if err != nil || changed.Name != "Plant" {
		t.Errorf("changed to %+v, error %v", changed, err)
	}
	for want, stop := range map[error]error{nil: runs.ErrUnchanged, context.Canceled: context.Canceled} {
		_, err := all.Update(ctx, "01A", func(c *connectors.Connector) ([]runs.AuditEntry, error) {
			c.Name = ""
			return []runs.AuditEntry{entry("01E9")}, stop
		})
		if !errors.Is(err, want) {
			t.Errorf("a change that ends with %v: error %v", stop, err)
		}
	}
	list, err := all.List(ctx)
	if err != nil || len(list) != 2 || list[0].Name != "Plant" || list[1].ID != "01B" {
		t.Errorf("listed %+v, error %v", list, err)
	}
	if err := all.Delete(ctx, "01A", entry("01E3")); err != nil {
		t.Error(err)
	}
	_, updateErr := all.Update(ctx, "01A", func(*connectors.Connector) ([]runs.AuditEntry, error) { return nil, nil })
	for _, err := range []error{updateErr, all.Delete(ctx, "01A"), all.Delete(ctx, "")} {
		if !errors.Is(err, connectors.ErrNotFound) {
			t.Errorf("a connector that is gone: error %v", err)
		}
	}
	page, err := s.Jobs.For("acme").AuditLog(ctx, "", 10)
	if err != nil || len(page.Entries) != 4 || page.Entries[0].ID != "01E3" {
		t.Errorf("audit log %+v, error %v", page.Entries, err)
	}
}

// race has many change a connector at once: nobody's change is lost.
func race(t *testing.T, s Stores) {
	ctx, all := t.Context(), s.Connectors.For("acme")
	if err := all.Create(ctx, connectors.Connector{ID: "01A"}); err != nil {
		t.Fatal(err)
	}
	const many = 6
	var running sync.WaitGroup
	for i := range many {
		running.Go(func() {
			_, err := all.Update(ctx, "01A", func(c *connectors.Connector) ([]runs.AuditEntry, error) {
				c.Orders = append(c.Orders, connectors.Order{ID: fmt.Sprint(i)})
				return nil, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if c, err := all.Get(ctx, "01A"); err != nil || len(c.Orders) != many {
		t.Errorf("%d orders, error %v", len(c.Orders), err)
	}
}

func names(t *testing.T, open func(*testing.T, func() time.Time) Stores) {
	now := start
	s := open(t, func() time.Time { return now })
	ctx, all := t.Context(), s.Connectors.For("acme")
	for _, id := range []string{"01A", "01B"} {
		if err := all.Create(ctx, connectors.Connector{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	want := connectors.Owner{Account: "acme", ConnectorID: "01A"}
	if _, err := s.Connectors.Named(ctx, "key"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("no name: error %v", err)
	}
	for name, until := range map[string]time.Time{"key": {}, "code": start.Add(time.Minute)} {
		if err := all.Name(ctx, name, "01A", until); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Connectors.Named(ctx, name); err != nil || got != want {
			t.Errorf("%s leads to %+v, error %v", name, got, err)
		}
		if err := s.Connectors.For("other").Name(ctx, name, "01X", until); !errors.Is(err, connectors.ErrTaken) {
			t.Errorf("%s is taken again: error %v", name, err)
		}
	}
	if err := all.Name(ctx, "key of B", "01B", time.Time{}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if _, err := s.Connectors.Named(ctx, "code"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("a name whose time is over: error %v", err)
	}
	if err := all.Name(ctx, "code", "01A", now.Add(time.Minute)); err != nil {
		t.Errorf("a name whose time was over is given again: %v", err)
	}
	if err := all.Delete(ctx, "01A"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "code"} {
		if _, err := s.Connectors.Named(ctx, name); !errors.Is(err, connectors.ErrNotFound) {
			t.Errorf("%s leads to a connector that was deleted: error %v", name, err)
		}
	}
	if _, err := s.Connectors.Named(ctx, "key of B"); err != nil {
		t.Errorf("another connector's name: %v", err)
	}
}

// numbers has many put the same numbers into a set at once: each is taken once, and no more than fit.
func numbers(t *testing.T, s Stores) {
	ctx, all, until := t.Context(), s.Connectors.For("acme"), start.Add(time.Minute)
	const most, tries = 4, 3
	var running sync.WaitGroup
	var taken, full, put atomic.Int32
	for i := range most {
		for range tries {
			running.Go(func() {
				switch err := all.Number(ctx, "a", fmt.Sprint(i), most, until); {
				case err == nil:
					put.Add(1)
				case errors.Is(err, connectors.ErrTaken):
					taken.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	running.Wait()
	if put.Load() != most || taken.Load() != most*(tries-1) {
		t.Errorf("%d numbers were put, %d were there", put.Load(), taken.Load())
	}
	for i := range most {
		running.Go(func() {
			if errors.Is(all.Number(ctx, "a", fmt.Sprint("more", i), most, until), connectors.ErrFull) {
				full.Add(1)
			}
		})
	}
	running.Wait()
	if full.Load() != most {
		t.Errorf("%d of %d numbers were refused by a full set", full.Load(), most)
	}
	if err := all.Number(ctx, "a", "0", most, until); !errors.Is(err, connectors.ErrTaken) {
		t.Errorf("a number of a full set: error %v", err)
	}
	if err := errors.Join(all.Number(ctx, "b", "0", most, until),
		s.Connectors.For("other").Number(ctx, "a", "0", most, until)); err != nil {
		t.Errorf("another set, and another account's: %v", err)
	}
	if err := s.Erase(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if err := all.Number(ctx, "a", "0", most, until); err != nil {
		t.Errorf("a number of an account that was erased: %v", err)
	}
	if err := s.Connectors.For("other").Number(ctx, "a", "0", most, until); !errors.Is(err, connectors.ErrTaken) {
		t.Errorf("another account's number after the erasure: error %v", err)
	}
}

func apart(t *testing.T, s Stores) {
	ctx := t.Context()
	for _, account := range []user.Account{"acme", "other"} {
		all := s.Connectors.For(account)
		if err := errors.Join(all.Create(ctx, connectors.Connector{ID: "01" + string(account)}),
			all.Name(ctx, "of "+string(account), "01"+string(account), time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Connectors.For("other").Get(ctx, "01acme"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("another account's connector: error %v", err)
	}
	if err := s.Erase(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	list, err := s.Connectors.For("acme").List(ctx)
	if err != nil || len(list) > 0 {
		t.Errorf("after the erasure %+v, error %v", list, err)
	}
	if _, err := s.Connectors.Named(ctx, "of acme"); !errors.Is(err, connectors.ErrNotFound) {
		t.Errorf("a name of an erased account: error %v", err)
	}
	if owner, err := s.Connectors.Named(ctx, "of other"); err != nil || owner.Account != "other" {
		t.Errorf("another account's name: %+v, error %v", owner, err)
	}
}
