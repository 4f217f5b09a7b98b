package importer

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/jobstore"
	"rollcall/shared/settings"
)

// Saved are the saved settings and the newest sync that ran with them, nil where none did.
type Saved struct {
	jobstore.Settings
	LastRun *jobstore.Run
}

// Removed says what deleting the settings removed.
type Removed struct {
	Schedule bool
	Password bool
}

// Settings returns the saved settings.
func (s *Service) Settings(ctx context.Context, id Identity) (Saved, error) {
	stored, err := s.c.Jobs.For(id.Account).Settings(ctx)
	if err != nil {
		return Saved{}, notFound(err, "settings_not_found", "No settings are saved.")
	}
	return s.withLastRun(ctx, id, stored)
}

func (s *Service) withLastRun(ctx context.Context, id Identity, stored jobstore.Settings) (Saved, error) {
	saved := Saved{Settings: stored}
	if stored.LastSyncID == "" {
		return saved, nil
	}
	last, err := s.c.Jobs.For(id.Account).Run(ctx, stored.LastSyncID)
	switch {
	case errors.Is(err, jobstore.ErrNotFound):
	case err != nil:
		return Saved{}, err
	default:
		saved.LastRun = &last
	}
	return saved, nil
}

// saved returns the saved settings, or nil where there are none.
func (s *Service) saved(ctx context.Context, id Identity) (*jobstore.Settings, error) {
	stored, err := s.c.Jobs.For(id.Account).Settings(ctx)
	if errors.Is(err, jobstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// SaveSettings saves settings and, with an interval, the schedule.
func (s *Service) SaveSettings(ctx context.Context, id Identity, req SettingsRequest) (Saved, error) {
	if err := req.check(); err != nil {
		return Saved{}, err
	}
	var old *jobstore.Settings
	var stored jobstore.Settings
	for saved := false; !saved; {
		var err error
		if old, err = s.saved(ctx, id); err != nil {
			return Saved{}, err
		}
		next, err := s.newSettings(ctx, id, req, old)
		if err != nil {
			return Saved{}, err
		}
		stored, err = s.c.Jobs.For(id.Account).PutSettings(ctx, next)
		// A conflict may be a run's mark on the settings: only another person's version is the caller's concern.
		if saved = err == nil; err != nil && !errors.Is(err, jobstore.ErrConflict) {
			return Saved{}, tooLarge(err)
		}
	}
	if err := s.audit(ctx, id, "settings.saved", "settings", settingsDiff(old, stored)); err != nil {
		return Saved{}, err
	}
	return s.withLastRun(ctx, id, stored)
}

// newSettings is what a request makes of the settings.
func (s *Service) newSettings(ctx context.Context, id Identity, req SettingsRequest, old *jobstore.Settings) (jobstore.Settings, error) {
	now := s.c.now()
	next := jobstore.Settings{UpdatedAt: now, UpdatedBy: id.Subject}
	next.Options = settings.DefaultOptions()
	version := int64(0)
	if old != nil {
		version, next.Revision = old.Version, old.Revision
		next.Import, next.SealedPassword = old.Import, old.SealedPassword
		next.LastSyncID, next.ConsecutiveFailures = old.LastSyncID, old.ConsecutiveFailures
	}
	// The time keeps a version from coming back after the settings were deleted and saved anew.
	next.Version = max(version+1, now.UnixMilli())
	switch {
	case req.Version != nil && *req.Version != version:
		return next, problem(Stale, "settings_changed_meanwhile", "Somebody saved the settings meanwhile. Read them again and save on top of those.")
	case req.PreviewID != "" && req.Connection != nil:
		return next, invalid(settings.FieldError{Field: "previewId", Message: "send either a connection or a previewId, not both"})
	case req.PreviewID != "":
		preview, err := s.Preview(ctx, id, req.PreviewID)
		if err != nil {
			return next, err
		}
		if preview.UndoOf != "" {
			return next, invalid(settings.FieldError{Field: "previewId", Message: "this preview is of an undo and has no connection; name one that read a directory"})
		}
		next.Import, next.SealedPassword = preview.Import, preview.SealedPassword
	case req.Connection != nil:
		sealed, err := s.seal(ctx, id, req.Connection, old)
		if err != nil {
			return next, err
		}
		next.Connection, next.SealedPassword = *req.Connection, sealed
	case old == nil:
		return next, invalid(settings.FieldError{Field: "connection", Message: "is required: no settings are saved yet"})
	}
	if req.Advanced != nil {
		next.Advanced = *req.Advanced
	}
	if req.Options != nil {
		next.Options = *req.Options
	}
	next.Schedule = s.c.newSchedule(id.Account, req, old, now)
	return next, nil
}

// DeleteSettings deletes settings, schedule and sealed password. Users stay.
func (s *Service) DeleteSettings(ctx context.Context, id Identity) (Removed, error) {
	old, err := s.c.Jobs.For(id.Account).DeleteSettings(ctx)
	if err != nil {
		return Removed{}, notFound(err, "settings_not_found", "No settings are saved.")
	}
	removed := Removed{Schedule: old.Schedule != nil, Password: old.SealedPassword != nil}
	details := map[string]string{"schedule": fmt.Sprint(removed.Schedule), "password": fmt.Sprint(removed.Password)}
	return removed, s.audit(ctx, id, "settings.deleted", "settings", details)
}

// settingsDiff names what saving changed, without any secret.
func settingsDiff(old *jobstore.Settings, now jobstore.Settings) map[string]string {
	var before jobstore.Settings
	if old != nil {
		before = *old
	}
	details := make(map[string]string)
	note := func(field string, from, to any) {
		if a, b := fmt.Sprint(from), fmt.Sprint(to); a != b {
			details[field] = a + " → " + b
		}
	}
	note("connection.serverType", before.Connection.ServerType, now.Connection.ServerType)
	note("connection.host", before.Connection.Host, now.Connection.Host)
	note("connection.port", before.Connection.Port, now.Connection.Port)
	note("connection.useSSL", before.Connection.UseSSL, now.Connection.UseSSL)
	note("connection.allowUnencrypted", before.Connection.AllowUnencrypted, now.Connection.AllowUnencrypted)
	note("connection.username", before.Connection.Username, now.Connection.Username)
	note("connection.caCertificate", len(before.Connection.CACertificate), len(now.Connection.CACertificate))
	note("advanced", before.Advanced, now.Advanced)
	note("options", before.Options, now.Options)
	note("schedule", interval(before.Schedule), interval(now.Schedule))
	if string(before.SealedPassword) != string(now.SealedPassword) {
		details["connection.password"] = "changed"
	}
	return details
}

func interval(s *jobstore.Schedule) string {
	switch {
	case s == nil:
		return "none"
	case s.Paused:
		return fmt.Sprintf("every %d h, paused", s.IntervalHours)
	}
	return fmt.Sprintf("every %d h", s.IntervalHours)
}
