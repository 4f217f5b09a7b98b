package dynamodb

import (
	"context"

	"rollcall/shared/manifest"
	"rollcall/shared/notify"
	"rollcall/shared/ports/runs"
)

func (a accountJobs) Notifications(ctx context.Context) (notify.Settings, error) {
	return readValue[notify.Settings](ctx, a, recordNotifications)
}

func (a accountJobs) PutNotifications(
	ctx context.Context, s notify.Settings, entries ...runs.AuditEntry,
) (notify.Settings, error) {
	read, err := a.read(ctx, recordNotifications)
	if err != nil {
		return s, err
	}
	stored, err := decodeOrZero[notify.Settings](read)
	if err != nil {
		return s, err
	}
	if stored.Revision != s.Revision {
		return s, runs.ErrConflict
	}
	s.Revision++
	next, err := newRecord(s, nil)
	if err != nil {
		return s, err
	}
	return s, a.put(ctx, recordNotifications, next, read, entries)
}

func (a accountJobs) Delivery(ctx context.Context, id string) (d notify.Delivery, err error) {
	if id == "" || len(prefixDelivery+id) > maxKey {
		return d, runs.ErrNotFound
	}
	stored, err := a.read(ctx, prefixDelivery+id)
	if err != nil {
		return d, err
	}
	if err := stored.decode(&d); err != nil {
		return notify.Delivery{}, err
	}
	if a.now().Sub(d.CreatedAt) > notify.DeliveryLifetime {
		return notify.Delivery{}, runs.ErrNotFound
	}
	return d, nil
}

func (a accountJobs) PutDelivery(ctx context.Context, d notify.Delivery) (notify.Delivery, error) {
	name := prefixDelivery + d.ID
	read, err := a.read(ctx, name)
	if err != nil {
		return d, err
	}
	stored, err := decodeOrZero[notify.Delivery](read)
	if err != nil {
		return d, err
	}
	if stored.Revision != d.Revision {
		return d, runs.ErrConflict
	}
	d.Revision++
	index := item{manifest.ExpiresAt: number(d.CreatedAt.Add(notify.DeliveryLifetime).Unix())}
	if !d.NextAt.IsZero() {
		a.putDue(index, dueDeliveries, d.NextAt)
	}
	next, err := newRecord(d, index)
	if err != nil {
		return d, err
	}
	return d, a.put(ctx, name, next, read, nil)
}
