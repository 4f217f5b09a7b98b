package importer

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// StartPreview starts a preview of the given connection, or of the saved one.
func (s *Service) StartPreview(ctx context.Context, id run.Identity, req PreviewRequest) (run.Run, error) {
	if err := req.check(); err != nil {
		return run.Run{}, err
	}
	imp, sealed, err := s.importOf(ctx, id, req)
	if err != nil {
		return run.Run{}, err
	}
	r := run.Run{Kind: run.KindPreview, Import: imp, SealedPassword: sealed}
	return s.start(ctx, id, r, req.Idempotency)
}

// importOf returns what a request is to read with: what it gives, and for the rest what is saved. The stored password
// comes with it only where it was entered for the same use.
func (s *Service) importOf(
	ctx context.Context, id run.Identity, req PreviewRequest,
) (imp settings.Import, sealed []byte, err error) {
	saved, err := s.saved(ctx, id)
	if err != nil {
		return imp, nil, err
	}
	imp.Options = settings.DefaultOptions()
	switch {
	case req.Connection != nil:
		imp.Connection = *req.Connection
		sealed, err = s.seal(ctx, id, req.Connection, saved)
	case saved == nil:
		err = problem(NotFound, "settings_not_found",
			"No settings are saved: send the connection, or save settings first.")
	default:
		imp, sealed = saved.Import, saved.SealedPassword
	}
	if err != nil {
		return imp, nil, err
	}
	if req.Advanced != nil {
		imp.Advanced = *req.Advanced
	}
	if req.Options != nil {
		imp.Options = *req.Options
	}
	if saved != nil {
		err = sameUse(sealed, imp, saved.SealedPassword, saved.Import)
	}
	return imp, sealed, err
}

// seal returns the sealed password for a connection that was entered: the one entered with it, or the stored one where
// it may be used again.
func (s *Service) seal(ctx context.Context, id run.Identity, c *settings.Connection, saved *settings.Saved) ([]byte,
	error) {
	switch {
	case c.ConnectorID != "":
		return nil, s.checkConnector(ctx, id.Account, c.ConnectorID)
	case !c.Password.Empty():
		return s.c.Sealer.Seal(ctx, c.Password, binding(id.Account, *c))
	case c.Username == "":
		return nil, nil
	case saved != nil && saved.SealedPassword != nil && c.SamePasswordScope(saved.Connection):
		return saved.SealedPassword, nil
	case saved != nil && saved.SealedPassword != nil:
		return nil, passwordAgain()
	}
	return nil, invalid(settings.FieldError{Field: "connection.password",
		Message: "enter the password, or leave the username empty to read the directory anonymously"})
}

// sameUse refuses a sealed password that is the stored one, entered for another import than what it is to be used for.
func sameUse(sealed []byte, use settings.Import, stored []byte, enteredFor settings.Import) error {
	if sealed == nil || !bytes.Equal(sealed, stored) || use.SamePasswordUse(enteredFor) {
		return nil
	}
	return passwordAgain()
}

func passwordAgain() *Error {
	return invalid(settings.FieldError{Field: "connection.password", Message: "enter the password again: " +
		"the stored one is only used for the same host, port, encryption, certificates, username and attributes"})
}

func binding(account user.Account, c settings.Connection) secret.Binding {
	return secret.Binding{Account: string(account), Target: c.Target()}
}

// Preview returns a preview's run, or a Gone error where its time is over.
func (s *Service) Preview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.run(ctx, id, run.KindPreview, runID)
	if err == nil && r.State.Ended() && !s.c.now().Before(r.ExpiresAt) {
		return r, expiredPreview()
	}
	return r, err
}

// CancelPreview stops a preview.
func (s *Service) CancelPreview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Preview(ctx, id, runID)
	if err != nil {
		return run.Run{}, err
	}
	return s.cancel(ctx, id, r)
}

// PreviewRows returns one page of a preview's rows. The cursor is the Next of the page before.
func (s *Service) PreviewRows(ctx context.Context, id run.Identity, runID string, f planfile.Filter, cursor string,
	limit int) (planfile.Page, error) {
	record, err := s.readyPreview(ctx, id, runID)
	if err != nil {
		return planfile.Page{}, err
	}
	var page planfile.Page
	err = s.c.readPlan(ctx, id.Account, record.PlanKey, func(r *planfile.Reader) error {
		page, err = r.Page(ctx, f, cursor, limit)
		return err
	})
	return page, pageError(err, codePreviewExpired, previewExpired)
}

// ShownPreview is a preview as it is shown. Outdated means that the Users List was written since the preview read it.
// Facets are nil in lists, and where the plan has none or is gone.
type ShownPreview struct {
	run.Run
	Outdated bool
	Facets   *planfile.Facets
}

// ShowPreview returns a preview as it is shown, or a Gone error where its time is over.
func (s *Service) ShowPreview(ctx context.Context, id run.Identity, runID string) (ShownPreview, error) {
	r, err := s.Preview(ctx, id, runID)
	if err != nil || r.PlanKey == "" {
		return ShownPreview{Run: r}, err
	}
	written, err := s.c.Jobs.For(id.Account).ListWritten(ctx)
	if err != nil {
		return ShownPreview{Run: r}, err
	}
	shown := shownPreview(r, written)
	err = s.c.readPlan(ctx, id.Account, r.PlanKey, func(plan *planfile.Reader) error {
		shown.Facets = plan.Meta().Facets
		return nil
	})
	if errors.Is(err, objects.ErrNotFound) || errors.Is(err, planfile.ErrDamaged) ||
		errors.Is(err, planfile.ErrVersion) {
		err = nil
	}
	return shown, err
}

