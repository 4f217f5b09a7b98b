package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"rollcall/shared/directory"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// finish stores how the run ended: in the given state, or as err says. Where it has not ended it stays as it is, and
// the error says why.
func (j *job) finish(ctx context.Context, state run.State, err error) error {
	if j.run.Kind == run.KindSync {
		// Before the end is stored: a run that has ended is not taken up again, and could not give its lease back.
		if err := j.release(context.WithoutCancel(ctx), j.account, j.run.ID, j.run.Attempts); err != nil {
			// That is no death. After 15 minutes the run ends all the same, and the lease runs out.
			if _, err := j.interrupt(ctx, err); err != nil {
				return err
			}
		}
	}
	var failure *run.Failure
	switch {
	case err == nil:
	case errors.Is(err, errEnded):
		return nil
	case errors.Is(err, errReplaced), errors.Is(err, users.ErrFenced):
		j.log.WarnContext(ctx, "this worker was replaced", "attempt", j.run.Attempts, "error", err)
		return err
	case errors.Is(err, errParked):
		if parked, err := j.park(ctx); parked || err != nil {
			return err
		}
		state = run.Cancelled
	case errors.Is(err, errHandOver), errors.Is(err, errCancelled) && j.run.Checkpoint.Begun && !j.run.CancelRequested:
		// Of a cancelled run that an earlier worker began to write, more may be written than its journal tells of: who
		// takes it up next looks for that before it ends.
		return j.nextSlice(ctx)
	case errors.Is(err, errCancelled):
		state = run.Cancelled
	default:
		if failure = failureOf(err); failure == nil {
			if failure, err = j.interrupt(ctx, err); err != nil {
				return err
			}
		}
		state = run.Failed
	}
	if err := j.end(ctx, state, failure); err != nil && !errors.Is(err, errEnded) {
		// However long that lasts, the run ends as it went.
		_, interrupted := j.interrupt(ctx, fmt.Errorf("end it: %w", err))
		return cmp.Or(interrupted, fmt.Errorf("%w: end run %s: %w", errInterrupted, j.run.ID, err))
	}
	return nil
}

// end tells everybody how the run ends. Its record comes last: whoever sees a run as ended finds its event and the
// settings' note, and a crash in between repeats them.
func (j *job) end(ctx context.Context, state run.State, failure *run.Failure) error {
	if failure != nil && failure.Step == directory.StepSearch {
		j.set(func() {
			j.guard = run.Guard{Blocked: true, Reason: run.GuardIncompleteRead, Message: failure.Message}
		})
	}
	if err := j.leaseIsOver(); err != nil {
		return err
	}
	if j.run.Kind == run.KindSync {
		if err := j.announce(ctx, state, failure); err != nil {
			return fmt.Errorf("announce it: %w", err)
		}
		if err := j.tell(ctx, state, failure); err != nil {
			return fmt.Errorf("tell it: %w", err)
		}
		if err := j.noteLastSync(ctx, state, failure); err != nil {
			return fmt.Errorf("note it with the settings: %w", err)
		}
		if err := j.noteLooks(ctx, state, failure); err != nil {
			return fmt.Errorf("note it for the next look: %w", err)
		}
	}
	if j.run.UndoOf != "" && j.run.Kind == run.KindSync && state == run.Done {
		if err := j.noteUndone(ctx); err != nil {
			return err
		}
	}
	r, err := j.update(ctx, func(r *run.Run) {
		j.recordInto(r)
		r.State, r.Failure, r.FinishedAt = state, failure, j.now()
		r.Deaths--
		r.Parked, r.SealedPassword = "", keepPassword(r)
		if r.Kind == run.KindSync {
			r.Applied = j.applied()
		}
	})
	if err != nil {
		return err
	}
	if err := j.dropOrders(ctx); err != nil {
		j.log.WarnContext(ctx, "what a connector read is kept until its time is over", "error", err)
	}
	j.logEnd(ctx, &r)
	if j.Ended != nil {
		j.Ended(ctx, j.account, r)
	}
	return nil
}

