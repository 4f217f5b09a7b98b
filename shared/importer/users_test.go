package importer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// contended is a Users List on which others are quicker with an edit, as often as left says.
type contended struct {
	users.Store
	left, calls *int
}

func (s contended) For(a user.Account) users.Users { return contendedAccount{s.Store.For(a), s} }

type contendedAccount struct {
	users.Users
	s contended
}

var errEndless = errors.New("it is tried for ever")

func (u contendedAccount) Edit(ctx context.Context, c users.Change, e runs.AuditEntry) (users.Outcome, error) {
	*u.s.calls++
	switch *u.s.left--; {
	case *u.s.calls > 1000:
		return 0, errEndless
	case *u.s.left >= 0:
		return users.Conflict, nil
	}
	return u.Users.Edit(ctx, c, e)
}

// TestAnEditGivesWayToOthers edits a user that others change all the time.
func TestAnEditGivesWayToOthers(t *testing.T) {
	t.Parallel()
	const address = "hand@example.com"
	for name, edit := range map[string]func(context.Context, *harness) error{
		"change": func(ctx context.Context, h *harness) error {
			_, err := h.service.PatchUser(ctx, h.id, address, importer.UserPatch{Protected: ptr(true)})
			return err
		},
		"removal": func(ctx context.Context, h *harness) error { return h.service.RemoveUser(ctx, h.id, address) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			left, calls := 0, 0
			h.config.Users = contended{h.store.Users(), &left, &calls}
			h.service = importer.NewService(h.config)
			if _, err := h.service.AddUser(t.Context(), h.id, importer.UserRequest{
				Address: address, Type: user.TypeUser, HeldSpamReport: user.ReportOff,
			}); err != nil {
				t.Fatal(err)
			}
			left, calls = 1<<30, 0
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if err := edit(ctx, h); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, runs.ErrBusy) {
				t.Errorf("error %v after %d tries, want the context's", err, calls)
			}
			before := h.starts("edit")
			if left, calls = 3, 0; edit(t.Context(), h) != nil || calls != 4 {
				t.Errorf("%d tries, want the fourth to succeed", calls)
			}
			if got := h.starts("edit") - before; got != 1 {
				t.Errorf("the edit counts %d times, want once", got)
			}
		})
	}
}

// starts is how many starts of a kind were counted.
func (h *harness) starts(kind string) (sum int) {
	h.t.Helper()
	err := h.store.Jobs().For(h.id.Account).Count(h.t.Context(), func(c *runs.Counts) error {
		for _, n := range c.Starts[kind] {
			sum += n
		}
		return runs.ErrUnchanged
	})
	if err != nil && !errors.Is(err, runs.ErrUnchanged) {
		h.t.Fatal(err)
	}
	return sum
}
