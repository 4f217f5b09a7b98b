package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

const (
	// maxDeaths is how many workers may die of a run before it is given up.
	maxDeaths = 5
	// handOver is how long before its context's deadline a worker stops, so that it can store how far it is.
	handOver = time.Minute
	// firstPause and longestPause are the waits of a worker whose stores cannot be reached; they double in between.
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// patience is how long a run waits for its stores in all before it fails.
	patience = 15 * time.Minute
)

var (
	// errCancelled is the cause of a context that was ended because somebody cancelled the run.
	errCancelled = errors.New("the run was cancelled")
	// errHandOver means that the worker's time is up and that the next one goes on.
	errHandOver = errors.New("the run is handed over to the next worker")
	// errEnded means that a run has ended already.
	errEnded = errors.New("the run has ended")
	// errReplaced means that another worker took the run up since this one did.
	errReplaced = errors.New("another worker took the run up")
	// errBehind means that a run's record lags behind what it wrote: the run must not end.
	errBehind = errors.New("the record lags behind")
	// errInterrupted means that the stores could not be reached: the run is to be tried again.
	errInterrupted = errors.New("the run was interrupted")
)

// Directory reads a directory, or finds somebody in it; directory.Reader is the real one.
type Directory interface {
	Read(
		ctx context.Context, c settings.Connection, q directory.Query,
		onStep func(run.Step), onEntry func(*directory.Entry) error,
	) (directory.Info, error)
	Find(
		ctx context.Context, c settings.Connection, q directory.Question, onStep func(run.Step),
	) (directory.Answer, error)
}

// Worker does what requests left to be done.
type Worker struct{ core }

// NewWorker returns a worker on the ports in c; Sealer is not used.
func NewWorker(c Config) *Worker { return &Worker{newCore(c)} }

// Work does what a message asks for; it is a queue.Handler. What is wrong with the run itself ends up in the run. Where
// a store cannot be reached the worker waits and tries again; an error means that the message has to come again. Where
// ctx has a deadline, a sync stops a minute before it and sends the message of its next slice.
func (w *Worker) Work(ctx context.Context, m queue.Message) error {
	if m.Task == queue.TaskLook {
		w.look(ctx, m)
		return nil
	}
	began := w.now()
	refused := new(refusal)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := w.attempt(ctx, m, refused)
		if !errors.Is(err, errInterrupted) || ctx.Err() != nil {
			return err
		}
		if w.now().Sub(began) > patience || timeIsUp(ctx, w.now().Add(pause)) {
			return err
		}
		if w.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// refusal is what is known of a run whose username and password the directory refused. It is stored at once, and where
// the store cannot be reached it is kept here: the directory is not asked again, which could lock the account.
type refusal struct {
	err   error
	steps []run.Step
}

// do does the job, unless the directory has refused its username and password already.
func (f *refusal) do(ctx context.Context, j *job) (run.State, error) {
	if earlier := j.run.Failure; earlier != nil && earlier.Refused {
		return "", earlier
	}
	if f.err != nil {
		j.set(func() { j.steps = f.steps })
		return "", f.err
	}
	state, err := j.do(ctx)
	if failure := failureOf(err); failure != nil && failure.Refused {
		f.err, f.steps = err, j.steps
		_, storeErr := j.update(context.WithoutCancel(ctx), func(r *run.Run) {
			j.recordInto(r)
			r.Failure = failure
		})
		if storeErr != nil {
			j.log.WarnContext(ctx, "a refused sign-in is not stored yet", "error", storeErr)
		}
	}
	return state, err
}

// attempt takes the run up, does its work, and stores what came of it.
func (w *Worker) attempt(ctx context.Context, m queue.Message, refused *refusal) error {
	jobs := w.Jobs.For(m.Account)
	r, leased, err := w.takeUp(ctx, jobs, m)
	switch {
	case errors.Is(err, errWaits):
		w.Log.InfoContext(ctx, "a sync waits for another one of its account", "account", m.Account, "run", m.RunID)
		return nil
	case errors.Is(err, errLeased):
		return err
	case errors.Is(err, errEnded):
		return nil
	case errors.Is(err, runs.ErrNotFound):
		w.Log.WarnContext(ctx, "a message names a run that does not exist", "task", m.Task, "account", m.Account, "run",
			m.RunID)
		return nil
	case err != nil:
		return fmt.Errorf("%w: take up %s %s: %w", errInterrupted, m.Task, m.RunID, err)
	}
	j := newJob(w.core, m.Account, jobs, r)
	j.leased = leased
	j.log.InfoContext(ctx, "run begins", "attempt", r.Attempts)
	state, err := refused.do(ctx, j)
	return j.finish(ctx, state, err)
}

// takeUp marks a run as running. A sync needs the account's lease first: without it, it does not count as an attempt.
func (w *Worker) takeUp(ctx context.Context, jobs runs.Jobs, m queue.Message) (r run.Run, leased time.Time, err error) {
	if r, err = jobs.Run(ctx, m.RunID); err != nil {
		return r, leased, err
	}
	if r.State.Ended() || string(r.Kind) != string(m.Task) {
		return r, leased, errEnded
	}
	attempt, whole := r.Attempts+1, r.Import
	if r.Kind == run.KindSync {
		if leased, err = w.lease(ctx, jobs, r.ID, attempt); err != nil {
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
		record.Attempts, record.Parked = attempt, ""
		record.Deaths++
		if record.State == run.Queued {
			record.State, record.StartedAt = run.Running, w.now()
		}
		return nil
	})
	r.Import = whole
	if errors.Is(err, errEnded) && m.Task == queue.TaskSync {
		// Somebody cancelled the run in this moment.
		err = errors.Join(err, w.release(ctx, m.Account, m.RunID, attempt))
	}
	return r, leased, err
}

// do does the run's work, with its progress stored and its cancellation looked for meanwhile. It returns the state in
// which the run ends.
func (j *job) do(ctx context.Context) (run.State, error) {
	if err := j.recover(ctx); err != nil {
		return "", err
	}
	ctx, stop := j.report(ctx)
	defer stop()
	switch j.run.Kind {
	case run.KindExport:
		return j.export(ctx)
	case run.KindPreview:
		return j.preview(ctx)
	case run.KindExplanation:
		return j.explain(ctx)
	default:
		return j.sync(ctx)
	}
}
