package importer

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/plan"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// editTime is longer than any edit by hand takes. One that was noted longer ago and not told was left by a process that
// died, or that could reach nobody.
const editTime = 2 * time.Minute

// editNews is an edit by hand that is noted and to be told.
type editNews struct {
	event notify.Event
	// others are the events that had been noted before.
	others []run.Untold
}

// noteEdit notes the event of an edit before it is made, so that it is told whatever happens in between. It returns nil
// where nobody is told. before is the user until now, nil for a new one.
func (c core) noteEdit(
	ctx context.Context, account user.Account, before *user.User, change users.Change, entry runs.AuditEntry,
) (*editNews, error) {
	if c.Events == nil && c.Notifier == nil {
		return nil, nil
	}
	u := change.After
	if u == nil {
		u = before
	}
	event := notify.New(notify.UsersChanged, entry.ID+"/changed", account, "users/"+u.Address, entry.At)
	d := &event.Data
	d.EditID, d.By, d.Subject = entry.ID, entry.By, u.Address
	describe(&event, kindOfEdit(before, change.After), *u)
	news := &editNews{event: event}
	noted, err := untold(event, c.now())
	if err != nil {
		return nil, err
	}
	noted.Edited = change.Key
	_, err = c.Jobs.For(account).UpdateTold(ctx, func(t *run.Told) error {
		news.others, news.event.NoMail = t.Untold, c.mailedLately(t, c.now())
		t.Untold = append(t.Untold[:len(t.Untold):len(t.Untold)], noted)
		return nil
	})
	return news, err
}

func kindOfEdit(before, after *user.User) plan.Change {
	switch {
	case after == nil:
		return plan.Delete
	case before == nil:
		return plan.Create
	}
	return plan.Update
}

// describe says what an edit did to a user.
func describe(e *notify.Event, change plan.Change, u user.User) {
	e.Data.Changes = []notify.Change{changeOf(change, nil, &u)}
	e.Data.Applied = new(run.Applied)
	switch change {
	case plan.Create:
		e.Data.Applied.Create = 1
	case plan.Delete:
		e.Data.Applied.Delete = 1
	default:
		e.Data.Applied.Update = 1
	}
}

// tellEdit tells an edit that ended with an error or nil. Where nobody knows whether it was made, or nobody can be
// reached, it stays noted. What keeps it from being told is no reason to tell the one who made it that it failed.
func (c core) tellEdit(ctx context.Context, account user.Account, news *editNews, made error) {
	if news == nil || made != nil && !errors.Is(made, runs.ErrConflict) {
		return
	}
	// Whoever asked may have gone; the edit is made.
	ctx = context.WithoutCancel(ctx)
	jobs, mailedAt := c.Jobs.For(account), time.Time{}
	var err error
	if made == nil {
		err = c.publishChange(ctx, account, news.event)
		if !news.event.NoMail {
			mailedAt = c.now()
		}
	}
	if err == nil {
		err = forget(ctx, jobs, []string{news.event.ID}, mailedAt)
	}
	if err == nil {
		err = c.tellNoted(ctx, account, jobs, news.others)
	}
	if err != nil {
		c.Log.ErrorContext(ctx, "an edit by hand is told later",
			"account", account, "event", news.event.ID, "error", err)
	}
}

// tellLeftEdit tells an edit that was left, with the user as it is now: whether the edit was made is not known.
func (c core) tellLeftEdit(ctx context.Context, account user.Account, event notify.Event, key string) error {
	u, err := c.Users.For(account).Get(ctx, key)
	switch {
	case err == nil && event.Data.Applied != nil && event.Data.Applied.Create == 1:
		describe(&event, plan.Create, u)
	case err == nil:
		describe(&event, plan.Update, u)
	case !errors.Is(err, users.ErrNotFound):
		return err
	case len(event.Data.Changes) == 1:
		event.Data.Changes[0].Change, event.Data.Applied = string(plan.Delete), &run.Applied{Delete: 1}
	}
	event.NoMail = true
	return c.publishChange(ctx, account, event)
}
