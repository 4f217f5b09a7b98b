package importer

import (
	"context"

	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/secret"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// StartPreview starts a preview of the given connection, or of the saved one.
func (s *Service) StartPreview(ctx context.Context, id run.Identity, req PreviewRequest) (run.Run, error) {
	if err := req.check(); err != nil {
		return run.Run{}, err
	}
	saved, err := s.saved(ctx, id)
	if err != nil {
		return run.Run{}, err
	}
	imp := settings.Import{Options: settings.DefaultOptions()}
	var sealed []byte
	switch {
	case req.Connection != nil:
		imp.Connection = *req.Connection
		sealed, err = s.seal(ctx, id, req.Connection, saved)
	case saved == nil:
		err = problem(NotFound, "settings_not_found", "No settings are saved: send the connection, or save settings first.")
	default:
		imp, sealed = saved.Import, saved.SealedPassword
	}
	if err != nil {
		return run.Run{}, err
	}
	if req.Advanced != nil {
		imp.Advanced = *req.Advanced
	}
	if req.Options != nil {
		imp.Options = *req.Options
	}
	r := run.Run{Kind: run.KindPreview, Import: imp, SealedPassword: sealed}
	return s.start(ctx, id, r, req.Idempotency)
}

// seal returns the sealed password for a connection that was entered: the one entered with it, or the stored one where
// it may be used again.
func (s *Service) seal(ctx context.Context, id run.Identity, c *settings.Connection, saved *settings.Saved) ([]byte, error) {
	switch {
	case !c.Password.Empty():
		return s.c.Sealer.Seal(ctx, c.Password, binding(id.Account, *c))
	case c.Username == "":
		return nil, nil
	case saved != nil && saved.SealedPassword != nil && c.SamePasswordScope(saved.Connection):
		return saved.SealedPassword, nil
	case saved != nil && saved.SealedPassword != nil:
		return nil, invalid(settings.FieldError{Field: "connection.password",
			Message: "enter the password again: the stored one is only used for the same host, port, security and username"})
	}
	return nil, invalid(settings.FieldError{Field: "connection.password",
		Message: "enter the password, or leave the username empty to read the directory anonymously"})
}

func binding(account user.Account, c settings.Connection) secret.Binding {
	return secret.Binding{Account: string(account), Target: c.Target()}
}

// Preview returns a preview's run, or a Gone error where its time is over.
func (s *Service) Preview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.run(ctx, id, run.KindPreview, runID)
	if err == nil && r.State.Ended() && !s.c.now().Before(r.ExpiresAt) {
		return run.Run{}, expiredPreview()
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
func (s *Service) PreviewRows(ctx context.Context, id run.Identity, runID string, f planfile.Filter, cursor string, limit int) (planfile.Page, error) {
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

// readyPreview returns a preview whose plan can be read.
func (s *Service) readyPreview(ctx context.Context, id run.Identity, runID string) (run.Run, error) {
	r, err := s.Preview(ctx, id, runID)
	if err == nil && r.State != run.Done {
		return run.Run{}, problem(Conflict, "preview_not_ready", "The preview is %s; its rows can be read when it is done.", r.State)
	}
	return r, err
}

func expiredPreview() *Error { return problem(Gone, codePreviewExpired, previewExpired) }
