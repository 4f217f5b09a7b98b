package importer

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// wantsLooks reports whether a schedule looks for what changed, and whether that is possible: after a full sync with
// the same connection and search.
func wantsLooks(s *settings.Saved, l *run.Looks) bool {
	return s.Schedule != nil && !s.Schedule.Paused && s.Schedule.QuickMinutes > 0 && l.Possible() &&
		l.Fingerprint == s.Fingerprint()
}

// newSince is since when users may have come from a look (plan.Policy).
func newSince(l *run.Looks) int64 {
	if l.NewSince.IsZero() {
		return 0
	}
	return l.NewSince.UnixMilli()
}

// quickInterval is the time between two looks.
func (c core) quickInterval(s *settings.Saved) time.Duration {
	return time.Duration(s.Schedule.QuickMinutes) * (c.Hour / 60)
}

// wakeLooks lets the looks begin that settings ask for which are about to be saved. Where they are not saved after all,
// the tick finds that nobody wants the look.
func (s *Service) wakeLooks(ctx context.Context, jobs runs.Jobs, next settings.Saved) error {
	if next.Schedule == nil || next.Schedule.QuickMinutes == 0 {
		return nil
	}
	_, err := jobs.UpdateLooks(ctx, func(l *run.Looks) error {
		at := s.c.now().Add(s.c.quickInterval(&next))
		if !wantsLooks(&next, l) || !l.NextAt.IsZero() && !l.NextAt.After(at) {
			return runs.ErrUnchanged
		}
		l.NextAt = at
		return nil
	})
	return unlessUnchanged(err)
}

// StartLooks has a worker look for what changed in every directory whose look is due, and returns how many. As in
// StartDue several may run at once, and an account that fails stops no other.
func (s *Service) StartLooks(ctx context.Context) (started int, err error) {
	return s.startEach(ctx, "look", s.c.Jobs.DueLooks, s.startLookOf)
}

// startLookOf takes the slot of an account's look and sends its message. A message that is lost is made up for by the
// next look.
func (s *Service) startLookOf(ctx context.Context, account user.Account) (bool, error) {
	jobs := s.c.Jobs.For(account)
	saved, err := jobs.Settings(ctx)
	if err != nil && !errors.Is(err, runs.ErrNotFound) {
		return false, err
	}
	wanted, now := false, s.c.now()
	_, err = jobs.UpdateLooks(ctx, func(l *run.Looks) error {
		if l.NextAt.IsZero() || l.NextAt.After(now) {
			return runs.ErrUnchanged
		}
		if wanted = wantsLooks(&saved, l); wanted {
			l.NextAt = nextSlot(l.NextAt, s.c.quickInterval(&saved), now)
		} else {
			l.NextAt = time.Time{}
		}
		return nil
	})
	switch {
	case errors.Is(err, runs.ErrUnchanged):
		return false, nil
	case err != nil || !wanted:
		return false, err
	}
	return true, s.c.Queue.Send(ctx, queue.Message{
		Task: queue.TaskLook, Account: account, RunID: s.c.NewID(), Scheduled: true,
	})
}

// noteLooks lets the next look know how a sync ended.
func (j *job) noteLooks(ctx context.Context, state run.State, failure *run.Failure) error {
	quick := j.run.Trigger == run.TriggerQuick
	if !quick && (!j.run.Full() || state != run.Done && state != run.Blocked) {
		return nil
	}
	saved, err := j.jobs.Settings(ctx)
	if err != nil && !errors.Is(err, runs.ErrNotFound) {
		return err
	}
	_, err = j.jobs.UpdateLooks(ctx, func(l *run.Looks) error {
		switch {
		case quick:
			j.noteQuick(l, state, failure)
		case j.tracking == run.Tracking{}:
			// An earlier build took the preview.
			return runs.ErrUnchanged
		case state == run.Done:
			j.noteFull(l, &saved)
		case j.run.Trigger != run.TriggerSchedule:
			// Only a scheduled sync that is blocked has written something.
			return runs.ErrUnchanged
		default:
			l.NewSince = time.Time{}
		}
		return j.leaseIsOver()
	})
	return unlessUnchanged(err)
}

func (j *job) noteQuick(l *run.Looks, state run.State, failure *run.Failure) {
	if l.RunID == j.run.ID {
		l.RunID = ""
	}
	if l.Fingerprint != j.run.Fingerprint() {
		return
	}
	switch {
	case state == run.Done:
		l.Note(j.tracking)
		l.LastAt, l.Error = j.now(), ""
	case failure != nil:
		l.Error = failure.Message
	}
}

// noteFull starts the looks again from what a full sync read.
func (j *job) noteFull(l *run.Looks, saved *settings.Saved) {
	if fingerprint := j.run.Fingerprint(); l.Fingerprint != fingerprint {
		*l = run.Looks{Fingerprint: fingerprint, NewSince: l.NewSince}
	}
	l.Note(j.tracking)
	l.Error = ""
	if j.run.PreviewID == "" {
		// Looks may have gone on after a preview.
		l.NewSince = time.Time{}
	}
	l.NextAt = time.Time{}
	if wantsLooks(saved, l) {
		l.NextAt = j.now().Add(j.quickInterval(saved))
	}
}
