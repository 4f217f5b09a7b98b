package importer

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// maxRefusals is how many scheduled runs and looks in a row may fail because the directory refuses the stored username
// and password. One more could lock the account, and with it whatever else signs in with it.
const maxRefusals = 3

// The words of a health that no run has some for.
const (
	neverRun = "No sync has ended since the settings were saved. Take a preview and sync it, or wait for the schedule."
	wentWell = "The last sync went through. There is nothing to do."
	byHand   = "paused with the settings"

	refusedReason = "the directory refused the stored username and password at three scheduled syncs or looks in a " +
		"row, and more tries could lock the account. Enter the right password, then resume the schedule."
)

// ending is how a sync with the saved settings ends.
type ending struct {
	run     run.Run
	state   run.State
	failure *run.Failure
	guard   run.Guard
	steps   []run.Step
	at      time.Time
}

// noteIn lets the settings remember the ending. After a crash it is noted again, and counts once.
func (e ending) noteIn(s *settings.Saved) {
	if !e.run.Full() {
		// It tells nothing of how the syncs fare that read all.
		e.notePassword(s, true)
		return
	}
	if e.run.StartedAt.Before(s.LastSyncStartedAt) && !s.LastSyncStartedAt.After(e.at) {
		// A worker that was replaced wakes late. What lies ahead of now was started by a wrong clock.
		return
	}
	first := s.LastSyncID != e.run.ID
	scheduled := e.run.Trigger == run.TriggerSchedule
	switch {
	case e.state == run.Done:
		s.ConsecutiveFailures = 0
	case e.state == run.Failed && scheduled && first:
		s.ConsecutiveFailures++
	}
	e.notePassword(s, first && scheduled)
	e.noteHealth(s)
	s.LastSyncID, s.LastSyncStartedAt = e.run.ID, e.run.StartedAt
}

// notePassword counts the syncs in a row whose username and password were refused, and pauses the schedule when they
// are too many. A sync that signed in starts the count again, and so does a new password.
func (e ending) notePassword(s *settings.Saved, counts bool) {
	if !bytes.Equal(e.run.SealedPassword, s.SealedPassword) {
		// It says nothing about the password that is stored now.
		return
	}
	refused := e.refused()
	switch {
	case e.signedIn():
		s.Refusals = 0
	case refused && counts:
		s.Refusals++
	}
	if !refused || s.Refusals < maxRefusals || s.Schedule == nil || s.Schedule.Paused {
		return
	}
	schedule := *s.Schedule
	schedule.Paused, schedule.PausedReason, schedule.PausedAt = true, refusedReason, e.at
	s.Schedule = &schedule
}

// refused reports whether the directory refused the username and password.
func (e ending) refused() bool { return e.failure != nil && e.failure.Refused }

// signedIn reports whether the directory took the username and password.
func (e ending) signedIn() bool {
	return e.state == run.Done || e.state == run.Blocked ||
		slices.ContainsFunc(e.steps, func(s run.Step) bool { return s.Step == directory.StepBind && s.OK })
}

// noteHealth keeps how the sync ends. One that was cancelled says nothing.
func (e ending) noteHealth(s *settings.Saved) {
	next := settings.Health{Since: e.at}
	switch e.state {
	case run.Done:
		next.State, next.Message = settings.OK, wentWell
	case run.Blocked:
		next.State, next.Message = settings.Blocked, "The last sync removed nobody: "+e.guard.Message
	case run.Failed:
		next.State = settings.Failing
		if e.failure != nil {
			next.Message = "The last sync failed: " + e.failure.Message
		}
	default:
		return
	}
	if next.State == s.Health.State {
		next.Since = s.Health.Since
	}
	s.Health = next
}

// noteSyncOf lets settings that are saved of a preview remember the newest sync of it that has ended: it ran with the
// same connection and search, before they were saved. previewID is empty where no preview is saved.
func (s *Service) noteSyncOf(ctx context.Context, id run.Identity, previewID string, next *settings.Saved) error {
	if previewID == "" {
		return nil
	}
	preview, err := s.Preview(ctx, id, previewID)
	if err != nil {
		return err
	}
	for _, syncID := range slices.Backward(preview.Syncs) {
		r, err := s.c.Jobs.For(id.Account).Run(ctx, syncID)
		if errors.Is(err, runs.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if r.StartedAt.Before(next.LastSyncStartedAt) {
			// The former job has run since: what became of the Users List is no longer this sync's work.
			return nil
		}
		if r.State.Ended() && r.State != run.Cancelled && r.Fingerprint() == next.Fingerprint() {
			ending{
				run: r, state: r.State, failure: r.Failure, guard: r.Guard, steps: r.Steps, at: r.FinishedAt,
			}.noteIn(next)
			return nil
		}
	}
	return nil
}

// healthOf returns the health of saved settings as it is shown. last is their newest sync, or nil. Settings that
// version 0.4 stored know only that.
func healthOf(s settings.Saved, last *run.Run) settings.Health {
	if p := s.Schedule; p != nil && p.Paused {
		health := settings.Health{
			State: settings.Paused, Since: p.PausedAt, Message: "The schedule is paused: " + p.PausedReason,
		}
		if p.PausedReason == byHand {
			health.Message = "Somebody paused the schedule. Resume it in the settings to go on."
		}
		if p.PausedAt.IsZero() {
			health.Since = s.UpdatedAt
		}
		return health
	}
	if s.Health.State == "" && last != nil && last.State.Ended() && last.Fingerprint() == s.Fingerprint() {
		ending{state: last.State, failure: last.Failure, guard: last.Guard, at: last.FinishedAt}.noteHealth(&s)
	}
	if s.Health.State == "" || s.Health.State == settings.NeverRun {
		since := s.Health.Since
		if since.IsZero() {
			since = s.UpdatedAt
		}
		return settings.Health{State: settings.NeverRun, Since: since, Message: neverRun}
	}
	return s.Health
}
