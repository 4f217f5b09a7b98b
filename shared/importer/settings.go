package importer

import (
	"bytes"
	"context"
	"errors"
	"strconv"

	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// Saved are the saved settings, with the newest full sync that ran with them, nil where none did, and how they fare.
type Saved struct {
	settings.Saved
	LastRun *run.Run
	Health  settings.Health
	// Looks are the quick looks with these settings, nil before a full sync of them was done.
	Looks *run.Looks
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
		if errors.Is(err, runs.ErrNotFound) {
			err = noSettings()
		}
		return Saved{}, err
	}
	return s.withLastRun(ctx, id, stored)
}

func (s *Service) withLastRun(ctx context.Context, id run.Identity, stored settings.Saved) (Saved, error) {
	saved := Saved{Saved: stored}
	if stored.LastSyncID != "" {
		last, err := s.c.Jobs.For(id.Account).Run(ctx, stored.LastSyncID)
		switch {
		case errors.Is(err, runs.ErrNotFound):
		case err != nil:
			return Saved{}, err
		default:
			saved.LastRun = &last
		}
	}
	saved.Health = healthOf(stored, saved.LastRun)
	looks, err := s.c.Jobs.For(id.Account).Looks(ctx)
	if err == nil && looks.Fingerprint == stored.Fingerprint() {
		saved.Looks = &looks
	}
	return saved, err
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
	asked := func(*settings.Saved) (SettingsRequest, error) { return req, nil }
	return s.saveSettings(ctx, id, runs.SettingsSaved, asked)
}

// PatchSettings changes the saved settings where they are named. A patch that names nothing changes nothing.
func (s *Service) PatchSettings(ctx context.Context, id run.Identity, patch SettingsPatch) (Saved, error) {
	if patch.Change == nil {
		saved, err := s.Settings(ctx, id)
		if err == nil {
			err = stale(patch.Match, saved.Version)
		}
		return saved, err
	}
	return s.saveSettings(ctx, id, runs.SettingsChanged, func(old *settings.Saved) (SettingsRequest, error) {
		if old == nil {
			return SettingsRequest{}, noSettings()
		}
		if err := stale(patch.Match, old.Version); err != nil {
			return SettingsRequest{}, err
		}
		req := requestOf(*old)
		err := patch.Change(&req)
		req.kept = req.Connection != nil && *req.Connection == old.Connection
		return req, err
	})
}

// requestOf is the request that saves settings as they are.
func requestOf(old settings.Saved) SettingsRequest {
	req := SettingsRequest{Connection: &old.Connection, Advanced: &old.Advanced, Options: &old.Options}
	if old.Schedule != nil {
		req.IntervalHours, req.Paused = &old.Schedule.IntervalHours, old.Schedule.Paused
		if quick := old.Schedule.QuickMinutes; quick > 0 {
			req.QuickMinutes = &quick
		}
	}
	return req
}

func stale(match Match, version int64) error {
	switch {
	case match == nil || match(version):
		return nil
	case version == 0:
		return problem(Stale, "settings_changed_meanwhile",
			"No settings are saved any more. Save them without the condition to save new ones.")
	}
	return problem(Stale, "settings_changed_meanwhile",
		"Somebody saved the settings meanwhile. Read them again and save on top of those.")
}

func noSettings() *Error { return problem(NotFound, "settings_not_found", "No settings are saved.") }

// saveSettings saves what request makes of the settings, nil where none are saved, and the entry about it.
func (s *Service) saveSettings(
	ctx context.Context, id run.Identity, action runs.Action, request func(*settings.Saved) (SettingsRequest, error),
) (Saved, error) {
	jobs := s.c.Jobs.For(id.Account)
	stored, err := runs.EditSettings(ctx, jobs, func(saved *settings.Saved) ([]runs.AuditEntry, error) {
		var old *settings.Saved
		if saved.Revision != 0 {
			before := *saved
			old = &before
		}
		req, err := request(old)
		if err == nil {
			err = req.check()
		}
		if err != nil {
			return nil, err
		}
		next, err := s.newSettings(ctx, id, req, old)
		if err == nil {
			err = s.fits(id.Account, next)
		}
		if err == nil {
			err = s.wakeLooks(ctx, jobs, next)
		}
		*saved = next
		return []runs.AuditEntry{s.entry(id, action, "settings", settingsDiff(old, next))}, err
	})
	if err != nil {
		return Saved{}, tooLarge(err)
	}
	return s.withLastRun(ctx, id, stored)
}

