// Package delivery brings events to those whom an account's notifications name: Notifier takes an event and puts its
// deliveries on their queue, Worker tries them, by mail and by signed webhooks, with growing waits for 24 hours.
package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/user"
)

const (
	// lost is how long a delivery may wait for its message before another one is sent.
	lost = 10 * time.Minute
	// mostDue is how many deliveries one tick sends on.
	mostDue = 500
)

// Notifier tells those whom an account's notifications name.
type Notifier struct {
	Jobs  runs.Store
	Queue queue.Sender
	// Now defaults to time.Now, Log to slog.Default.
	Now func() time.Time
	Log *slog.Logger
}

func (n Notifier) now() time.Time {
	if n.Now == nil {
		return time.Now().UTC()
	}
	return n.Now().UTC()
}

func (n Notifier) log() *slog.Logger {
	if n.Log == nil {
		return slog.Default()
	}
	return n.Log
}

// Tell has an event delivered to those who want to be told of it. The same event told again, as after a crash, is not
// delivered again. An error means that the event is to be told again.
func (n Notifier) Tell(ctx context.Context, account user.Account, e notify.Event) error {
	jobs := n.Jobs.For(account)
	settings, err := jobs.Notifications(ctx)
	if isDamaged(err) {
		// Nothing is better for waiting: the sync that it is about must end.
		n.log().ErrorContext(ctx, "whom to tell cannot be read; nobody is", "account", account, "event", e.ID,
			"error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read whom to tell of event %s: %w", e.ID, err)
	}
	if !settings.Wants(e.Type) {
		return nil
	}
	var errs []error
	if w := settings.Webhook; w.Told() && e.Digest == "" {
		errs = append(errs, n.send(ctx, account, notify.Delivery{ID: idOf(e, "webhook"), Event: e, URL: w.URL}))
	}
	if len(settings.Email) > 0 && !e.NoMail {
		errs = append(errs, n.send(ctx, account, notify.Delivery{ID: idOf(e, "mail"), Event: e, To: settings.Email}))
	}
	return errors.Join(errs...)
}

// isDamaged reports whether a record was read and makes no sense.
func isDamaged(err error) bool {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &wrong)
}

// idOf names an event's delivery. An event's id may be longer than a record's name.
func idOf(e notify.Event, by string) string {
	hash := sha256.Sum256([]byte(e.ID))
	return hex.EncodeToString(hash[:16]) + "." + by
}

// send stores a new delivery and puts it on the queue. Where that fails, the record says when somebody else does.
func (n Notifier) send(ctx context.Context, account user.Account, d notify.Delivery) error {
	d.CreatedAt = n.now()
	d.NextAt = d.CreatedAt.Add(lost)
	d, err := n.Jobs.For(account).PutDelivery(ctx, d)
	switch {
	case errors.Is(err, runs.ErrConflict):
		return nil // It was told before.
	case err != nil:
		return fmt.Errorf("store delivery %s: %w", d.ID, err)
	}
	if err := n.Queue.Send(ctx, message(account, d)); err != nil {
		n.log().WarnContext(ctx, "a delivery waits for the clock", "account", account, "event", d.Event.ID,
			"error", err)
	}
	return nil
}

// message asks for the next try at a delivery.
func message(account user.Account, d notify.Delivery) queue.Message {
	m := queue.Message{Task: queue.TaskWebhook, Account: account, RunID: d.ID, Slice: d.Attempts}
	switch {
	case d.Event.Type == notify.Test:
		m.Task = queue.TaskTest
	case d.URL == "":
		m.Task = queue.TaskMail
	}
	return m
}

// SendDue puts the deliveries on the queue that are to be tried again, or whose message was lost, and returns how many
// those are. It goes on past the account whose delivery it cannot send.
func (n Notifier) SendDue(ctx context.Context) (sent int, err error) {
	due, err := n.Jobs.DueDeliveries(ctx, n.now(), mostDue)
	errs := []error{err}
	for _, ref := range due {
		switch ok, err := n.resend(ctx, ref); {
		case err != nil:
			errs = append(errs, fmt.Errorf("send on delivery %s of account %s: %w", ref.RunID, ref.Account, err))
		case ok:
			sent++
		}
	}
	return sent, errors.Join(errs...)
}

// resend puts a delivery on the queue, unless somebody else is at it.
func (n Notifier) resend(ctx context.Context, ref runs.Ref) (sent bool, err error) {
	jobs, now := n.Jobs.For(ref.Account), n.now()
	d, err := jobs.Delivery(ctx, ref.RunID)
	if errors.Is(err, runs.ErrNotFound) || err == nil && (d.Done || d.NextAt.After(now)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d.NextAt = now.Add(lost)
	if d, err = jobs.PutDelivery(ctx, d); err != nil {
		if errors.Is(err, runs.ErrConflict) {
			err = nil
		}
		return false, err
	}
	m := message(ref.Account, d)
	// A queue takes the same message for a repetition for some minutes.
	m.Again = int(d.Revision)
	return true, n.Queue.Send(ctx, m)
}

// idFor is an id that a mail to an address may have: the event's, and which of its mails it is.
func idFor(e notify.Event, to string) string {
	hash := sha256.Sum256([]byte(e.ID + "\x00" + strings.ToLower(to)))
	return hex.EncodeToString(hash[:16])
}
