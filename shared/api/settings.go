package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/settings"
)

// ConnectionView is a connection as it is shown: whether there is a password, and never which.
type ConnectionView struct {
	ServerType       settings.ServerType `json:"serverType" enum:"exchange,communigate,groupwise" doc:"The product behind the LDAP server"`
	Host             string              `json:"host" doc:"The LDAP servers, in the order in which they are tried" example:"dc1.example.com"`
	Port             int                 `json:"port" doc:"The TCP port" example:"389"`
	UseSSL           bool                `json:"useSSL" doc:"TLS from the first byte, in place of STARTTLS"`
	Username         string              `json:"username" doc:"Who reads; empty for an anonymous reader" example:"reader@example.com"`
	PasswordSet      bool                `json:"passwordSet" doc:"A password is stored" example:"true"`
	CACertificate    string              `json:"caCertificate,omitempty" doc:"PEM, certificates that are trusted besides the system's"`
	Encryption       settings.Encryption `json:"encryption" enum:"required,preferred,none" doc:"Whether the connection has to be encrypted"`
	AllowUnencrypted bool                `json:"allowUnencrypted" doc:"Whether encryption is preferred"`
	OldTLS           bool                `json:"oldTLS" doc:"Allows TLS 1.0 and 1.1 and the cipher suites of their time"`

	ConnectorID        string `json:"connectorId,omitempty" doc:"The connector that reads the directory; the password stays with it" example:"01M852AJH242XXNWN3EKWSF2WF"`
	TrustedCertificate string `json:"trustedCertificate,omitempty" doc:"The SHA-256 of the one certificate that the server may have"`
}

func connectionView(c settings.Connection, sealed []byte) ConnectionView {
	return ConnectionView{
		ServerType: c.ServerType, Host: c.Host, Port: c.Port, UseSSL: c.UseSSL, Username: c.Username,
		PasswordSet:   sealed != nil,
		CACertificate: c.CACertificate, Encryption: c.Mode(), AllowUnencrypted: c.Mode() == settings.Preferred,
		OldTLS: c.OldTLS, TrustedCertificate: c.TrustedCertificate, ConnectorID: c.ConnectorID,
	}
}

// ImportView is what a run was asked to do.
type ImportView struct {
	Connection ConnectionView    `json:"connection" doc:"How the directory is reached"`
	Advanced   settings.Advanced `json:"advanced" doc:"What is read, and how it is understood"`
	Options    settings.Options  `json:"options" doc:"What a sync may do"`
}

// Schedule is a saved schedule.
type Schedule struct {
	IntervalHours int       `json:"intervalHours" minimum:"1" maximum:"24" doc:"Hours between syncs" example:"6"`
	NextRunAt     time.Time `json:"nextRunAt" doc:"When the next sync starts" example:"2026-11-26T08:00:00Z"`
	QuickMinutes  *int      `json:"quickMinutes" nullable:"true" minimum:"5" maximum:"60" doc:"Minutes between quick looks; null for none" example:"15"`
	Paused        bool      `json:"paused" doc:"Nothing is started"`
	PausedReason  string    `json:"pausedReason,omitempty" doc:"Why, and what to do, where nobody paused it by hand"`
}

// Quick is whether and how the directory can be looked at for what changed.
type Quick struct {
	Possible bool   `json:"possible" doc:"The directory tells what changed" example:"true"`
	By       string `json:"by" example:"uSNChanged" enum:",uSNChanged,entryCSN,modifyTimestamp" doc:"The attribute that tells it"`
	Reason   string `json:"reason" doc:"Why it is not possible, or which index would make looks cheaper" example:""`
	Error    string `json:"error" doc:"Why the last look failed; empty where it did not" example:""`
}

// Settings are the saved settings.
type Settings struct {
	Connection          ConnectionView    `json:"connection" doc:"How the directory is reached"`
	Advanced            settings.Advanced `json:"advanced" doc:"What is read, and how it is understood"`
	Options             settings.Options  `json:"options" doc:"What a sync may do"`
	Schedule            *Schedule         `json:"schedule" doc:"When syncs start by themselves; null for never"`
	LastRun             *Sync             `json:"lastRun" doc:"The newest sync with these settings; null before the first"`
	ConsecutiveFailures int               `json:"consecutiveFailures" doc:"How many scheduled syncs failed one after the other" example:"0"`
	Health              settings.Health   `json:"health" doc:"Whether all is well, and what to do if not"`
	Quick               *Quick            `json:"quick" doc:"Known after the first full sync with these settings"`
	LastLookAt          *time.Time        `json:"lastLookAt" doc:"When the last quick look ended that did not fail" example:"2026-11-26T08:00:00Z"`
	UpdatedAt           time.Time         `json:"updatedAt" doc:"When they were saved" example:"2026-11-26T08:00:00Z"`
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