// fits returns ErrTooLarge where the run that a schedule would make of the settings could not be stored.
func (s *Service) fits(account user.Account, next settings.Saved) error {
	return s.c.Jobs.For(account).Fits(scheduledRun(next, run.TriggerSchedule, s.c.NewID(), next.UpdatedAt))
}

// newSettings is what a request makes of the settings.
func (s *Service) newSettings(
	ctx context.Context, id run.Identity, req SettingsRequest, old *settings.Saved,
) (settings.Saved, error) {
	now := s.c.now()
	next := settings.Saved{}
	next.Options = settings.DefaultOptions()
	if old != nil {
		next = *old
	}
	version := next.Version
	next.UpdatedAt, next.UpdatedBy = now, id.Subject
	// The time keeps a version from coming back after the settings were deleted and saved again.
	next.Version = max(version+1, now.UnixMilli())
	if err := stale(req.Match, version); err != nil {
		return next, err
	}
	entered, err := s.connect(ctx, id, req, old, &next)
	if err != nil {
		return next, err
	}
	if req.Advanced != nil {
		next.Advanced = *req.Advanced
	}
	if req.Options != nil {
		next.Options = *req.Options
	}
	if err := sameUse(next.SealedPassword, next.Import, entered.SealedPassword, entered.Import); err != nil {
		return next, err
	}
	next.Schedule = s.c.newSchedule(id.Account, req, old, now)
	if old == nil || old.Fingerprint() != next.Fingerprint() {
		next.Health = settings.Health{State: settings.NeverRun, Since: now}
		if err := s.noteSyncOf(ctx, id, req.PreviewID, &next); err != nil {
			return next, err
		}
	}
	if old != nil && !bytes.Equal(old.SealedPassword, next.SealedPassword) {
		next.Refusals = 0
	}
	return next, nil
}

// connect gives next the connection and password that a request names, of a preview or entered, and returns what a
// password that is kept was entered for.
func (s *Service) connect(
	ctx context.Context, id run.Identity, req SettingsRequest, old, next *settings.Saved,
) (entered settings.Saved, err error) {
	if old != nil {
		entered = *old
	}
	switch {
	case req.PreviewID != "" && req.Connection != nil:
		return entered, invalid(settings.FieldError{
			Field: "previewId", Message: "send either a connection or a previewId, not both",
		})
	case req.PreviewID != "":
		preview, err := s.Preview(ctx, id, req.PreviewID)
		if err != nil {
			return entered, err
		}
		if preview.UndoOf != "" {
			return entered, invalid(settings.FieldError{
				Field:   "previewId",
				Message: "this preview is of an undo and has no connection; name one that read a directory",
			})
		}
		next.Import, next.SealedPassword = preview.Import, preview.SealedPassword
		entered.Import, entered.SealedPassword = preview.Import, preview.SealedPassword
	case req.kept:
	case req.Connection != nil:
		sealed, err := s.seal(ctx, id, req.Connection, old)
		if err != nil {
			return entered, err
		}
		next.Connection, next.SealedPassword = *req.Connection, sealed
	case old == nil:
		return entered, invalid(settings.FieldError{
			Field: "connection", Message: "is required: no settings are saved yet",
		})
	}
	return entered, nil
}

// DeleteSettings deletes settings, schedule and sealed password. Users stay.
func (s *Service) DeleteSettings(ctx context.Context, id run.Identity) (Removed, error) {
	removedBy := func(old settings.Saved) Removed {
		return Removed{Schedule: old.Schedule != nil, Password: old.SealedPassword != nil}
	}
	old, err := runs.RemoveSettings(ctx, s.c.Jobs.For(id.Account), func(old settings.Saved) runs.AuditEntry {
		removed := removedBy(old)
		return s.entry(id, runs.SettingsDeleted, "settings", map[string]string{
			"schedule": strconv.FormatBool(removed.Schedule), "password": strconv.FormatBool(removed.Password),
		})
	})
	if errors.Is(err, runs.ErrNotFound) {
		err = noSettings()
	}
	if err != nil {
		return Removed{}, err
	}
	return removedBy(old), nil
}
