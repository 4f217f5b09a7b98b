package importer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/jobstore"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// job is one run while a worker does it.
type job struct {
	Config
	account user.Account
	jobs    jobstore.Jobs
	// run is the run as it was taken up; what the work finds out goes into the fields below.
	run     jobstore.Run
	log     *slog.Logger
	verdict jobstore.State

	mu       sync.Mutex
	progress jobstore.Progress
	steps    []directory.Step
	notes    []string
	result   plan.Result
	guard    plan.Guard
	planKey  string
}

func newJob(c Config, account user.Account, jobs jobstore.Jobs, run jobstore.Run) *job {
	return &job{
		Config: c, account: account, jobs: jobs, run: run, verdict: jobstore.Done,
		log:      c.Log.With("task", run.Kind, "account", account, "run", run.ID),
		progress: run.Progress, steps: run.Steps, notes: run.Notes, result: run.Result, guard: run.Guard, planKey: run.PlanKey,
	}
}

// set changes what the run's record shows, under the lock that the reporter shares.
func (j *job) set(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
}

// fill copies what the job found out into its record.
func (j *job) fill(r *jobstore.Run) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Progress, r.Steps, r.Notes = j.progress, j.steps, j.notes
	r.Result, r.Guard, r.PlanKey = j.result, j.guard, j.planKey
	// With the plan, whoever of the reporter and the work stores it first: a worker may die between the two, and a run that has a plan is not
	// planned again.
	if r.Kind == jobstore.KindSync && r.PlanKey != "" {
		r.ExpiresAt = r.CreatedAt.Add(RecordLifetime)
	}
}

// watch stores the job's progress at each tick and ends the returned context when somebody cancels the run. stop waits
// for the last store.
func (j *job) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ticker := time.NewTicker(j.Tick)
	var done sync.WaitGroup
	done.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			run, err := j.store(ctx)
			if err == nil && j.run.Kind == jobstore.KindSync {
				err = j.lease(ctx, j.jobs, j.run.ID, j.run.Attempts)
			}
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				cancel(err)
			case run.Cancelled:
				cancel(errCancelled)
			}
		}
	})
	return ctx, func() {
		cancel(nil)
		done.Wait()
	}
}

// store writes the job's progress to its record.
func (j *job) store(ctx context.Context) (jobstore.Run, error) {
	return j.jobs.UpdateRun(ctx, j.run.ID, func(r *jobstore.Run) error {
		if r.State.Ended() {
			return errCancelled
		}
		j.fill(r)
		return nil
	})
}

// timely bounds what cannot be taken up where it was left: reading a directory and planning. It ends them in time to say so.
func (j *job) timely(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, deadline.Add(-handOver), &Error{Code: "out_of_time",
		Message: "Reading the directory and planning took longer than a worker's time. Narrow the search base or the filter, or look at why the directory answers slowly."})
}

// timeIsUp tells whether the worker has to hand the run over.
func (j *job) timeIsUp(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !j.now().Before(deadline.Add(-handOver))
}

// cause returns why ctx ended in place of the bare "context canceled" that err may wrap.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
