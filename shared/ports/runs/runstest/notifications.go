package runstest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

func notifications(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if got, err := j.Notifications(ctx); err != nil || !cmp.Equal(got, notify.Settings{}) {
		t.Errorf("at first %+v, error %v", got, err)
	}
	want := notify.Settings{
		Email: []string{"ann@example.com"}, Events: notify.Kinds(), Version: 7, UpdatedAt: Now, UpdatedBy: "ann",
		Webhook: &notify.Webhook{URL: "https://example.com/", SealedSecret: []byte{0, 255}, EndedAt: Now},
		Last: []notify.Outcome{{
			To: "ann@example.com", EventID: "e", Type: notify.Test, At: Now, Attempts: 2, Message: "no", NextAt: Now,
		}},
	}
	entry := runs.AuditEntry{ID: "01J0", At: Now, By: "ann", Action: runs.NotificationsSaved, Subject: "notifications"}
	first, err := j.PutNotifications(ctx, want, entry)
	if err != nil || first.Revision == 0 {
		t.Fatalf("stored %+v, error %v", first, err)
	}
	other := entry
	other.ID = "01J1"
	if _, err := j.PutNotifications(ctx, want, other); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("a second first save: error %v, want %v", err, runs.ErrConflict)
	}
	got, err := j.Notifications(ctx)
	if diff := cmp.Diff(first, got); err != nil || diff != "" {
		t.Errorf("error %v, notifications (-stored +read):\n%s", err, diff)
	}
	if page, err := j.AuditLog(ctx, "", 10); err != nil || !cmp.Equal(page.Entries, []runs.AuditEntry{entry}) {
		t.Errorf("the audit log has %+v, error %v", page.Entries, err)
	}
	if got, err := s.For("other").Notifications(ctx); err != nil || got.Revision != 0 {
		t.Errorf("another account has %+v, error %v", got, err)
	}
	won := race(t, runs.ErrConflict, func(int) error {
		_, err := j.PutNotifications(ctx, first)
		return err
	})
	if len(won) != 1 {
		t.Errorf("%d of %d writes of one revision were stored, want 1", len(won), takers)
	}
}

func deliveries(t *testing.T, s runs.Store) {
	ctx, j := t.Context(), s.For("acme")
	if _, err := j.Delivery(ctx, "none"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("a delivery that is none: error %v", err)
	}
	event := notify.New(notify.Test, "e", "acme", "", Now)
	event.Data.Message = strings.Repeat("long ", notify.MaxSize/5)
	want := notify.Delivery{
		ID: "e.mail", Event: event, To: []string{"ann@example.com"}, CreatedAt: Now, NextAt: Now, Attempts: 1,
	}
	first, err := j.PutDelivery(ctx, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := j.Delivery(ctx, "e.mail")
	if diff := cmp.Diff(first, got); err != nil || diff != "" {
		t.Errorf("error %v, delivery (-stored +read):\n%s", err, diff)
	}
	if _, err := j.PutDelivery(ctx, want); !errors.Is(err, runs.ErrConflict) {
		t.Errorf("the same one again: error %v, want %v", err, runs.ErrConflict)
	}
	old := notify.Delivery{ID: "old", CreatedAt: Now.Add(-notify.DeliveryLifetime - time.Second)}
	if _, err := j.PutDelivery(ctx, old); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Delivery(ctx, "old"); !errors.Is(err, runs.ErrNotFound) {
		t.Errorf("a delivery whose lifetime is over: error %v", err)
	}
	dueDeliveries(t, s, first)
}

// dueDeliveries finds what is due in the order in which it is, and a delivery that is done no more.
func dueDeliveries(t *testing.T, s runs.Store, first notify.Delivery) {
	ctx := t.Context()
	for account, at := range map[user.Account]time.Time{
		"long ago": Now.Add(-time.Hour), "later": Now.Add(time.Second), "never": {},
	} {
		d := notify.Delivery{ID: "e.webhook", CreatedAt: Now, NextAt: at}
		if _, err := s.For(account).PutDelivery(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	earlier, now := runs.Ref{Account: "long ago", RunID: "e.webhook"}, runs.Ref{Account: "acme", RunID: "e.mail"}
	check := func(limit int, want ...runs.Ref) {
		t.Helper()
		if got, err := s.DueDeliveries(ctx, Now, limit); err != nil || !cmp.Equal(want, got) {
			t.Errorf("due at limit %d: %v, error %v; want %v", limit, got, err, want)
		}
	}
	check(10, earlier, now)
	check(1, earlier)
	first.Finish()
	if _, err := s.For("acme").PutDelivery(ctx, first); err != nil {
		t.Fatal(err)
	}
	check(10, earlier)
}