// applied is what the sync did, with what it did not do as pending.
func (j *job) applied() *run.Applied {
	done := j.rowsDone
	done.Pending = max(0, j.progress.ToApply-done.Written()-done.Already-done.Conflicts)
	return &done
}

// interrupt stores why a run cannot go on: its worker was told to stop, or a store cannot be reached. That is no death.
// It returns an error with which the run is tried again, or the run's failure once the trouble has lasted too long.
func (j *job) interrupt(ctx context.Context, why error) (*run.Failure, error) {
	j.log.ErrorContext(ctx, "run interrupted; it is taken up again", "error", why)
	stopped := ctx.Err() != nil
	r, err := j.update(context.WithoutCancel(ctx), func(r *run.Run) {
		r.Deaths--
		if stopped {
			return
		}
		now := j.now()
		trouble := run.Trouble{Since: now, Last: now, Error: why.Error(), Behind: errors.Is(why, errBehind)}
		if r.Trouble != nil {
			trouble.Behind = trouble.Behind || r.Trouble.Behind
			// Between two faults that are far apart the stores could be reached.
			if now.Sub(r.Trouble.Last) < patience {
				trouble.Since = r.Trouble.Since
			}
		}
		r.Trouble = &trouble
	})
	if err == nil && r.Trouble != nil && !r.Trouble.Behind && j.now().Sub(r.Trouble.Since) > patience {
		// It is not taken up again: the end takes back what was counted here.
		return &run.Failure{Code: "store_unavailable", Message: fmt.Sprintf(
			"The program could not read or write its own data for %s. What the sync had written stays, and undoing "+
				"it takes that back. Try again; the last error was: %v.", patience, why)}, nil
	}
	return nil, errors.Join(errInterrupted, why, err)
}

// nextSlice lets another worker go on with the run.
func (j *job) nextSlice(ctx context.Context) error {
	r, err := j.update(ctx, func(r *run.Run) {
		r.Slice++
		r.Deaths--
	})
	if err != nil {
		return fmt.Errorf("%w: hand run %s over: %w", errInterrupted, j.run.ID, err)
	}
	j.log.InfoContext(ctx, "run handed over", "slice", r.Slice, "applied", r.Progress.Applied, "toApply",
		r.Progress.ToApply)
	return j.Queue.Send(ctx, message(j.account, &r))
}

// keepPassword keeps a preview's sealed password, since settings may be saved from it, and forgets a sync's.
func keepPassword(r *run.Run) []byte {
	if r.Kind == run.KindPreview {
		return r.SealedPassword
	}
	return nil
}

func (j *job) logEnd(ctx context.Context, r *run.Run) {
	s := r.Result.Summary
	log := j.log.With("state", r.State, "durationMs", r.FinishedAt.Sub(r.StartedAt).Milliseconds(),
		"entries", s.Entries, "addresses", s.Addresses, "unchanged", s.Unchanged, "skipped", s.Skipped)
	if a := r.Applied; a != nil {
		log = log.With("created", a.Create, "updated", a.Update, "deleted", a.Delete, "already", a.Already,
			"conflicts", a.Conflicts, "pending", a.Pending)
	} else {
		log = log.With("create", s.Create, "update", s.Update, "delete", s.Delete)
	}
	if r.Failure != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "run failed",
			slog.String("code", r.Failure.Code), slog.String("reason", r.Failure.Message))
		return
	}
	log.InfoContext(ctx, "run ends")
}

