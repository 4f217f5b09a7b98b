package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/plan"
	"rollcall/shared/planfile/userlist"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// lookTime is how long a look may take: a sync that is due waits for it.
const lookTime = time.Minute

// look asks an account's directory for what changed since the last look, and starts a sync where that gives something
// to do. Whatever goes wrong, the next look tries again: the message does not come back.
func (w *Worker) look(ctx context.Context, m queue.Message) {
	log := w.Log.With("task", m.Task, "account", m.Account, "run", m.RunID)
	jobs := w.Jobs.For(m.Account)
	saved, err := jobs.Settings(ctx)
	if errors.Is(err, runs.ErrNotFound) {
		return
	}
	looks, looksErr := jobs.Looks(ctx)
	if err := errors.Join(err, looksErr); err != nil {
		log.ErrorContext(ctx, "a look cannot begin", "error", err)
		return
	}
	if !wantsLooks(&saved, &looks) || !saved.Schedule.NextRunAt.After(w.now()) {
		// A sync that is due goes first.
		return
	}
	j := newJob(w.core, m.Account, jobs, scheduledRun(saved, run.TriggerQuick, m.RunID, w.now()))
	j.log, j.looking = log, true
	news, err := j.look(ctx, &looks)
	failure := failureOf(err)
	switch {
	case errors.Is(err, errParked):
		// Its message comes again with what the connector read.
		return
	case err == nil && news:
		err = j.startQuick(ctx)
	case err == nil || failure != nil:
		e := ending{run: j.run, state: run.Done, failure: failure, steps: j.steps, at: j.now()}
		if failure != nil {
			e.state = run.Failed
			log.InfoContext(ctx, "a look failed", "code", failure.Code, "reason", failure.Message)
		}
		err = w.untilStored(ctx, func() error { return j.notePassword(ctx, &saved, e) })
		err = errors.Join(err, j.noteLook(ctx, failure), j.dropOrders(ctx))
	}
	if err != nil {
		log.ErrorContext(ctx, "a look went wrong", "error", err)
	}
}

// untilStored tries to store something for as long as a run does: what a look found out about a password must not be
// asked for again.
func (w *Worker) untilStored(ctx context.Context, store func() error) error {
	for began, pause := w.now(), firstPause; ; pause = min(2*pause, longestPause) {
		err := store()
		if err == nil || w.now().Sub(began) > patience || timeIsUp(ctx, w.now().Add(pause)) ||
			w.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// look reports whether what changed gives a sync something to do.
func (j *job) look(ctx context.Context, looks *run.Looks) (bool, error) {
	in, err := j.gatherChanges(ctx, looks)
	if err != nil || in.found.Entries() == 0 {
		return false, err
	}
	result, err := in.build(func(*plan.Row) error { return nil })
	return result.Summary.Create+result.Summary.Update > 0, err
}

// gatherChanges reads what changed in the directory since it was looked at last, and the stored users at the addresses
// that it names.
func (j *job) gatherChanges(ctx context.Context, looks *run.Looks) (*gathered, error) {
	if looks.Fingerprint != j.run.Fingerprint() || !looks.Possible() {
		return nil, &run.Failure{Code: "look_outdated",
			Message: "The settings changed since the last full sync. Looks go on after the next one."}
	}
	ctx, stop := context.WithTimeoutCause(ctx, lookTime, &run.Failure{Code: "look_out_of_time",
		Message: fmt.Sprintf("A look took longer than %s. The next full sync reads what changed.", lookTime)})
	defer stop()
	found, info, err := j.readDirectory(ctx, looks.Cursors)
	if err != nil {
		return nil, cause(ctx, err)
	}
	policy, err := j.policy(info)
	if err != nil {
		return nil, err
	}
	policy.Partial = true
	var keys []string
	for next := found.Claims(); ; {
		claim := next()
		if claim == nil {
			break
		}
		if n := len(keys); n == 0 || keys[n-1] != claim.Key {
			keys = append(keys, claim.Key)
		}
	}
	stored := new(userlist.List)
	if len(keys) > 0 {
		users, err := j.Users.For(j.account).Find(ctx, keys)
		if err != nil {
			return nil, cause(ctx, fmt.Errorf("find the stored users of what changed: %w", err))
		}
		for i := range users {
			stored.Append(&users[i])
		}
	}
	return &gathered{found: found, stored: stored, policy: policy}, nil
}

// startQuick stores the sync that does what the look found, and sends its message.
func (j *job) startQuick(ctx context.Context) error {
	open, err := j.openSync(ctx)
	if err != nil || open {
		// What was found is left to the next look, once that sync has ended.
		return err
	}
	_, err = j.jobs.UpdateLooks(ctx, func(l *run.Looks) error {
		if l.NewSince.IsZero() {
			l.NewSince = j.run.CreatedAt
		}
		l.RunID, l.LastAt, l.Error = j.run.ID, j.now(), ""
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that a look found something: %w", err)
	}
	if _, err := j.jobs.CreateRun(ctx, j.run); err != nil && !errors.Is(err, runs.ErrConflict) {
		return fmt.Errorf("store the sync of what a look found: %w", err)
	}
	return j.Queue.Send(ctx, message(j.account, &j.run))
}

// openSync reports whether a sync of the account waits or is at work.
func (j *job) openSync(ctx context.Context) (bool, error) {
	page, err := j.jobs.Runs(ctx, runs.Query{Kind: run.KindSync, Limit: 2 * maxWaiting})
	for i := range page.Runs {
		if !page.Runs[i].State.Ended() {
			return true, nil
		}
	}
	return false, err
}

// noteLook stores how a look ended that started no sync: why it failed, nil where it found nothing.
func (j *job) noteLook(ctx context.Context, failure *run.Failure) error {
	_, err := j.jobs.UpdateLooks(ctx, func(l *run.Looks) error {
		switch {
		case l.Fingerprint != j.run.Fingerprint():
			return runs.ErrUnchanged
		case failure == nil:
			l.Note(j.tracking)
			l.LastAt, l.Error = j.now(), ""
			return nil
		case failure.Code == directory.CodeManyChanges:
			l.NextAt = time.Time{}
		}
		l.Error = failure.Message
		return nil
	})
	return unlessUnchanged(err)
}

// notePassword counts a look at which the username and password were refused, and forgets earlier ones where they were
// taken. Settings are written for nothing else.
func (j *job) notePassword(ctx context.Context, saved *settings.Saved, e ending) error {
	if !e.refused() && !(e.state == run.Done && saved.Refusals > 0) {
		return nil
	}
	// Without a lease, which only a sync has.
	_, err := runs.UpdateSettings(ctx, j.jobs, func(s *settings.Saved) error {
		if s.Revision == 0 {
			return runs.ErrUnchanged
		}
		e.notePassword(s, true)
		return nil
	})
	return unlessUnchanged(err)
}
