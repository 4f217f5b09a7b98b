package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// job is one run while a worker does it.
type job struct {
	core
	account user.Account
	jobs    runs.Jobs
	// run is the run as it was taken up; what the work finds out goes into the fields below.
	run run.Run
	log *slog.Logger

	mu       sync.Mutex
	progress run.Progress
	// rowsDone counts what became of the plan's rows so far.
	rowsDone run.Applied
	steps    []run.Step
	notes    []string
	result   run.Result
	guard    run.Guard
	planKey  string
	tracking run.Tracking
	// listWritten is when the Users List had been written last before a preview read it.
	listWritten time.Time
	// written is the CSV of an export.
	written *run.Export
	// explained is the answer of an explanation.
	explained *run.Explanation
	// looking says that this is a look, not yet a run. waits is what it is parked for.
	looking bool
	waits   wait
	// leased is until when the account's lease lasts, as it was renewed last.
	leased time.Time
}

func newJob(c core, account user.Account, jobs runs.Jobs, r run.Run) *job {
	return &job{
		core: c, account: account, jobs: jobs, run: r, written: r.Export,
		log:      c.Log.With("task", r.Kind, "account", account, "run", r.ID),
		progress: r.Progress, steps: r.Steps, notes: r.Notes, result: r.Result, guard: r.Guard, planKey: r.PlanKey,
		listWritten: r.ListWrittenAt, tracking: r.Tracking,
		rowsDone: countedRows(r.Checkpoint, r.Result.Summary).Rows,
	}
}

// set changes what the run's record shows, under the lock that the reporter shares.
func (j *job) set(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
}

// recordInto copies what the job found out into its record.
func (j *job) recordInto(r *run.Run) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Progress, r.Steps, r.Notes = j.progress, j.steps, j.notes
	r.Result, r.Guard, r.PlanKey, r.Export = j.result, j.guard, j.planKey, j.written
	r.Explanation = j.explained
	r.ListWrittenAt, r.Tracking = j.listWritten, j.tracking
	// With the plan, whoever of the reporter and the work stores it first: a worker may die between the two, and a run
	// that has a plan is not planned again.
	if r.Kind == run.KindSync && r.PlanKey != "" {
		r.ExpiresAt = r.CreatedAt.Add(RecordLifetime)
	}
}

// report stores the job's progress at each tick and ends the returned context when somebody cancels the run, when
// another worker does it, or when nothing could be stored for half the time of a lease. stop waits for the last store.
func (j *job) report(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ticker := time.NewTicker(j.Tick)
	var done sync.WaitGroup
	done.Go(func() {
		defer ticker.Stop()
		stored, told := time.Now(), false
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			cancelled, err := j.reportOnce(ctx)
			switch {
			case ctx.Err() != nil:
				return
			case err == nil && cancelled:
				cancel(errCancelled)
			case err == nil:
				stored, told = time.Now(), false
			case lost(err), time.Since(stored) > j.LeaseTime/2:
				cancel(err)
			case !told:
				j.log.WarnContext(ctx, "the progress cannot be stored; the work goes on", "error", err)
				told = true
			}
		}
	})
	return ctx, func() {
		cancel(nil)
		done.Wait()
	}
}

// reportOnce stores the job's progress and renews a sync's lease. It reports whether somebody has cancelled the run
// since it was taken up.
func (j *job) reportOnce(ctx context.Context) (cancelled bool, err error) {
	r, err := j.update(ctx, j.recordInto)
	if err == nil && j.run.Kind == run.KindSync {
		err = j.renewLease(ctx)
	}
	return r.CancelRequested && !j.run.CancelRequested, err
}

// lost reports whether an error means that the run is not this worker's any more, and never will be.
func lost(err error) bool {
	return errors.Is(err, errEnded) || errors.Is(err, errReplaced) || errors.Is(err, errLeased) ||
		errors.Is(err, errWaits) || errors.Is(err, runs.ErrNotFound)
}

// update changes the run's record, unless the run has ended or was taken up by another worker since.
func (j *job) update(ctx context.Context, change func(*run.Run)) (run.Run, error) {
	return j.jobs.UpdateRun(ctx, j.run.ID, func(r *run.Run) error {
		switch {
		case r.State.Ended():
			return errEnded
		case r.Attempts != j.run.Attempts:
			return fmt.Errorf("attempt %d of run %s, now at attempt %d: %w", j.run.Attempts, r.ID, r.Attempts,
				errReplaced)
		}
		change(r)
		return nil
	})
}

// withinTime bounds what cannot be taken up where it was left: reading a directory and planning. It ends them in time
// to say so.
func (j *job) withinTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, deadline.Add(-handOver), &run.Failure{Code: "out_of_time",
		Message: "Reading the directory and planning took longer than a worker's time. " +
			"Narrow the search base or the filter, or look at why the directory answers slowly."})
}

// timeIsUp reports whether the worker has to hand the run over.
func (j *job) timeIsUp(ctx context.Context) bool { return timeIsUp(ctx, j.now()) }

// timeIsUp reports whether at a time too little is left before ctx's deadline to begin anything.
func timeIsUp(ctx context.Context, at time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && !at.Before(deadline.Add(-handOver))
}

// cause returns why ctx ended in place of the bare "context canceled" that err may wrap.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