// announce tells others how a sync ended, by what it wrote.
func (j *job) announce(ctx context.Context, state run.State, failure *run.Failure) error {
	if j.Events == nil {
		return nil
	}
	done := j.applied()
	event := events.Sync{
		ID: j.run.ID + "/" + string(state), Account: j.account, RunID: j.run.ID, At: j.now(),
		Trigger: string(j.run.Trigger), Created: done.Create, Updated: done.Update, Deleted: done.Delete,
		SendHSR: j.run.Import.Options.SendHSR,
	}
	if done.Create > 0 && j.run.Trigger != run.TriggerUndo {
		imported := event
		imported.NewUsers = "/v1/syncs/" + j.run.ID + "/changes?change=create&kind=primary&outcome=applied"
		if err := j.publish(ctx, events.UsersImported, imported); err != nil {
			return err
		}
	}
	switch state {
	case run.Blocked:
		event.Code, event.Message = string(j.guard.Reason), j.guard.Message
		return j.publish(ctx, events.SyncBlocked, event)
	case run.Failed:
		event.Code, event.Message = failure.Code, failure.Message
		return j.publish(ctx, events.SyncFailed, event)
	}
	return nil
}

func (j *job) publish(ctx context.Context, name events.Name, detail events.Sync) error {
	return j.Events.Publish(ctx, events.Event{Name: name, Account: j.account, At: detail.At, Detail: detail})
}

// tell tells the account's people how a sync ended, and everybody what it changed.
func (j *job) tell(ctx context.Context, state run.State, failure *run.Failure) error {
	if err := j.tellEnding(ctx, j.account, j.jobs, j.ending(state, failure), j.leaseIsOver); err != nil {
		return err
	}
	return j.tellChange(ctx)
}

// ending is how the sync ends.
func (j *job) ending(state run.State, failure *run.Failure) ending {
	r := j.run
	r.Applied = j.applied()
	return ending{run: r, state: state, failure: failure, guard: j.guard, steps: j.steps, at: j.now()}
}

// noteLastSync lets the saved settings remember the sync that ran with them and how it ends. After a crash it is done
// again, and counts once.
func (j *job) noteLastSync(ctx context.Context, state run.State, failure *run.Failure) error {
	if j.run.Trigger == run.TriggerUndo {
		return nil
	}
	return j.updateSettings(ctx, func(s *settings.Saved) bool {
		if s.Fingerprint() != j.run.Fingerprint() {
			return false
		}
		before := *s
		e := j.ending(state, failure)
		e.noteIn(s)
		if j.run.Full() {
			j.noteRan(s, e.at)
		}
		return j.run.Full() || s.Refusals != before.Refusals || s.Schedule != before.Schedule
	})
}

// updateSettings changes the saved settings, where there are any and change reports that it did something, unless the
// job may have been replaced.
func (j *job) updateSettings(ctx context.Context, change func(*settings.Saved) bool) error {
	_, err := runs.UpdateSettings(ctx, j.jobs, func(s *settings.Saved) error {
		if s.Revision == 0 || !change(s) {
			return runs.ErrUnchanged
		}
		return j.leaseIsOver()
	})
	return unlessUnchanged(err)
}

// unlessUnchanged is the error of an update, nil where there was nothing to store.
func unlessUnchanged(err error) error {
	if errors.Is(err, runs.ErrUnchanged) {
		return nil
	}
	return err
}

// failureOf turns an error that is the run's own into words for its record, and returns nil for any other.
func failureOf(err error) *run.Failure {
	var reach *directory.Error
	var own *run.Failure
	switch {
	case errors.As(err, &reach):
		return &run.Failure{Code: reach.Code, Message: reach.Message, Step: reach.Step, Refused: reach.Refused}
	case errors.As(err, &own):
		return own
	case errors.Is(err, secret.ErrUnsealable):
		return &run.Failure{Code: "password_unreadable",
			Message: "The stored password cannot be opened any more. Enter it again."}
	case errors.Is(err, objects.ErrNotFound):
		return &run.Failure{Code: "plan_missing", Message: "The plan of this run was deleted. Take a new preview."}
	case errors.Is(err, planfile.ErrDamaged):
		return &run.Failure{Code: codePlanDamaged, Message: planDamaged}
	case errors.Is(err, planfile.ErrVersion):
		return &run.Failure{Code: "plan_missing",
			Message: "The plan of this run was stored by another version of this program. " +
				"What it had written stays; take a new preview."}
	}
	return nil
}
