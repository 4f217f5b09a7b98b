package importer

import (
	"context"
	"errors"

	"rollcall/shared/jobstore"
	"rollcall/shared/objectstore"
	"rollcall/shared/secret"
	"rollcall/shared/settings"
	"rollcall/shared/snapshot"
	"rollcall/shared/user"
)

// StartPreview starts a preview of the given connection, or of the saved one.
func (s *Service) StartPreview(ctx context.Context, id Identity, req PreviewRequest) (jobstore.Run, error) {
	if err := req.check(); err != nil {
		return jobstore.Run{}, err
	}
	saved, err := s.saved(ctx, id)
	if err != nil {
		return jobstore.Run{}, err
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
		return jobstore.Run{}, err
	}
	if req.Advanced != nil {
		imp.Advanced = *req.Advanced
	}
	if req.Options != nil {
		imp.Options = *req.Options
	}
	run := jobstore.Run{Kind: jobstore.KindPreview, Import: imp, SealedPassword: sealed}
	return s.start(ctx, id, run, req.Idempotency)
}

// seal returns the sealed password for a connection that was entered: the one entered with it, or the stored one where
// it may be used again.
func (s *Service) seal(ctx context.Context, id Identity, c *settings.Connection, saved *jobstore.Settings) ([]byte, error) {
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
func (s *Service) Preview(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	run, err := s.run(ctx, id, jobstore.KindPreview, runID)
	if err == nil && run.State.Ended() && !s.c.now().Before(run.ExpiresAt) {
		return jobstore.Run{}, expiredPreview()
	}
	return run, err
}

// CancelPreview stops a preview.
func (s *Service) CancelPreview(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	run, err := s.Preview(ctx, id, runID)
	if err != nil {
		return jobstore.Run{}, err
	}
	return s.cancel(ctx, id, run)
}

// PreviewRows returns one page of a preview's rows. The cursor is the Next of the page before.
func (s *Service) PreviewRows(ctx context.Context, id Identity, runID string, f snapshot.Filter, cursor string, limit int) (snapshot.Page, error) {
	run, err := s.readyPreview(ctx, id, runID)
	if err != nil {
		return snapshot.Page{}, err
	}
	var page snapshot.Page
	err = s.c.readPlan(ctx, id.Account, run.PlanKey, func(r *snapshot.Reader) error {
		page, err = r.Page(ctx, f, cursor, limit)
		return err
	})
	return page, pageError(err, "preview_expired")
}

// readyPreview returns a preview whose plan can be read.
func (s *Service) readyPreview(ctx context.Context, id Identity, runID string) (jobstore.Run, error) {
	run, err := s.Preview(ctx, id, runID)
	if err == nil && run.State != jobstore.Done {
		return jobstore.Run{}, problem(Conflict, "preview_not_ready", "The preview is %s; its rows can be read when it is done.", run.State)
	}
	return run, err
}

func expiredPreview() *Error {
	return problem(Gone, "preview_expired", "The preview is older than a day and was deleted. Take a new one.")
}

// readPlan opens the plan at key for use.
func (c Config) readPlan(ctx context.Context, account user.Account, key string, use func(*snapshot.Reader) error) error {
	object, err := c.Objects.For(account).Open(ctx, key)
	if err != nil {
		return err
	}
	defer object.Close()
	reader, err := c.plans.Open(string(account)+"\x00"+key, object, object.Size())
	if err != nil {
		return err
	}
	return use(reader)
}

// pageError gives the errors of reading a plan the caller's words.
func pageError(err error, goneCode string) error {
	switch {
	case errors.Is(err, snapshot.ErrBadCursor):
		return problem(Malformed, "invalid_cursor", "The cursor is not one that this list gave with these filters. Start without a cursor.")
	case errors.Is(err, objectstore.ErrNotFound):
		return problem(Gone, goneCode, "What this run found was deleted when its time was over.")
	case errors.Is(err, snapshot.ErrVersion):
		return problem(Gone, goneCode, "What this run found was stored by another version of this program, which alone can read it.")
	}
	return err
}
