package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/ports/mail"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

const (
	// shortWait is a wait that a worker sits out itself: a receiver that restarts is back then, and the clock that
	// looks for what is due comes minutes later.
	shortWait = 10 * time.Second
	// tryTime is how long one try may take: ten mails to a server that is slow.
	tryTime = 4 * time.Minute
)

// Worker tries deliveries.
type Worker struct {
	Notifier
	Opener   secret.Opener
	Webhooks *Webhooks
	// Mail is nil where no mails can be sent.
	Mail mail.Sender
	// Page is the address of the LDAP Import page, for the links in mails; empty where it is not known.
	Page string
	// Sleep waits, or returns an error where ctx ends; it defaults to waiting.
	Sleep func(ctx context.Context, d time.Duration) error
}

// answer is what came of a try at one receiver.
type answer struct {
	to        string
	delivered bool
	// final means that another try does not help, ended that the receiver wants nothing any more.
	final, ended bool
	status       int
	message      string
	// retryAfter is when the receiver wants to be asked again, 0 where it did not say.
	retryAfter time.Duration
}

// Work tries the delivery that a message names; it is a queue.Handler. What is wrong with a receiver ends up in the
// account's notifications. An error means that a store could not be reached.
func (w *Worker) Work(ctx context.Context, m queue.Message) error {
	jobs := w.Jobs.For(m.Account)
	for attempt := m.Slice; ; attempt++ {
		d, err := w.take(ctx, jobs, m.RunID, attempt)
		if d == nil || err != nil {
			return err
		}
		answers, err := w.try(ctx, jobs, m.Account, d)
		if err != nil {
			return fmt.Errorf("delivery %s of account %s: %w", d.ID, m.Account, err)
		}
		wait, err := w.record(ctx, jobs, m.Account, d, answers)
		if err != nil || d.Done || wait > shortWait || w.sleep(ctx, wait) != nil {
			return err
		}
	}
}

// take claims the next try at a delivery, which is the attempt after so many others; nil where somebody else did, or
// nothing is left to do.
func (w *Worker) take(ctx context.Context, jobs runs.Jobs, id string, attempts int) (*notify.Delivery, error) {
	d, err := jobs.Delivery(ctx, id)
	if errors.Is(err, runs.ErrNotFound) || err == nil && (d.Done || d.Attempts != attempts) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read delivery %s: %w", id, err)
	}
	d.Attempts++
	// Whoever dies now is followed by the clock.
	d.NextAt = w.now().Add(tryTime + time.Minute)
	d, err = jobs.PutDelivery(ctx, d)
	if errors.Is(err, runs.ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take up delivery %s: %w", id, err)
	}
	return &d, nil
}

// try asks the receivers that are still named. None means that nobody wants the event any more.
func (w *Worker) try(
	ctx context.Context, jobs runs.Jobs, account user.Account, d *notify.Delivery,
) ([]answer, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	settings, err := jobs.Notifications(ctx)
	if err != nil {
		return nil, err
	}
	if d.URL == "" {
		return w.mail(ctx, d, settings), nil
	}
	hook := settings.Webhook
	if !hook.Told() || hook.URL != d.URL {
		return nil, nil
	}
	opened, err := w.Opener.Open(ctx, hook.SealedSecret, secret.Binding{
		Account: string(account), Target: notify.Target(hook.URL),
	})
	if errors.Is(err, secret.ErrUnsealable) {
		return []answer{{final: true, message: "The stored secret cannot be opened. Enter it again."}}, nil
	}
	if err != nil {
		return nil, err
	}
	return []answer{w.Webhooks.post(ctx, hook.URL, opened, d.Event, w.now())}, nil
}

// mail sends the event's mail to each address that has not got it and is still named.
func (w *Worker) mail(ctx context.Context, d *notify.Delivery, settings notify.Settings) (answers []answer) {
	subject, text := notify.Mail(d.Event, w.Page)
	for _, to := range d.To {
		if !slices.Contains(settings.Email, to) {
			continue
		}
		if w.Mail == nil {
			answers = append(answers, answer{to: to, final: true, message: "This deployment has no mail server " +
				"configured, so no mail was sent. Whoever runs it can set one up."})
			continue
		}
		m := mail.Message{ID: idFor(d.Event, to), To: to, Subject: subject, Text: text, Date: d.Event.Time}
		if w.Page != "" {
			m.Page = w.Page + "#/notifications"
		}
		a := answer{to: to, delivered: true, message: "The mail server took the mail."}
		if err := w.Mail.Send(ctx, m); err != nil {
			a = answer{to: to, final: errors.Is(err, mail.ErrRefused), message: err.Error()}
		}
		answers = append(answers, a)
	}
	return answers
}

// record stores what came of a try, and returns how long to wait for the next one.
func (w *Worker) record(
	ctx context.Context, jobs runs.Jobs, account user.Account, d *notify.Delivery, answers []answer,
) (wait time.Duration, err error) {
	// What a receiver got must not be sent again because this worker was told to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	now := w.now()
	wait = d.Wait(now)
	var left []string
	again := false
	for _, a := range answers {
		wait = max(wait, min(a.retryAfter, notify.LongestWait))
		if !a.delivered && !a.final && !a.ended {
			again = true
			left = append(left, a.to)
		}
	}
	event := d.Event
	if again = again && !d.Over(now.Add(wait)); again {
		d.To, d.NextAt = left, now.Add(wait)
		if d.URL != "" {
			d.To = nil
		}
	} else {
		d.Finish()
	}
	stored, err := jobs.PutDelivery(ctx, *d)
	if errors.Is(err, runs.ErrConflict) {
		// It took so long that the clock had it sent again: what the receiver got, it may get twice.
		d.Done = true
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("store what came of delivery %s: %w", d.ID, err)
	}
	*d = stored
	return wait, w.note(ctx, jobs, account, *d, event, answers)
}

// note tells the account what its receivers said.
func (w *Worker) note(
	ctx context.Context, jobs runs.Jobs, account user.Account, d notify.Delivery, e notify.Event, answers []answer,
) error {
	if len(answers) == 0 {
		return nil
	}
	now := w.now()
	_, err := runs.EditNotifications(ctx, jobs, func(s *notify.Settings) ([]runs.AuditEntry, error) {
		for _, a := range answers {
			o := notify.Outcome{
				To: a.to, EventID: e.ID, Type: e.Type, At: now, Attempts: d.Attempts, Delivered: a.delivered,
				Status: a.status, Message: a.message,
			}
			if !a.delivered && !a.final && !a.ended {
				o.NextAt = d.NextAt
			}
			s.Note(o)
			if a.ended && s.Webhook != nil && s.Webhook.URL == d.URL {
				s.Webhook.EndedAt = now
			}
		}
		return nil, nil
	})
	for _, a := range answers {
		w.log().InfoContext(ctx, "delivery", "account", account, "event", e.ID, "type", e.Type, "byMail", d.URL == "",
			"attempt", d.Attempts, "delivered", a.delivered, "status", a.status, "done", d.Done)
	}
	if err != nil {
		return fmt.Errorf("note what came of delivery %s: %w", d.ID, err)
	}
	return nil
}

func (w *Worker) sleep(ctx context.Context, d time.Duration) error {
	if w.Sleep != nil {
		return w.Sleep(ctx, d)
	}
	return runs.Wait(ctx, d)
}
