package importer

import (
	"context"

	"rollcall/shared/jobstore"
	"rollcall/shared/plan"
	"rollcall/shared/settings"
	"rollcall/shared/snapshot"
)

// StartSync starts a sync of a preview, whose rows it applies as they are, or of the saved settings.
func (s *Service) StartSync(ctx context.Context, id Identity, req SyncRequest) (jobstore.Run, error) {
	if err := req.check(); err != nil {
		return jobstore.Run{}, err
	}
	saved, err := s.saved(ctx, id)
	if err != nil {
		return jobstore.Run{}, err
	}
	run := jobstore.Run{Kind: jobstore.KindSync, Trigger: jobstore.TriggerManual, PreviewID: req.PreviewID, ConfirmRemovals: req.ConfirmRemovals}
	options := settings.DefaultOptions()
	if saved != nil {
		options = saved.Options
		run.Import, run.SealedPassword = saved.Import, saved.SealedPassword
	}
	if req.PreviewID != "" {
		preview, err := s.readyPreview(ctx, id, req.PreviewID)
		if err != nil {
			return jobstore.Run{}, err
		}
		run.Import, run.SealedPassword, run.UndoOf = preview.Import, nil, preview.UndoOf
		if preview.UndoOf != "" {
			run.Trigger, options = jobstore.TriggerUndo, preview.Import.Options
		}
	} else if saved == nil {
		return jobstore.Run{}, problem(NotFound, "settings_not_found", "No settings are saved: sync a preview by its previewId, or save settings first.")
	}
	if req.Options != nil {
		options = *req.Options
	}
	run.Import.Options = options
	return s.start(ctx, id, run, req.Idempotency)
}

// Sync returns a sync's run.
func (s *Service) Sync(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	return s.run(ctx, id, jobstore.KindSync, runID)
}

// Syncs returns one page of the account's syncs, the newest first.
func (s *Service) Syncs(ctx context.Context, id Identity, after string, limit int) (jobstore.RunPage, error) {
	return s.c.Jobs.For(id.Account).Runs(ctx, jobstore.RunQuery{Kind: jobstore.KindSync, After: after, Limit: limit})
}

// CancelSync stops a sync before its next batch. What it did stays done, and stays in its journal.
func (s *Service) CancelSync(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	run, err := s.Sync(ctx, id, runID)
	if err != nil {
		return jobstore.Run{}, err
	}
	return s.cancel(ctx, id, run)
}

// Undo starts a sync that reverses another one.
func (s *Service) Undo(ctx context.Context, id Identity, runID string, once Idempotency) (jobstore.Run, error) {
	undone, err := s.undoable(ctx, id, runID)
	if err != nil {
		return jobstore.Run{}, err
	}
	run := undoRun(undone, jobstore.KindSync)
	run.Trigger = jobstore.TriggerUndo
	return s.start(ctx, id, run, once)
}

// PreviewUndo starts a preview of what Undo would do.
func (s *Service) PreviewUndo(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	undone, err := s.undoable(ctx, id, runID)
	if err != nil {
		return jobstore.Run{}, err
	}
	return s.start(ctx, id, undoRun(undone, jobstore.KindPreview), Idempotency{})
}

// undoRun is a run that reverses another. It may remove whatever that one created, and it reaches no directory.
func undoRun(undone jobstore.Run, kind jobstore.RunKind) jobstore.Run {
	run := jobstore.Run{Kind: kind, UndoOf: undone.ID, Import: undone.Import}
	run.Import.Options = settings.Options{RemoveAccounts: true, RemoveScope: settings.RemoveAll, RemovalLimit: undone.Import.Options.RemovalLimit}
	return run
}

func (s *Service) undoable(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	run, err := s.Sync(ctx, id, runID)
	switch {
	case err != nil:
		return jobstore.Run{}, err
	case !run.State.Ended():
		return jobstore.Run{}, problem(Conflict, "sync_not_ended", "The sync is still %s. Cancel it or wait for its end, then undo it.", run.State)
	case run.PlanKey == "" || run.Progress.Applied == 0:
		return jobstore.Run{}, problem(Conflict, "sync_wrote_nothing", "The sync wrote nothing, so there is nothing to undo.")
	case !s.c.now().Before(run.ExpiresAt):
		return jobstore.Run{}, expiredJournal()
	}
	return run, nil
}

func expiredJournal() *Error {
	return problem(Gone, "journal_expired", "The journal of this sync was deleted after 90 days; it can no longer be read or undone.")
}

// Outcome is what became of one row of a sync.
type Outcome string

// The outcomes.
const (
	OutcomeApplied  Outcome = "applied"
	OutcomeConflict Outcome = "conflict"
	OutcomePending  Outcome = "pending"
)

// Change is one line of a sync's journal: a row, with the users before and after as they were written.
type Change struct {
	plan.Row
	Outcome Outcome
}

// ChangePage is one page of a journal. Next is empty at the end.
type ChangePage struct {
	Changes []Change
	Next    string
}

// Changes returns one page of what a sync writes, wrote, or left because somebody had changed it meanwhile.
func (s *Service) Changes(ctx context.Context, id Identity, runID string, f snapshot.Filter, cursor string, limit int) (ChangePage, error) {
	run, err := s.Sync(ctx, id, runID)
	switch {
	case err != nil:
		return ChangePage{}, err
	case run.PlanKey == "" && run.State.Ended():
		return ChangePage{}, nil
	case run.PlanKey == "":
		return ChangePage{}, problem(Conflict, "sync_not_planned", "The sync has no plan yet; its changes can be read once it applies them.")
	}
	journal, err := s.c.openJournal(ctx, id.Account, run)
	if err != nil {
		return ChangePage{}, pageError(err, "journal_expired")
	}
	defer journal.Close()
	page, err := journal.page(ctx, f, cursor, limit)
	return page, pageError(err, "journal_expired")
}
