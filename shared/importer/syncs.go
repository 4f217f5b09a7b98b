package importer

import (
	"context"
	"errors"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// StartSync starts a sync of a preview, whose rows it applies as they are, or of the saved settings.
func (s *Service) StartSync(ctx context.Context, id run.Identity, req SyncRequest) (run.Run, error) {
	if err := req.check(); err != nil {
		return run.Run{}, err
	}
	saved, err := s.saved(ctx, id)
	if err != nil {
		return run.Run{}, err
	}
	r := run.Run{Kind: run.KindSync, Trigger: run.TriggerManual, PreviewID: req.PreviewID,
		ConfirmRemovals: req.ConfirmRemovals}
	options := settings.DefaultOptions()
	if saved != nil {
		options = saved.Options
		r.Import, r.SealedPassword = saved.Import, saved.SealedPassword
	}
	if req.PreviewID != "" {
		preview, err := s.unusedPreview(ctx, id, req.PreviewID)
		r.UndoOf = preview.UndoOf
		if err != nil {
			return s.repeated(ctx, id, r, req.Idempotency, err)
		}
		r.Import, r.SealedPassword = preview.Import, nil
		if preview.UndoOf != "" {
			r.Trigger, options = run.TriggerUndo, preview.Import.Options
		}
	} else if saved == nil {
		return s.repeated(ctx, id, r, req.Idempotency, problem(NotFound, "settings_not_found",
			"No settings are saved: sync a preview by its previewId, or save settings first."))
	}
	if req.Options != nil {
		options = *req.Options
	}
	r.Import.Options = options
	return s.start(ctx, id, r, req.Idempotency)
}

// repeated returns the run that an earlier request with the same idempotency key started, although this one can start
// none by now. Where there is no such run it returns why.
func (s *Service) repeated(
	ctx context.Context, id run.Identity, r run.Run, once Idempotency, why error,
) (run.Run, error) {
	var refused *Error
	if once.Key == "" || !errors.As(why, &refused) {
		return run.Run{}, why
	}
	jobs := s.c.Jobs.For(id.Account)
	r.CreatedAt = s.c.now()
	asked := keyOf(r, once)
	stored, err := jobs.FindKey(ctx, asked)
	if errors.Is(err, runs.ErrNotFound) {
		return run.Run{}, why
	}
	if err != nil {
		return run.Run{}, err
	}
	runID, err := runOf(stored, asked)
	if err != nil {
		return run.Run{}, err
	}
	first, err := jobs.Run(ctx, runID)
	if errors.Is(err, runs.ErrNotFound) {
		err = why
	}
	return first, err
}

// Sync returns a sync's run.
func (s *Service) Sync(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	return s.run(ctx, id, run.KindSync, runID)
}

// Syncs returns one page of the account's syncs, the newest first. The query's kind is not used.
func (s *Service) Syncs(ctx context.Context, id run.Identity, q runs.Query) (runs.Page, error) {
	q.Kind = run.KindSync
	return s.c.Jobs.For(id.Account).Runs(ctx, q)
}

// CancelSync stops a sync before its next batch. What it did stays done, and stays in its journal.
func (s *Service) CancelSync(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Sync(ctx, id, runID)
	if err != nil {
		return run.Run{}, err
	}
	return s.cancel(ctx, id, r)
}

// Undo starts a sync that reverses another one.
func (s *Service) Undo(ctx context.Context, id run.Identity, runID string, once Idempotency) (run.Run, error) {
	undone, err := s.undoable(ctx, id, runID)
	if err != nil {
		return run.Run{}, err
	}
	r := undoRun(undone, run.KindSync)
	r.Trigger = run.TriggerUndo
	return s.start(ctx, id, r, once)
}

// PreviewUndo starts a preview of what Undo would do.
func (s *Service) PreviewUndo(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	undone, err := s.undoable(ctx, id, runID)
	if err != nil {
		return run.Run{}, err
	}
	return s.start(ctx, id, undoRun(undone, run.KindPreview), Idempotency{})
}

// undoRun is a run that reverses another. It may remove whatever that one created, and it reaches no directory.
func undoRun(undone run.Run, kind run.Kind) run.Run {
	r := run.Run{Kind: kind, UndoOf: undone.ID, Import: undone.Import}
	r.Import.Options = settings.Options{RemoveAccounts: true, RemoveScope: settings.RemoveAll,
		RemovalLimit: undone.Import.Options.RemovalLimit}
	return r
}

func (s *Service) undoable(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Sync(ctx, id, runID)
	switch {
	case err != nil:
		return run.Run{}, err
	case !r.State.Ended():
		return run.Run{}, problem(Conflict, "sync_not_ended",
			"The sync is still %s. Cancel it or wait for its end, then undo it.", r.State)
	case r.PlanKey == "" || r.Progress.Applied == 0 && !mayHaveWritten(&r):
		return run.Run{}, problem(Conflict, "sync_wrote_nothing",
			"The sync wrote nothing, so there is nothing to undo.")
	case !s.c.now().Before(r.ExpiresAt):
		return run.Run{}, expiredJournal()
	}
	return r, nil
}

// mayHaveWritten reports whether a run may have written users that neither its journal nor its progress tells of: it
// ended in the middle of its writing, and a worker before the last one had begun to write, which may have died or found
// its store out of reach. The users themselves say which run wrote them.
func mayHaveWritten(r *run.Run) bool {
	return r.Checkpoint.Begun && r.Attempts > 1 && (r.State == run.Failed || r.State == run.Cancelled)
}

func expiredJournal() *Error {
	return problem(Gone, codeJournalExpired, journalExpired)
}

// Outcome is what became of one row of a sync.
type Outcome string

// The outcomes.
const (
	OutcomeApplied  Outcome = "applied"
	OutcomeAlready  Outcome = "already"
	OutcomeConflict Outcome = "conflict"
	OutcomePending  Outcome = "pending"
)

// Outcomes lists every outcome.
func Outcomes() []string {
	return run.Texts[string]([]Outcome{OutcomeApplied, OutcomeAlready, OutcomeConflict, OutcomePending})
}

// Change is one line of a sync's journal: a row, with the users before and after as they were written.
type Change struct {
	plan.Row
	Outcome Outcome
}

// ChangeQuery chooses changes, and a page of them.
type ChangeQuery struct {
	planfile.Filter
	// Outcomes are those to show; empty shows all.
	Outcomes []Outcome
	// Cursor is the Next of the page before, empty for the first page.
	Cursor string
	Limit  int
}

// ChangePage is one page of a journal. Next is empty at the end. Scanned is how many rows it looked at.
type ChangePage struct {
	Changes []Change
	Next    string
	Scanned int
}

// Changes returns one page of what a sync writes, wrote, or left because somebody had changed it meanwhile.
func (s *Service) Changes(ctx context.Context, id run.Identity, runID string, q ChangeQuery) (ChangePage, error) {
	r, err := s.plannedSync(ctx, id, runID)
	if err != nil || r.PlanKey == "" {
		return ChangePage{}, err
	}
	journal, err := s.c.openJournal(ctx, id.Account, r)
	if err != nil {
		return ChangePage{}, pageError(err, codeJournalExpired, journalExpired)
	}
	defer journal.Close()
	page, err := journal.page(ctx, q)
	return page, pageError(err, codeJournalExpired, journalExpired)
}

// plannedSync returns a sync whose changes are known. One that ended before it had a plan has none.
func (s *Service) plannedSync(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Sync(ctx, id, runID)
	if err == nil && r.PlanKey == "" && !r.State.Ended() {
		return run.Run{}, problem(Conflict, "sync_not_planned",
			"The sync has no plan yet; its changes can be read once it applies them.")
	}
	return r, err
}
