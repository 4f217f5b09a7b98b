package runs

import (
	"context"

	"rollcall/shared/notify"
)

// NotificationRecords are who is told of what in an account, and what is still on its way to them.
type NotificationRecords interface {
	// Notifications returns what PutNotifications stored last, and the zero value where it stored nothing.
	Notifications(ctx context.Context) (notify.Settings, error)
	// PutNotifications stores s if the stored revision is still s.Revision (0: nothing is stored), else ErrConflict. It
	// returns them with their new revision. The audit entries are stored with them, all or nothing.
	PutNotifications(ctx context.Context, s notify.Settings, entries ...AuditEntry) (notify.Settings, error)
	// Delivery returns a delivery, or ErrNotFound where there is none or its lifetime is over.
	Delivery(ctx context.Context, id string) (notify.Delivery, error)
	// PutDelivery stores d if the stored revision is still d.Revision (0: nothing is stored), else ErrConflict. It
	// returns it with its new revision. One that is too long is ErrTooLarge.
	PutDelivery(ctx context.Context, d notify.Delivery) (notify.Delivery, error)
}

// EditNotifications reads the notifications, lets change alter them, and stores them with the entries that change
// returns about it; again, after a growing pause, where somebody else stored them meanwhile, so change may be called
// more than once. What change returns as an error ends it without a write.
func EditNotifications(
	ctx context.Context, jobs NotificationRecords, change func(*notify.Settings) ([]AuditEntry, error),
) (s notify.Settings, err error) {
	err = Retry(ctx, func() error {
		if s, err = jobs.Notifications(ctx); err != nil {
			return err
		}
		entries, err := change(&s)
		if err != nil {
			return err
		}
		s, err = jobs.PutNotifications(ctx, s, entries...)
		return err
	})
	return s, err
}
