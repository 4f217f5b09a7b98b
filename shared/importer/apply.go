package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall/shared/jobstore"
	"rollcall/shared/objectstore"
	"rollcall/shared/plan"
	"rollcall/shared/settings"
	"rollcall/shared/snapshot"
	"rollcall/shared/user"
	"rollcall/shared/userstore"
)

// writeRows is how many rows are written in one go: enough to make the store's own cost of a write small, few enough
// that a cancelled sync stops soon.
const writeRows = 1024

// batchesAhead is how many batches are read while others are written.
const batchesAhead = 4

// checkpoint is how often a sync stores how far it is. What came after the last one is applied again after a crash,
// which changes nothing: rows that carry the run's id count as applied.
const checkpoint = time.Second

// sync plans, unless the plan is stored already, and applies.
func (j *job) sync(ctx context.Context) error {
	if j.planKey == "" {
		planning, stop := j.timely(ctx)
		err := cause(planning, j.decide(planning))
		stop()
		if err != nil {
			return err
		}
	}
	if j.guard.Blocked {
		j.verdict = jobstore.Blocked
		if j.run.Trigger != jobstore.TriggerSchedule {
			return nil
		}
	}
	return j.apply(ctx, j.Users.For(j.account))
}

// decide stores the run's plan, judges it once, and stores the verdict with it.
func (j *job) decide(ctx context.Context) error {
	key := objectstore.JournalPrefix + j.run.ID
	if j.run.PreviewID != "" {
		if err := j.takePreview(ctx, key); err != nil {
			return err
		}
	} else if err := j.makePlan(ctx, key); err != nil {
		return err
	}
	if j.run.UndoOf != "" {
		if err := j.pauseSchedule(ctx); err != nil {
			return err
		}
	}
	guard, err := j.judge(ctx)
	if err != nil {
		return err
	}
	options := heldOptions(j.run.Import.Options, guard)
	if options.RemoveAccounts {
		j.result.Summary.Delete = guard.Removals
	} else {
		j.result.Summary.Delete = 0
	}
	s := j.result.Summary
	j.set(func() {
		j.guard, j.planKey = guard, key
		j.progress.ToApply = s.Create + s.Update + s.Delete
	})
	_, err = j.jobs.UpdateRun(ctx, j.run.ID, func(r *jobstore.Run) error {
		j.fill(r)
		return nil
	})
	return err
}

// takePreview makes a preview's plan the run's own.
func (j *job) takePreview(ctx context.Context, key string) error {
	preview, err := j.jobs.Run(ctx, j.run.PreviewID)
	if err != nil {
		return fmt.Errorf("read preview %s: %w", j.run.PreviewID, err)
	}
	err = j.Objects.For(j.account).Copy(ctx, preview.PlanKey, key)
	if errors.Is(err, objectstore.ErrNotFound) {
		return expiredPreview()
	}
	j.set(func() {
		j.result, j.notes, j.steps = preview.Result, preview.Notes, preview.Steps
		j.progress.Entries, j.progress.Addresses = preview.Progress.Entries, preview.Progress.Addresses
	})
	return err
}

// judge asks the guard. Undoing is not guarded: its preview shows it, and it only takes back what the journal names.
func (j *job) judge(ctx context.Context) (plan.Guard, error) {
	if j.run.UndoOf != "" {
		return plan.Guard{Removals: j.result.Summary.Delete, Stored: j.result.Census.Stored}, nil
	}
	changed, err := j.settingsChanged(ctx)
	if err != nil {
		return plan.Guard{}, err
	}
	guard := plan.Judge(plan.Question{Result: j.result, Options: j.run.Import.Options, SettingsChanged: changed, Confirmed: j.run.ConfirmRemovals})
	if guard.Reason == plan.GuardEmptyRead {
		return guard, &Error{Code: string(plan.GuardEmptyRead), Message: guard.Message}
	}
	return guard, nil
}

// settingsChanged tells whether the last successful sync used other settings and nobody has previewed these.
func (j *job) settingsChanged(ctx context.Context) (bool, error) {
	if j.run.PreviewID != "" {
		return false, nil
	}
	query := jobstore.RunQuery{Kind: jobstore.KindSync, Limit: 100}
	for {
		page, err := j.jobs.Runs(ctx, query)
		if err != nil {
			return false, fmt.Errorf("read the history: %w", err)
		}
		for i := range page.Runs {
			if r := &page.Runs[i]; r.State == jobstore.Done && r.Trigger != jobstore.TriggerUndo {
				return r.Import.Fingerprint() != j.run.Import.Fingerprint(), nil
			}
		}
		if query.After = page.Next; query.After == "" {
			return false, nil
		}
	}
}

// heldOptions are the options that a plan is applied with: a blocked plan's removals are held.
func heldOptions(o settings.Options, guard plan.Guard) settings.Options {
	if guard.Blocked {
		o.RemoveAccounts = false
	}
	return o
}

// stamp gives a row's after-user what only the run knows, in place. It depends on nothing but the row and the run, so that a
// repeated attempt writes, and an undo expects, the very same user.
func stamp(row *plan.Row, run *jobstore.Run) {
	after := row.After
	if after == nil {
		return
	}
	after.LastRunID, after.UpdatedAt = run.ID, run.StartedAt
	if row.New && run.Import.Options.SendHSR {
		after.HeldSpamReport = user.ReportDaily
	}
	if row.Before == nil {
		after.Version = run.CreatedAt.UnixMilli()
		if after.CreatedAt.IsZero() {
			after.CreatedAt = run.StartedAt
		}
	} else {
		after.Version = row.Before.Version + 1
	}
}

