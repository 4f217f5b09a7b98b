package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/notify"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Notifier tells those whom an account named an event, as its notifications say. A nil error means that the event is
// not lost any more; one that is told again has the same id.
type Notifier interface {
	Tell(ctx context.Context, account user.Account, e notify.Event) error
}

// tellEnding tells how a full sync ended, where that is news: a state is told once. What is noted and could not be told
// is told with it. stands reports an error where the caller may not write any more.
func (c core) tellEnding(
	ctx context.Context, account user.Account, jobs runs.Jobs, e ending, stands func() error,
) error {
	if c.Notifier == nil || !e.run.Full() {
		return nil
	}
	told, err := jobs.Told(ctx)
	if err != nil {
		return err
	}
	noted := told.Untold
	if e.state != run.Done || told.State != "" {
		ends, err := endsTrouble(ctx, jobs, &told, &e)
		if err != nil {
			return err
		}
		_, err = jobs.UpdateTold(ctx, func(t *run.Told) error {
			before := *t
			noted = t.Untold
			if !ends {
				return runs.ErrUnchanged
			}
			tell, changed := t.Note(&e.run, e.state, e.code(), e.at)
			if !changed {
				return runs.ErrUnchanged
			}
			if tell != "" {
				u, err := untold(e.event(account, tell, before), e.at)
				if err != nil {
					return err
				}
				t.Untold = append(t.Untold, u)
			}
			noted = t.Untold
			return stands()
		})
		if err := unlessUnchanged(err); err != nil {
			return err
		}
	}
	if err := c.tellNoted(ctx, account, jobs, noted); err != nil {
		return err
	}
	return c.tellDigest(ctx, account, jobs, told, &e, stands)
}

// endsTrouble reports whether an ending may change what was told. One that went well with other settings than those
// that are saved, or that the trouble is about, says nothing about these.
func endsTrouble(ctx context.Context, jobs runs.Jobs, told *run.Told, e *ending) (bool, error) {
	if e.state != run.Done || told.Fingerprint == e.run.Fingerprint() {
		return true, nil
	}
	saved, err := jobs.Settings(ctx)
	if errors.Is(err, runs.ErrNotFound) {
		return true, nil
	}
	return saved.Fingerprint() == e.run.Fingerprint(), err
}

// event is the event that tells the ending. before is what was told until now.
func (e ending) event(account user.Account, tell run.State, before run.Told) notify.Event {
	types := map[run.State]notify.Type{
		run.Failed: notify.SyncFailed, run.Blocked: notify.SyncBlocked, run.Done: notify.SyncRecovered,
	}
	event := notify.New(types[tell], eventID(e.run.ID, tell), account, syncSubject(e.run.ID), e.at)
	d := &event.Data
	d.SyncID, d.Trigger, d.Applied = e.run.ID, e.run.Trigger, e.run.Applied
	d.Code = e.code()
	switch tell {
	case run.Failed:
		d.Message = e.failure.Message
	case run.Blocked:
		d.Message, d.Removals = e.guard.Message, e.guard.Removals
	default:
		d.Since, d.After, d.Syncs = before.Since, before.State, before.Syncs
	}
	return event
}

// code is the reason of an ending that did not go well.
func (e ending) code() string {
	switch {
	case e.state == run.Blocked:
		return string(e.guard.Reason)
	case e.failure != nil:
		return e.failure.Code
	}
	return ""
}

// eventID is the same for each repetition.
func eventID(runID string, tell run.State) string {
	if tell == run.Done {
		return runID + "/recovered"
	}
	return runID + "/" + string(tell)
}

func syncSubject(runID string) string { return "syncs/" + runID }

func untold(e notify.Event, at time.Time) (run.Untold, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return run.Untold{}, fmt.Errorf("note event %s: %w", e.ID, err)
	}
	return run.Untold{ID: e.ID, At: at, Event: text}, nil
}

// tellNoted tells events that were noted, and forgets them. One of an edit by hand is left alone while that may be
// under way.
func (c core) tellNoted(ctx context.Context, account user.Account, jobs runs.Jobs, noted []run.Untold) error {
	var told []string
	for _, u := range noted {
		var event notify.Event
		err := json.Unmarshal(u.Event, &event)
		switch {
		case err != nil:
		case u.Edited == "" && c.Notifier != nil:
			err = c.Notifier.Tell(ctx, account, event)
		case u.Edited != "" && c.Users != nil && c.now().Sub(u.At) > editTime:
			err = c.tellLeftEdit(ctx, account, event, u.Edited)
		default:
			continue
		}
		if err != nil {
			return fmt.Errorf("tell event %s: %w", u.ID, err)
		}
		told = append(told, u.ID)
	}
	return forget(ctx, jobs, told, time.Time{})
}