// shownPreview holds a preview against the time at which the Users List was written last.
func shownPreview(r run.Run, written time.Time) ShownPreview {
	return ShownPreview{Run: r, Outdated: r.PlanKey != "" && !r.ListWrittenAt.Equal(written)}
}

// PreviewPage is one page of previews. Next is empty at the end.
type PreviewPage struct {
	Previews []ShownPreview
	Next     string
}

const (
	// previewStep is how many previews are read at a time.
	previewStep = 20
	// previewBytes is how long the settings of a page's previews may be together, in bytes; the preview with which they
	// come to more is the page's last one.
	previewBytes = 1 << 20
)

// Previews returns one page of the account's previews, the newest first, those whose rows are deleted among them. A
// page whose settings are very long has fewer than limit.
func (s *Service) Previews(ctx context.Context, id run.Identity, after string, limit int) (PreviewPage, error) {
	jobs := s.c.Jobs.For(id.Account)
	all, next, err := previewRuns(ctx, jobs, after, limit)
	if err != nil {
		return PreviewPage{}, err
	}
	// Not before: a preview that was just taken would seem to be outdated.
	written, err := jobs.ListWritten(ctx)
	if err != nil {
		return PreviewPage{}, err
	}
	page := PreviewPage{Next: next}
	for i := range all {
		page.Previews = append(page.Previews, shownPreview(all[i], written))
	}
	return page, nil
}

func previewRuns(ctx context.Context, jobs runs.Jobs, after string, limit int) (all []run.Run, next string, err error) {
	for bytes := 0; len(all) < limit; {
		query := runs.Query{Kind: run.KindPreview, After: after, Limit: min(limit-len(all), previewStep)}
		page, err := jobs.Runs(ctx, query)
		if err != nil {
			return nil, "", err
		}
		for i := range page.Runs {
			r, err := wholeRun(ctx, jobs, page.Runs[i])
			if err != nil {
				return nil, "", err
			}
			all = append(all, r)
			if bytes += length(&r.Import); bytes >= previewBytes {
				return all, r.ID, nil
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return all, after, nil
}

// wholeRun returns a run of a list with all of its settings. Most have none that the list leaves out.
func wholeRun(ctx context.Context, jobs runs.Jobs, listed run.Run) (run.Run, error) {
	if listed.Import.Fingerprint() == listed.Fingerprint() {
		return listed, nil
	}
	r, err := jobs.Run(ctx, listed.ID)
	if errors.Is(err, runs.ErrNotFound) {
		// Its time was over in this moment.
		return listed, nil
	}
	return r, err
}

// length returns about how long settings are in bytes, by what may be long in them.
func length(i *settings.Import) int {
	n := len(i.Connection.CACertificate) + len(i.Advanced.Filter)
	for _, list := range [][]string{i.Advanced.Exclude, i.Advanced.AcceptedDomains} {
		for _, entry := range list {
			n += len(entry) + len(`"",`)
		}
	}
	return n
}

// readablePreview returns a preview whose plan is there.
func (s *Service) readablePreview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.readyPreview(ctx, id, runID)
	if err != nil {
		return r, err
	}
	plan, err := s.c.Objects.For(id.Account).Open(ctx, r.PlanKey)
	if err != nil {
		return r, pageError(err, codePreviewExpired, previewExpired)
	}
	return r, plan.Close()
}

// unusedPreview returns a preview that can be synced. Whether it can is decided again as the sync is stored; what is
// refused here is not counted as a sync that was started. What is known of the preview comes with the error.
func (s *Service) unusedPreview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.readablePreview(ctx, id, runID)
	if err == nil {
		err = unused(ctx, s.c.Jobs.For(id.Account), &r)
	}
	return r, err
}

// create stores a new run. A sync of a preview takes that preview in the same step, so that a preview is synced once.
func create(ctx context.Context, jobs runs.Jobs, r run.Run, entries ...runs.AuditEntry) (run.Run, error) {
	if r.Kind != run.KindSync || r.PreviewID == "" {
		return jobs.CreateRun(ctx, r, entries...)
	}
	use := func(preview *run.Run) error {
		if err := unused(ctx, jobs, preview); err != nil {
			return err
		}
		used := preview.Syncs[max(0, len(preview.Syncs)+1-maxPreviewSyncs):]
		preview.Syncs = append(slices.Clip(used), r.ID)
		return nil
	}
	return runs.CreateFromPreview(ctx, jobs, r, use, entries...)
}

// maxPreviewSyncs is how many syncs a preview names: a blocked one may be tried again and again.
const maxPreviewSyncs = 100

// unused returns a Conflict where a sync has used the preview, or is using it. Only the last one can: while it was
// neither cancelled, failed nor blocked, no other began.
func unused(ctx context.Context, jobs runs.Jobs, preview *run.Run) error {
	if len(preview.Syncs) == 0 {
		return nil
	}
	r, err := jobs.LeanRun(ctx, preview.Syncs[len(preview.Syncs)-1])
	var used *Error
	switch {
	case errors.Is(err, runs.ErrNotFound):
		return nil
	case err != nil:
		return err
	case r.State == run.Done:
		used = problem(Conflict, "preview_used", "This preview was synced already. Take a new preview to sync again.")
	case !r.State.Ended():
		used = problem(Conflict, "preview_in_use",
			"A sync of this preview is %s. Wait for its end, or cancel it.", r.State)
	default:
		return nil
	}
	used.SyncID = r.ID
	return used
}

// readyPreview returns a preview that has rows.
func (s *Service) readyPreview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Preview(ctx, id, runID)
	if err == nil && r.State != run.Done {
		return r, problem(Conflict, "preview_not_ready",
			"The preview is %s; its rows can be read when it is done.", r.State)
	}
	return r, err
}

func expiredPreview() *Error { return problem(Gone, codePreviewExpired, previewExpired) }