// applier writes a plan's batches.
type applier struct {
	*job
	options  settings.Options
	users    userstore.Users
	outcomes *snapshot.Outcomes
	changes  []userstore.Change
	places   []snapshot.Position
	// next is the batch after the last one whose rows were collected.
	next int
	// at is how far the writing is, and base the conflicts that the plan itself found.
	at      jobstore.Checkpoint
	base    int
	savedAt time.Time
}

// apply writes the stored plan to users, from the first batch that the record does not know of.
func (j *job) apply(ctx context.Context, users userstore.Users) error {
	a := &applier{
		job: j, options: heldOptions(j.run.Import.Options, j.guard), users: users,
		outcomes: new(snapshot.Outcomes), at: j.run.Checkpoint, next: j.run.Checkpoint.Batches, savedAt: j.now(),
	}
	if j.run.UndoOf != "" {
		a.base = j.result.Summary.Skipped
	}
	j.set(func() { j.progress.Phase = jobstore.PhaseApplying })
	a.at.Begun = true
	if _, err := a.save(ctx); err != nil {
		return cause(ctx, err)
	}
	err := cause(ctx, j.readPlan(ctx, j.account, j.planKey, func(r *snapshot.Reader) error {
		batches := r.Batches(ctx, []plan.Change{plan.Create, plan.Update, plan.Delete}, a.at.Batches)
		for batch, err := range prefetch(batches, batchesAhead) {
			if err != nil {
				return err
			}
			if err := a.add(ctx, batch); err != nil {
				return err
			}
		}
		return a.flush(ctx)
	}))
	// What was written stays in the journal, also where the run ends here. A run whose record lags behind what it wrote must not end:
	// it is taken up again, whatever ended the writing.
	if _, saveErr := a.save(context.WithoutCancel(ctx)); saveErr != nil {
		if err != nil {
			j.log.WarnContext(ctx, "the writing ended early", "error", err)
		}
		return fmt.Errorf("store how far run %s is: %w", j.run.ID, saveErr)
	}
	return err
}

// add takes one batch and writes what has come together once it is enough.
func (a *applier) add(ctx context.Context, batch snapshot.Batch) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for i := range batch.Rows {
		row := &batch.Rows[i]
		if !plan.Applies(row, a.options) {
			continue
		}
		stamp(row, &a.run)
		change := userstore.Change{Key: row.Key, After: row.After}
		if row.Before != nil {
			change.Expect = row.Before.Version
		}
		a.changes = append(a.changes, change)
		a.places = append(a.places, snapshot.Position{Batch: batch.Index, Row: i})
	}
	a.next = batch.Index + 1
	if len(a.changes) < writeRows {
		return nil
	}
	// Only after a write, so that each worker gets the run on.
	err := a.flush(ctx)
	if err == nil && a.timeIsUp(ctx) {
		err = errHandOver
	}
	return err
}

// flush writes the collected changes and, now and then, stores how far the sync is.
func (a *applier) flush(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(a.changes) > 0 {
		whole, end := unlessCancelled(ctx)
		results, err := a.users.Apply(whole, a.changes)
		end()
		if err != nil {
			return fmt.Errorf("write %d users: %w", len(a.changes), err)
		}
		a.count(results)
		a.changes, a.places = a.changes[:0], a.places[:0]
	}
	a.at.Batches = a.next
	if a.now().Sub(a.savedAt) < checkpoint {
		return nil
	}
	cancelled, err := a.save(ctx)
	if err == nil && cancelled && !a.run.Cancelled {
		err = errCancelled
	}
	return err
}

// unlessCancelled returns a context for the writing of rows, which goes on where ctx ends because somebody cancelled the run: of rows that
// are written in part nobody knows which, and the journal would tell of none.
func unlessCancelled(ctx context.Context) (context.Context, func()) {
	whole, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if why := context.Cause(ctx); !errors.Is(why, errCancelled) {
			end(why)
		}
	})
	return whole, func() {
		stop()
		end(nil)
	}
}

func (a *applier) count(results []userstore.Outcome) {
	conflicts := 0
	for i, outcome := range results {
		// Once an attempt has died while it wrote, an absent row is most likely the one that it deleted.
		if outcome == userstore.Conflict || outcome == userstore.Absent && !a.run.Checkpoint.Begun {
			a.outcomes.Add(a.places[i])
			conflicts++
		}
	}
	a.at.Conflicts += conflicts
	a.at.Applied += len(results) - conflicts
	a.set(func() {
		a.progress.Applied = a.at.Applied
		a.result.Summary.Conflicts = a.base + a.at.Conflicts
	})
}

// save stores the conflicts since the last save, and then how far the sync is. It tells whether the run was cancelled.
func (a *applier) save(ctx context.Context) (cancelled bool, err error) {
	if a.outcomes.Len() > 0 {
		key := fmt.Sprintf("%s%s.conflicts.%d", objectstore.JournalPrefix, a.run.ID, a.at.Batches)
		if err := a.Objects.For(a.account).Put(ctx, key, a.outcomes.Encode); err != nil {
			return false, fmt.Errorf("store the conflicts of run %s: %w", a.run.ID, err)
		}
		a.at.ConflictKeys = append(slices.Clip(a.at.ConflictKeys), key)
		a.outcomes = new(snapshot.Outcomes)
	}
	run, err := a.jobs.UpdateRun(ctx, a.run.ID, func(r *jobstore.Run) error {
		a.fill(r)
		r.Checkpoint = a.at
		return nil
	})
	a.savedAt = a.now()
	return run.Cancelled, err
}
