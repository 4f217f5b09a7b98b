package importer

import (
	"context"
	"errors"
	"fmt"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Saved are the saved settings and the newest sync that ran with them, nil where none did.
type Saved struct {
	settings.Saved
	LastRun *run.Run
}

// Removed says what deleting the settings removed.
type Removed struct {
	Schedule bool
	Password bool
}

// Settings returns the saved settings.
func (s *Service) Settings(ctx context.Context, id run.Identity) (Saved, error) {
	stored, err := s.c.Jobs.For(id.Account).Settings(ctx)
	if err != nil {
		return Saved{}, notFound(err, "settings_not_found", "No settings are saved.")
	}
	return s.withLastRun(ctx, id, stored)
}

func (s *Service) withLastRun(ctx context.Context, id run.Identity, stored settings.Saved) (Saved, error) {
	saved := Saved{Saved: stored}
	if stored.LastSyncID == "" {
		return saved, nil
	}
	last, err := s.c.Jobs.For(id.Account).Run(ctx, stored.LastSyncID)
	switch {
	case errors.Is(err, runs.ErrNotFound):
	case err != nil:
		return Saved{}, err
	default:
		saved.LastRun = &last
	}
	return saved, nil
}

// saved returns the saved settings, or nil where there are none.
func (s *Service) saved(ctx context.Context, id run.Identity) (*settings.Saved, error) {
	stored, err := s.c.Jobs.For(id.Account).Settings(ctx)
	if errors.Is(err, runs.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// SaveSettings saves settings and, with an interval, the schedule.
func (s *Service) SaveSettings(ctx context.Context, id run.Identity, req SettingsRequest) (Saved, error) {
	if err := req.check(); err != nil {
		return Saved{}, err
	}
	var old *settings.Saved
	stored, err := runs.UpdateSettings(ctx, s.c.Jobs.For(id.Account), func(saved *settings.Saved) error {
		old = nil
		if saved.Revision != 0 {
			before := *saved
			old = &before
		}
		next, err := s.newSettings(ctx, id, req, old)
		if err == nil {
			err = s.fits(id.Account, next)
		}
		*saved = next
		return err
	})
	if err != nil {
		return Saved{}, tooLarge(err)
	}
	if err := s.audit(ctx, id, "settings.saved", "settings", settingsDiff(old, stored)); err != nil {
		return Saved{}, err
	}
	return s.withLastRun(ctx, id, stored)
}

// fits returns ErrTooLarge where the run that a schedule would make of the settings could not be stored.
func (s *Service) fits(account user.Account, next settings.Saved) error {
	return s.c.Jobs.For(account).Fits(s.scheduledRun(next, next.UpdatedAt))
}

// newSettings is what a request makes of the settings.
func (s *Service) newSettings(
	ctx context.Context, id run.Identity, req SettingsRequest, old *settings.Saved,
) (settings.Saved, error) {
	now := s.c.now()
	next := settings.Saved{UpdatedAt: now, UpdatedBy: id.Subject}
	next.Options = settings.DefaultOptions()
	version := int64(0)
	if old != nil {
		version, next.Revision = old.Version, old.Revision
		next.Import, next.SealedPassword = old.Import, old.SealedPassword
		next.LastSyncID, next.ConsecutiveFailures = old.LastSyncID, old.ConsecutiveFailures
		next.ScheduledRunID = old.ScheduledRunID
	}
	// The time keeps a version from coming back after the settings were deleted and saved again.
	next.Version = max(version+1, now.UnixMilli())
	switch {
	case req.Version != nil && *req.Version != version:
		return next, problem(Stale, "settings_changed_meanwhile",
			"Somebody saved the settings meanwhile. Read them again and save on top of those.")
	case req.PreviewID != "" && req.Connection != nil:
		return next, invalid(settings.FieldError{
			Field: "previewId", Message: "send either a connection or a previewId, not both",
		})
	case req.PreviewID != "":
		preview, err := s.Preview(ctx, id, req.PreviewID)
		if err != nil {
			return next, err
		}
		if preview.UndoOf != "" {
			return next, invalid(settings.FieldError{
				Field:   "previewId",
				Message: "this preview is of an undo and has no connection; name one that read a directory",
			})
		}
		next.Import, next.SealedPassword = preview.Import, preview.SealedPassword
	case req.Connection != nil:
		sealed, err := s.seal(ctx, id, req.Connection, old)
		if err != nil {
			return next, err
		}
		next.Connection, next.SealedPassword = *req.Connection, sealed
	case old == nil:
		return next, invalid(settings.FieldError{
			Field: "connection", Message: "is required: no settings are saved yet",
		})
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
func (s *Service) DeleteSettings(ctx context.Context, id run.Identity) (Removed, error) {
	old, err := s.c.Jobs.For(id.Account).DeleteSettings(ctx)
	if err != nil {
		return Removed{}, notFound(err, "settings_not_found", "No settings are saved.")
	}
	removed := Removed{Schedule: old.Schedule != nil, Password: old.SealedPassword != nil}
	details := map[string]string{"schedule": fmt.Sprint(removed.Schedule), "password": fmt.Sprint(removed.Password)}
	return removed, s.audit(ctx, id, "settings.deleted", "settings", details)
}

// settingsDiff names what saving changed, without any secret.
func settingsDiff(old *settings.Saved, now settings.Saved) map[string]string {
	var before settings.Saved
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

func interval(s *settings.Schedule) string {
	switch {
	case s == nil:
		return "none"
	case s.Paused:
		return fmt.Sprintf("every %d h, paused", s.IntervalHours)
	}
	return fmt.Sprintf("every %d h", s.IntervalHours)
}
