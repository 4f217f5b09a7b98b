package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/settings"
)

// ConnectionView is a connection as it is shown: whether there is a password, and never which.
type ConnectionView struct {
	ServerType       settings.ServerType `json:"serverType"`
	Host             string              `json:"host"`
	Port             int                 `json:"port"`
	UseSSL           bool                `json:"useSSL"`
	Username         string              `json:"username"`
	PasswordSet      bool                `json:"passwordSet" doc:"A password is stored"`
	CACertificate    string              `json:"caCertificate,omitempty"`
	Encryption       settings.Encryption `json:"encryption" enum:"required,preferred,none"`
	AllowUnencrypted bool                `json:"allowUnencrypted" doc:"Whether encryption is preferred"`
	OldTLS           bool                `json:"oldTLS"`

	TrustedCertificate string `json:"trustedCertificate,omitempty"`
}

func connectionView(c settings.Connection, sealed []byte) ConnectionView {
	return ConnectionView{
		ServerType: c.ServerType, Host: c.Host, Port: c.Port, UseSSL: c.UseSSL, Username: c.Username,
		PasswordSet:   sealed != nil,
		CACertificate: c.CACertificate, Encryption: c.Mode(), AllowUnencrypted: c.Mode() == settings.Preferred,
		OldTLS: c.OldTLS, TrustedCertificate: c.TrustedCertificate,
	}
}

// ImportView is what a run was asked to do.
type ImportView struct {
	Connection ConnectionView    `json:"connection"`
	Advanced   settings.Advanced `json:"advanced"`
	Options    settings.Options  `json:"options"`
}

// Schedule is a saved schedule.
type Schedule struct {
	_             struct{}  `json:"-" nullable:"true"`
	IntervalHours int       `json:"intervalHours" minimum:"1" maximum:"24"`
	NextRunAt     time.Time `json:"nextRunAt"`
	QuickMinutes  *int      `json:"quickMinutes" nullable:"true" minimum:"5" maximum:"60" doc:"Minutes between quick looks; null for none"`
	Paused        bool      `json:"paused"`
	PausedReason  string    `json:"pausedReason,omitempty"`
}

// Quick is whether and how the directory can be looked at for what changed.
type Quick struct {
	_        struct{} `json:"-" nullable:"true"`
	Possible bool     `json:"possible" doc:"The directory tells what changed"`
	By       string   `json:"by" enum:",uSNChanged,entryCSN,modifyTimestamp" doc:"The attribute that tells it"`
	Reason   string   `json:"reason" doc:"Why it is not possible, or which index would make looks cheaper"`
	Error    string   `json:"error" doc:"Why the last look failed; empty where it did not"`
}

// Settings are the saved settings.
type Settings struct {
	Connection          ConnectionView    `json:"connection"`
	Advanced            settings.Advanced `json:"advanced"`
	Options             settings.Options  `json:"options"`
	Schedule            *Schedule         `json:"schedule"`
	LastRun             *Sync             `json:"lastRun"`
	ConsecutiveFailures int               `json:"consecutiveFailures"`
	Health              settings.Health   `json:"health"`
	Quick               *Quick            `json:"quick" doc:"Known after the first full sync with these settings"`
	LastLookAt          *time.Time        `json:"lastLookAt" doc:"When the last quick look ended that did not fail"`
	UpdatedAt           time.Time         `json:"updatedAt"`
}

// SettingsView shows saved settings.
func SettingsView(s importer.Saved, now time.Time) Settings {
	view := Settings{
		Connection: connectionView(s.Connection, s.SealedPassword), Advanced: s.Advanced.Shown(), Options: s.Options,
		ConsecutiveFailures: s.ConsecutiveFailures, Health: s.Health, UpdatedAt: s.UpdatedAt,
	}
	if s.Schedule != nil {
		view.Schedule = &Schedule{
			IntervalHours: s.Schedule.IntervalHours, NextRunAt: s.Schedule.NextRunAt, Paused: s.Schedule.Paused,
			PausedReason: s.Schedule.PausedReason,
		}
		if quick := s.Schedule.QuickMinutes; quick > 0 {
			view.Schedule.QuickMinutes = &quick
		}
	}
	if l := s.Looks; l != nil {
		view.Quick = &Quick{Possible: l.Possible(), By: l.By(), Reason: l.Reason, Error: l.Error}
		view.LastLookAt = moment(l.LastAt)
	}
	if s.LastRun != nil {
		last := SyncView(*s.LastRun, now)
		view.LastRun = &last
	}
	return view
}
