package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// sync does a sync that somebody or the schedule started, and an undo: it loads the run's plan or makes it, judges it
// once, and applies it. What an earlier attempt stored counts. It returns the state in which the run ends; finish
// stores it.
func (j *job) sync(ctx context.Context) (run.State, error) {
	if j.planKey == "" {
		key, err := j.loadOrMakePlan(ctx)
		if err != nil {
			return "", err
		}
		guard, err := j.judge(ctx)
		if err != nil {
			return "", err
		}
		if err := j.adopt(ctx, key, guard); err != nil {
			return "", err
		}
	}
	switch {
	case j.guard.Reason == run.GuardEmptyRead:
		return "", &run.Failure{Code: string(run.GuardEmptyRead), Message: j.guard.Message}
	case !j.guard.Blocked:
		return run.Done, j.apply(ctx, j.Users.For(j.account))
	case j.run.Trigger == run.TriggerSchedule:
		// New users never wait for somebody's attention: all but the removals is applied.
		return run.Blocked, j.apply(ctx, j.Users.For(j.account))
	}
	return run.Blocked, nil
}

// preview makes a plan and stores it.
func (j *job) preview(ctx context.Context) (run.State, error) {
	key := j.objectKey(objects.PlanPrefix)
	written, err := j.jobs.ListWritten(ctx)
	if err != nil {
		return "", fmt.Errorf("read when the Users List was written: %w", err)
	}
	j.set(func() { j.listWritten = written })
	if err := j.makePlan(ctx, key); err != nil {
		return "", err
	}
	guard := run.Guard{}
	if j.run.UndoOf == "" {
		// It shows what Remove Accounts would remove, whether or not that is chosen later.
		options := j.run.Import.Options
		options.RemoveAccounts = true
		day, err := j.day(ctx)
		if err != nil {
			return "", err
		}
		guard = plan.Judge(plan.Question{Result: j.result, Options: options, Day: day})
	}
	j.set(func() { j.guard, j.planKey = guard, key })
	return run.Done, nil
}

// export writes a CSV.
func (j *job) export(ctx context.Context) (run.State, error) {
	written, err := j.writeExport(ctx, j.account, j.run)
	j.set(func() { j.written = written })
	return run.Done, err
}

// loadOrMakePlan stores the plan of a sync and returns its key.
func (j *job) loadOrMakePlan(ctx context.Context) (key string, err error) {
	key = j.objectKey(objects.JournalPrefix)
	if j.run.PreviewID != "" {
		err = j.takePreview(ctx, key)
	} else {
		err = j.makePlan(ctx, key)
	}
	if err == nil && j.run.UndoOf != "" {
		err = j.pauseSchedule(ctx)
	}
	return key, err
}

// takePreview makes a preview's plan the run's own.
func (j *job) takePreview(ctx context.Context, key string) error {
	preview, err := j.jobs.Run(ctx, j.run.PreviewID)
	if err != nil {
		return fmt.Errorf("read preview %s: %w", j.run.PreviewID, err)
	}
	err = j.copyPlan(ctx, preview, key)
	if errors.Is(err, objects.ErrNotFound) {
		return &run.Failure{Code: codePreviewExpired, Message: previewExpired}
	}
	j.set(func() {
		j.result, j.notes, j.steps, j.tracking = preview.Result, preview.Notes, preview.Steps, preview.Tracking
		j.progress.Phase = run.PhasePlanning
		j.progress.Entries, j.progress.Addresses = preview.Progress.Entries, preview.Progress.Addresses
	})
	return err
}

// copyPlan stores a preview's plan at key. The rows that change nothing are left out where they are most of it, since a
// journal is kept for long.
func (j *job) copyPlan(ctx context.Context, preview run.Run, key string) error {
	files := j.Objects.For(j.account)
	s := &preview.Result.Summary
	if s.Unchanged <= s.Create+s.Update+s.Delete+s.Skipped {
		return files.Copy(ctx, preview.PlanKey, key)
	}
	return j.readPlan(ctx, j.account, preview.PlanKey, func(r *planfile.Reader) error {
		return files.Put(ctx, key, func(w io.Writer) error { return r.CopyWithout(ctx, w, plan.Unchanged) })
	})
}

// judge asks the guard. Undoing is not guarded: its preview shows it, and it only takes back what the journal names. A
// quick sync removes nobody.
func (j *job) judge(ctx context.Context) (run.Guard, error) {
	if j.run.UndoOf != "" {
		return run.Guard{Removals: j.result.Summary.Delete, Stored: j.result.Census.Stored}, nil
	}
	if j.run.Trigger == run.TriggerQuick {
		return run.Guard{}, nil
	}
	changed, err := j.settingsChanged(ctx)
	if err != nil {
		return run.Guard{}, err
	}
	day, err := j.day(ctx)
	if err != nil {
		return run.Guard{}, err
	}
	guard := plan.Judge(plan.Question{
		Result: j.result, Options: j.run.Import.Options, SettingsChanged: changed, Day: day,
		Confirmed: j.run.ConfirmRemovals,
	})
	if guard.Reason == run.GuardEmptyRead {
		return guard, nil
	}
	return guard, j.noteJudged(ctx, guard)
}

// settingsChanged reports whether the last successful sync used other settings and nobody has previewed these.
func (j *job) settingsChanged(ctx context.Context) (bool, error) {
	if j.run.PreviewID != "" {
		return false, nil
	}
	query := runs.Query{Kind: run.KindSync, Limit: 100}
	for {
		page, err := j.jobs.Runs(ctx, query)
		if err != nil {
			return false, fmt.Errorf("read the history: %w", err)
		}
		for i := range page.Runs {
			if r := &page.Runs[i]; r.State == run.Done && r.Full() {
				return r.Fingerprint() != j.run.Fingerprint(), nil
			}
		}
		if query.After = page.Next; query.After == "" {
			return false, nil
		}
	}
}

// adopt stores the plan as the run's own, with the verdict on it.
func (j *job) adopt(ctx context.Context, planKey string, guard run.Guard) error {
	j.set(func() {
		s := &j.result.Summary
		// What the guard holds counts: it is part of what the run was to do.
		s.Delete = guard.Removals
		if !j.run.Import.Options.RemoveAccounts {
			j.result.Census.RemovalsImported = 0
		}
		j.guard, j.planKey = guard, planKey
		j.progress.ToApply = s.Create + s.Update + s.Delete
	})
	_, err := j.update(ctx, j.recordInto)
	return err
}

// applicable returns the options that a plan is applied with: the removals of a blocked plan are held.
func applicable(r *run.Run) settings.Options {
	options := r.Import.Options
	if r.Guard.Blocked {
		options.RemoveAccounts = false
	}
	return options
}
