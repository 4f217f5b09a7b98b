package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/secret"
	"rollcall/shared/settings"
)

// maxDeaths is how many workers may die of a run before it is given up.
const maxDeaths = 5

// errCancelled is the cause of a context that was ended because somebody cancelled the run.
var errCancelled = errors.New("the run was cancelled")

// errHandOver means that the worker's time is up and that the next one goes on.
var errHandOver = errors.New("the run is handed over to the next worker")

// handOver is how long before its context's deadline a worker stops, so that it can store how far it is.
const handOver = time.Minute

// errEnded means that a run has ended already.
var errEnded = errors.New("the run has ended")

// errReplaced means that another worker took the run up since this one did.
var errReplaced = errors.New("another worker took the run up")

// Directory reads a directory; directory.Reader is the real one.
type Directory interface {
	Read(ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step), onEntry func(*directory.Entry) error) (directory.Info, error)
}

// Worker does what requests left to be done.
type Worker struct {
	c Config
}

// NewWorker returns a worker on the ports in c; Sealer is not used.
func NewWorker(c Config) *Worker { return &Worker{c: c.withDefaults()} }

// Work does what a message asks for; it is a queue.Handler. What is wrong with the run itself ends up in the run; an
// error is about this machine or its stores, and the run goes on when the message comes again. Where ctx has a deadline, a
// sync stops a minute before it and sends the message of its next slice.
func (w *Worker) Work(ctx context.Context, m queue.Message) error {
	jobs := w.c.Jobs.For(m.Account)
	r, leased, err := w.begin(ctx, jobs, m)
	switch {
	case errors.Is(err, errLeased):
		return err
	case errors.Is(err, errEnded):
		return nil
	case errors.Is(err, runs.ErrNotFound):
		w.c.Log.WarnContext(ctx, "a message names a run that does not exist", "task", m.Task, "account", m.Account, "run", m.RunID)
		return nil
	case err != nil:
		return fmt.Errorf("take up %s %s: %w", m.Task, m.RunID, err)
	}
	j := newJob(w.c, m.Account, jobs, r)
	j.leased = leased
	j.log.InfoContext(ctx, "run begins", "attempt", r.Attempts)
	err = j.do(ctx)
	return j.end(ctx, err)
}

// begin marks a run as running. A sync needs the account's lease first: without it, it does not count as an attempt.
func (w *Worker) begin(ctx context.Context, jobs runs.Jobs, m queue.Message) (r run.Run, leased time.Time, err error) {
	if r, err = jobs.Run(ctx, m.RunID); err != nil {
		return r, leased, err
	}
	if r.State.Ended() || string(r.Kind) != string(m.Task) {
		return r, leased, errEnded
	}
	attempt := r.Attempts + 1
	if r.Kind == run.KindSync {
		if leased, err = w.c.lease(ctx, jobs, r.ID, attempt); err != nil {
			return r, leased, err
		}
	}
	r, err = jobs.UpdateRun(ctx, m.RunID, func(record *run.Run) error {
		switch {
		case record.State.Ended():
			return errEnded
		case record.Attempts != attempt-1:
			// Another worker took the run up in this moment, and the lease is that one's.
			return errLeased
		}
		record.Attempts = attempt
		record.Deaths++
		if record.State == run.Queued {
			record.State, record.StartedAt = run.Running, w.c.now()
		}
		return nil
	})
	if errors.Is(err, errEnded) && m.Task == queue.TaskSync {
		// Somebody cancelled the run in this moment.
		err = errors.Join(err, jobs.ReleaseLease(ctx, runs.Lease{RunID: m.RunID, Attempt: attempt}))
	}
	return r, leased, err
}

// do does the run's work, with its progress stored and its cancellation looked for meanwhile.
func (j *job) do(ctx context.Context) error {
	if j.run.Deaths > maxDeaths {
		// Once: this could be what ends its worker.
		if j.run.Deaths == maxDeaths+1 {
			if err := j.settle(ctx); err != nil {
				return err
			}
		}
		return &Error{Code: "worker_lost", Message: fmt.Sprintf("The run was started %d times and its worker died each time.", maxDeaths)}
	}
	if j.run.Cancelled {
		if err := j.settle(ctx); err != nil {
			return err
		}
		return errCancelled
	}
	if j.run.Kind == run.KindExport {
		return j.writeExport(ctx, j.account, j.run.ID)
	}
	ctx, stop := j.watch(ctx)
	defer stop()
	if j.run.Kind == run.KindPreview {
		return j.preview(ctx)
	}
	return j.sync(ctx)
}