// forget removes events that were told, and notes when one was mailed that is mailed now and then only.
func forget(ctx context.Context, jobs runs.Jobs, ids []string, mailedAt time.Time) error {
	if len(ids) == 0 && mailedAt.IsZero() {
		return nil
	}
	_, err := jobs.UpdateTold(ctx, func(t *run.Told) error {
		for _, id := range ids {
			t.Forget(id)
		}
		if mailedAt.After(t.MailedAt) {
			t.MailedAt = mailedAt
		}
		return nil
	})
	return err
}

// mailedLately reports whether a change by a quick look or by hand was mailed within the hour before now.
func (c core) mailedLately(t *run.Told, now time.Time) bool {
	return within(c.Hour, t.MailedAt, now)
}

// tellChange tells what a sync or an undo changed, if it changed something. The id counts the changes: where a worker
// dies here, and the next one writes more, that is another event.
func (j *job) tellChange(ctx context.Context) error {
	done := j.applied()
	if j.Events == nil && j.Notifier == nil || done.Written() == 0 {
		return nil
	}
	id, now := j.run.ID, j.now()
	event := notify.New(
		notify.UsersChanged, fmt.Sprintf("%s/changed/%d", id, done.Written()), j.account, syncSubject(id), now,
	)
	event.Data.SyncID, event.Data.Trigger, event.Data.Applied = id, j.run.Trigger, done
	event.Data.ChangesURL = "/v1/syncs/" + id + "/changes?outcome=applied"
	if done.Written() <= notify.MaxChanges {
		changes, err := j.changes(ctx)
		if err == nil {
			err = event.AddChanges(changes)
		}
		if err != nil {
			return err
		}
	}
	if j.run.Trigger != run.TriggerQuick {
		return j.publishChange(ctx, j.account, event)
	}
	told, err := j.jobs.Told(ctx)
	if err != nil {
		return err
	}
	event.NoMail = j.mailedLately(&told, now)
	if err := j.publishChange(ctx, j.account, event); err != nil || event.NoMail {
		return err
	}
	return forget(ctx, j.jobs, nil, now)
}

// changes returns what the sync wrote, and nothing where its journal cannot be read.
func (j *job) changes(ctx context.Context) ([]notify.Change, error) {
	r, err := j.jobs.LeanRun(ctx, j.run.ID)
	if err != nil {
		return nil, err
	}
	journal, err := j.openJournal(ctx, j.account, r)
	if err != nil {
		return nil, unlessFailure(err)
	}
	defer journal.Close()
	var changes []notify.Change
	query := ChangeQuery{
		Filter:   planfile.Filter{Changes: []plan.Change{plan.Create, plan.Update, plan.Delete}},
		Outcomes: []Outcome{OutcomeApplied}, Limit: notify.MaxChanges,
	}
	for {
		page, err := journal.page(ctx, query)
		if err != nil {
			return nil, unlessFailure(err)
		}
		for i := range page.Changes {
			c := &page.Changes[i]
			changes = append(changes, changeOf(c.Change, c.Before, c.After))
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			return changes, nil
		}
	}
}

// unlessFailure is err, nil where it is the run's own: a journal that is damaged stays so.
func unlessFailure(err error) error {
	if failureOf(err) == nil {
		return err
	}
	return nil
}

// changeOf describes what was done to a user: as it is now, or as it was where it is gone.
func changeOf(change plan.Change, before, after *user.User) notify.Change {
	u := after
	if u == nil {
		u = before
	}
	return notify.Change{
		Address: u.Address, Kind: u.Kind, PrimaryAddress: u.PrimaryAddress, Type: u.Type, Change: string(change),
	}
}

// publishChange tells everybody that users changed.
func (c core) publishChange(ctx context.Context, account user.Account, event notify.Event) error {
	if c.Events != nil {
		err := c.Events.Publish(ctx, events.Event{
			Name: events.Name(event.Type), Account: account, At: event.Time, Detail: event,
		})
		if err != nil {
			return err
		}
	}
	if c.Notifier == nil {
		return nil
	}
	return c.Notifier.Tell(ctx, account, event)
}
