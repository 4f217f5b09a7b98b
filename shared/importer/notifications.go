package importer

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// NotificationsRequest says who is to be told of what from now on.
type NotificationsRequest struct {
	Email []string
	// WebhookURL is nil for none. WebhookSecret is empty to keep the stored one, for the same URL only.
	WebhookURL    *string
	WebhookSecret secret.String
	Events        []notify.Kind
	Match         Match
}

// Check lists what is wrong whatever is stored and wherever webhooks may be.
func (r NotificationsRequest) Check() error {
	wrong := r.settings().Validate(notify.Rules{Insecure: true})
	if !r.WebhookSecret.Empty() {
		if _, err := notify.Key(r.WebhookSecret.Reveal()); err != nil {
			wrong = append(wrong, settings.FieldError{Field: "webhook.secret", Message: err.Error()})
		}
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

func (r NotificationsRequest) settings() notify.Settings {
	s := notify.Settings{Email: r.Email, Events: r.Events}
	if r.WebhookURL != nil {
		s.Webhook = &notify.Webhook{URL: *r.WebhookURL}
	}
	return s
}

// Notifications are who is told of what, and whether mails can be sent.
type Notifications struct {
	notify.Settings
	// MailFrom is the address that mails come from, empty where none can be sent.
	MailFrom string
}

// Notifications returns who is told of what.
func (s *Service) Notifications(ctx context.Context, id run.Identity) (Notifications, error) {
	stored, err := s.c.Jobs.For(id.Account).Notifications(ctx)
	return Notifications{stored, s.c.MailFrom}, err
}

// SaveNotifications stores who is told of what. A webhook that had ended begins again.
func (s *Service) SaveNotifications(
	ctx context.Context, id run.Identity, req NotificationsRequest,
) (Notifications, error) {
	stored, err := runs.EditNotifications(ctx, s.c.Jobs.For(id.Account),
		func(saved *notify.Settings) ([]runs.AuditEntry, error) {
			if req.Match != nil && !req.Match(saved.Version) {
				return nil, problem(Stale, "notifications_changed_meanwhile",
					"Somebody saved the notifications meanwhile. Read them again and save on top of those.")
			}
			next, err := s.newNotifications(ctx, id, req, *saved)
			if err != nil {
				return nil, err
			}
			diff := notificationsDiff(*saved, next)
			*saved = next
			return []runs.AuditEntry{s.entry(id, runs.NotificationsSaved, "notifications", diff)}, nil
		})
	return Notifications{stored, s.c.MailFrom}, err
}

// newNotifications is what a request makes of the notifications.
func (s *Service) newNotifications(
	ctx context.Context, id run.Identity, req NotificationsRequest, old notify.Settings,
) (notify.Settings, error) {
	now, next := s.c.now(), old
	entered := req.settings()
	next.Email, next.Events, next.Webhook = entered.Email, entered.Events, entered.Webhook
	wrong := next.Validate(s.c.Webhooks)
	if hook := next.Webhook; hook != nil {
		var err error
		hook.SealedSecret, err = s.sealSecret(ctx, id, req.WebhookSecret, hook.URL, old.Webhook, len(wrong) == 0)
		var field *settings.FieldError
		if field, err = fieldOf(err); field != nil {
			wrong = append(wrong, *field)
		}
		if err != nil {
			return next, err
		}
	}
	if len(wrong) > 0 {
		return next, invalid(wrong...)
	}
	next.UpdatedAt, next.UpdatedBy = now, id.Subject
	next.Version = max(old.Version+1, now.UnixMilli())
	next.Forget()
	if old.Webhook != nil && next.Webhook != nil && old.Webhook.URL != next.Webhook.URL {
		// What the other receiver said is not this one's.
		next.Last = slices.DeleteFunc(slices.Clone(next.Last), func(o notify.Outcome) bool { return o.To == "" })
	}
	return next, nil
}

// errField is a field that is wrong.
type errField struct{ settings.FieldError }

func (e errField) Error() string { return e.Field + " " + e.Message }

// fieldOf returns the wrong field that an error is, or the error.
func fieldOf(err error) (*settings.FieldError, error) {
	var wrong errField
	if errors.As(err, &wrong) {
		return &wrong.FieldError, nil
	}
	return nil, err
}

// sealSecret returns the sealed secret of a webhook: the one that was entered, or the stored one of the same URL. It
// seals nothing where something else is wrong.
func (s *Service) sealSecret(
	ctx context.Context, id run.Identity, entered secret.String, url string, old *notify.Webhook, seal bool,
) ([]byte, error) {
	const field = "webhook.secret"
	if entered.Empty() {
		if old == nil || old.URL != url {
			return nil, errField{settings.FieldError{Field: field, Message: "is required for a new URL: the stored " +
				"secret is kept for the same URL only"}}
		}
		return old.SealedSecret, nil
	}
	if _, err := notify.Key(entered.Reveal()); err != nil {
		return nil, errField{settings.FieldError{Field: field, Message: err.Error()}}
	}
	if !seal {
		return nil, nil
	}
	return s.c.Sealer.Seal(ctx, entered, secret.Binding{Account: string(id.Account), Target: notify.Target(url)})
}

// notificationsDiff names what saving changed, without any secret.
func notificationsDiff(old, now notify.Settings) map[string]string {
	details := make(map[string]string)
	note := func(name, from, to string) {
		if from != to {
			details[name] = shortened(from, maxText) + " → " + shortened(to, maxText)
		}
	}
	for name, lists := range map[string][2][]string{
		"email":  {old.Email, now.Email},
		"events": {run.Texts[string](old.Events), run.Texts[string](now.Events)},
	} {
		if changed := listDiff(lists[0], lists[1]); changed != "" {
			details[name] = changed
		}
	}
	before, after := webhookOf(old), webhookOf(now)
	note("webhook.url", before.URL, after.URL)
	if after.URL != "" && string(before.SealedSecret) != string(after.SealedSecret) {
		details["webhook.secret"] = "changed"
	}
	if !before.EndedAt.IsZero() && after.URL != "" {
		details["webhook.endedAt"] = "began again"
	}
	return details
}

func webhookOf(s notify.Settings) notify.Webhook {
	if s.Webhook == nil {
		return notify.Webhook{}
	}
	return *s.Webhook
}

// testLimit bounds the tests of an account: each sends mails.
func testLimit() limit {
	return limit{"test", 0, 10, time.Minute, "too_many_tests", "tests were sent"}
}

// TestNotifications has a test sent to everybody whom the notifications name, and returns its event's id: what each
// receiver says is in the notifications.
func (s *Service) TestNotifications(ctx context.Context, id run.Identity) (eventID string, err error) {
	jobs := s.c.Jobs.For(id.Account)
	stored, err := jobs.Notifications(ctx)
	switch {
	case err != nil:
		return "", err
	case len(stored.Email) == 0 && stored.Webhook == nil:
		return "", problem(Conflict, "nobody_to_tell",
			"The notifications name nobody. Save an address or a webhook first.")
	case len(stored.Email) == 0 && !stored.Webhook.Told():
		return "", problem(Conflict, "webhook_ended",
			"The webhook's receiver said that it wants nothing more (410). Save the notifications to begin again.")
	}
	if _, err := s.count(ctx, jobs, testLimit(), "", nil); err != nil {
		return "", err
	}
	event := notify.New(notify.Test, s.c.NewID(), id.Account, "", s.c.now())
	receivers := slices.Clone(stored.Email)
	if stored.Webhook.Told() {
		receivers = append(receivers, "webhook")
	}
	entry := s.entry(id, runs.NotificationsTested, "notifications", map[string]string{"to": some(receivers)})
	if _, err := runs.EditNotifications(ctx, jobs, func(*notify.Settings) ([]runs.AuditEntry, error) {
		return []runs.AuditEntry{entry}, nil
	}); err != nil {
		return "", err
	}
	return event.ID, s.c.Notifier.Tell(ctx, id.Account, event)
}