// end stores how the run ended. An error that is not the run's own is returned, and the run stays as it is.
func (j *job) end(ctx context.Context, err error) error {
	if j.run.Kind == run.KindSync {
		// Before the end is stored: a run that has ended is not taken up again, and could not give its lease back.
		lease := runs.Lease{RunID: j.run.ID, Attempt: j.run.Attempts}
		if err := j.jobs.ReleaseLease(context.WithoutCancel(ctx), lease); err != nil {
			return fmt.Errorf("release the lease of run %s: %w", j.run.ID, err)
		}
	}
	state, failure := run.Done, (*run.Failure)(nil)
	switch {
	case errors.Is(err, errEnded):
		return nil
	case errors.Is(err, errReplaced), errors.Is(err, users.ErrFenced):
		j.log.WarnContext(ctx, "this worker was replaced", "attempt", j.run.Attempts, "error", err)
		return err
	case err == nil:
		state = j.verdict
	case errors.Is(err, errCancelled):
		state = run.Cancelled
	case errors.Is(err, errHandOver):
		return j.nextSlice(ctx)
	default:
		if failure = failureOf(err); failure == nil {
			j.log.ErrorContext(ctx, "run interrupted; it is taken up again", "error", err)
			return errors.Join(err, j.uncount(ctx))
		}
		state = run.Failed
		if failure.Step == directory.StepSearch {
			j.set(func() {
				j.guard = run.Guard{Blocked: true, Reason: run.GuardIncompleteRead, Message: failure.Message}
			})
		}
	}
	if j.run.Kind == run.KindExport && err == nil {
		return nil
	}
	if err := j.announce(ctx, state, failure); err != nil {
		return fmt.Errorf("announce the end of run %s: %w", j.run.ID, err)
	}
	if err := j.noteLastSync(ctx, state); err != nil {
		return fmt.Errorf("note run %s with the settings: %w", j.run.ID, err)
	}
	record, updateErr := j.update(ctx, func(r *run.Run) {
		j.fill(r)
		r.State, r.Failure, r.FinishedAt = state, failure, j.now()
		r.Deaths--
		r.SealedPassword = keepPassword(r)
	})
	if errors.Is(updateErr, errEnded) {
		return nil
	}
	if updateErr != nil {
		return fmt.Errorf("store the end of run %s: %w", j.run.ID, updateErr)
	}
	j.logEnd(ctx, record)
	if j.Ended != nil {
		j.Ended(ctx, j.account, record)
	}
	return nil
}

// nextSlice lets another worker go on with the run.
func (j *job) nextSlice(ctx context.Context) error {
	record, err := j.update(ctx, func(r *run.Run) {
		r.Slice++
		r.Deaths--
	})
	if err != nil {
		return fmt.Errorf("hand run %s over: %w", j.run.ID, err)
	}
	j.log.InfoContext(ctx, "run handed over", "slice", record.Slice, "applied", record.Progress.Applied, "toApply", record.Progress.ToApply)
	return j.Queue.Send(ctx, queue.Message{Task: queue.Task(record.Kind), Account: j.account, RunID: record.ID, Slice: record.Slice})
}

// uncount stores that an attempt ended because the process was told to stop: only deaths count.
func (j *job) uncount(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	_, err := j.update(context.WithoutCancel(ctx), func(r *run.Run) { r.Deaths-- })
	return err
}

// keepPassword keeps a preview's sealed password, since settings may be saved from it, and forgets a sync's.
func keepPassword(r *run.Run) []byte {
	if r.Kind == run.KindPreview {
		return r.SealedPassword
	}
	return nil
}

func (j *job) logEnd(ctx context.Context, r run.Run) {
	s := r.Result.Summary
	log := j.log.With("state", r.State, "durationMs", r.FinishedAt.Sub(r.StartedAt).Milliseconds(), "entries", s.Entries, "addresses", s.Addresses,
		"create", s.Create, "update", s.Update, "delete", s.Delete, "unchanged", s.Unchanged, "skipped", s.Skipped, "conflicts", s.Conflicts)
	if r.Failure != nil {
		log.LogAttrs(ctx, slog.LevelWarn, "run failed", slog.String("code", r.Failure.Code), slog.String("reason", r.Failure.Message))
		return
	}
	log.InfoContext(ctx, "run ends")
}

// noteLastSync lets the saved settings remember the sync that ran with them and how it ends. It comes before the end is
// stored, so that whoever sees a sync as ended finds it there; after a crash in between it is done again, and counts once.
func (j *job) noteLastSync(ctx context.Context, state run.State) error {
	if j.run.Kind != run.KindSync || j.run.Trigger == run.TriggerUndo {
		return nil
	}
	for {
		saved, err := j.jobs.Settings(ctx)
		if errors.Is(err, runs.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if saved.Fingerprint() != j.run.Import.Fingerprint() {
			return nil
		}
		switch {
		case state == run.Done:
			saved.ConsecutiveFailures = 0
		case state == run.Failed && j.run.Trigger == run.TriggerSchedule && saved.LastSyncID != j.run.ID:
			saved.ConsecutiveFailures++
		}
		saved.LastSyncID = j.run.ID
		if _, err = j.jobs.PutSettings(ctx, saved); !errors.Is(err, runs.ErrConflict) {
			return err
		}
	}
}

// failureOf turns an error that is the run's own into words for its record, and returns nil for any other.
func failureOf(err error) *run.Failure {
	var reach *directory.Error
	var own *Error
	switch {
	case errors.As(err, &reach):
		return &run.Failure{Code: reach.Code, Message: reach.Message, Step: reach.Step}
	case errors.As(err, &own):
		return &run.Failure{Code: own.Code, Message: own.Message}
	case errors.Is(err, secret.ErrUnsealable):
		return &run.Failure{Code: "password_unreadable", Message: "The stored password cannot be opened any more. Enter it again."}
	case errors.Is(err, objects.ErrNotFound):
		return &run.Failure{Code: "plan_missing", Message: "The plan of this run was deleted. Take a new preview."}
	case errors.Is(err, planfile.ErrVersion):
		return &run.Failure{Code: "plan_missing", Message: "The plan of this run was stored by another version of this program. What it had written stays; take a new preview."}
	}
	return nil
}
