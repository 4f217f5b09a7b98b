package importer

import (
	"slices"

	"rollcall/shared/address"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// PreviewRequest asks for a preview. What is nil is taken from the saved settings; a Connection without a password
// may use the stored one, where host, port, security and username are the stored ones too.
type PreviewRequest struct {
	Connection *settings.Connection
	Advanced   *settings.Advanced
	Options    *settings.Options
	Idempotency
}

// Idempotency makes a request that is sent twice start one run (draft-ietf-httpapi-idempotency-key-header). An empty
// Key starts a new run each time.
type Idempotency struct {
	Key string
	// Body is the request's body without passwords, to tell a repetition from another request under the same key.
	Body []byte
}

// SyncRequest asks for a sync: of a preview, or of the saved settings where PreviewID is empty.
type SyncRequest struct {
	PreviewID string
	// Options nil takes the saved settings' options, or the defaults where nothing is saved.
	Options         *settings.Options
	ConfirmRemovals *int
	Idempotency
}

// Match decides whether what is stored may be changed, by its version, which is 0 where nothing is stored. Nil lets it
// be changed whatever it is.
type Match func(version int64) bool

// SettingsRequest saves settings. PreviewID stands in for Connection, and for what is nil of the others.
type SettingsRequest struct {
	Connection *settings.Connection
	PreviewID  string
	Advanced   *settings.Advanced
	Options    *settings.Options
	// IntervalHours is 1 to 24, nil for no schedule. Paused keeps the schedule from starting runs.
	IntervalHours *int
	Paused        bool
	// QuickMinutes is how often the schedule looks for what changed: 5 to 60, nil for never.
	QuickMinutes *int
	Match        Match
	// kept says that the connection is the saved one: of a connector that was revoked meanwhile, other settings can be
	// changed all the same.
	kept bool
}

// SettingsPatch changes saved settings.
type SettingsPatch struct {
	// Change alters the request that saves the settings as they are, whose connection has no password; where the
	// password's scope stays, the stored one does too. It may be called more than once. Nil changes nothing.
	Change func(*SettingsRequest) error
	Match  Match
}

// UserRequest adds a user by hand. An alias names its primary; a primary leaves PrimaryAddress empty.
type UserRequest struct {
	Address        string
	PrimaryAddress string
	Type           user.Type
	HeldSpamReport user.HeldSpamReport
	Protected      bool
}

// UserPatch changes a user by hand; nil leaves a field alone.
type UserPatch struct {
	Match          Match
	HeldSpamReport *user.HeldSpamReport
	Protected      *bool
}

// The checks below stand behind the API's schema: a value that nothing else knows must not be stored, whoever asks.

func (r PreviewRequest) check() error { return checkImport(r.Connection, r.Advanced, r.Options) }

func (r SyncRequest) check() error { return checkImport(nil, nil, r.Options) }

func (r SettingsRequest) check() error {
	if h := r.IntervalHours; h != nil && !settings.ValidInterval(*h) {
		return invalid(settings.FieldError{Field: "schedule.intervalHours", Message: "must be 1 to 24 hours"})
	}
	if q := r.QuickMinutes; q != nil && (*q == 0 || !settings.ValidQuick(*q)) {
		return invalid(settings.FieldError{Field: "schedule.quickMinutes", Message: "must be 5 to 60 minutes, or null"})
	}
	return checkImport(r.Connection, r.Advanced, r.Options)
}

func checkImport(c *settings.Connection, a *settings.Advanced, o *settings.Options) error {
	var wrong []settings.FieldError
	if c != nil && !slices.Contains(settings.ServerTypes(), c.ServerType) {
		wrong = append(wrong, settings.FieldError{Field: "connection.serverType", Message: unknownServer})
	}
	if c != nil && !slices.Contains(settings.Encryptions(), c.Mode()) {
		wrong = append(wrong, settings.FieldError{Field: "connection.encryption", Message: unknownEncryption})
	}
	if a != nil {
		for _, name := range a.Include {
			if !slices.Contains(user.Types(), user.Type(name)) {
				wrong = append(wrong, settings.FieldError{Field: "advanced.include", Message: unknownType})
				break
			}
		}
	}
	if o != nil {
		wrong = append(wrong, o.Validate()...)
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

const (
	unknownServer = "must be one of exchange, communigate, groupwise"

	unknownEncryption = "must be one of required, preferred, none"
	unknownType       = "must be one of user, contact, group, publicFolder, resource, shared, unknown"
	unknownReport     = "must be daily or off"
)

// Check lists what is wrong whatever is on the Users List.
func (r UserRequest) Check() error {
	var wrong []settings.FieldError
	if _, err := address.Parse(r.Address); err != nil {
		wrong = append(wrong, settings.FieldError{Field: "address", Message: err.Error()})
	}
	if _, err := address.Parse(r.PrimaryAddress); err != nil && r.PrimaryAddress != "" {
		wrong = append(wrong, settings.FieldError{Field: "primaryAddress", Message: err.Error()})
	}
	if !slices.Contains(user.Types(), r.Type) {
		wrong = append(wrong, settings.FieldError{Field: "type", Message: unknownType})
	}
	if !slices.Contains(user.HeldSpamReports(), r.HeldSpamReport) {
		wrong = append(wrong, settings.FieldError{Field: "heldSpamReport", Message: unknownReport})
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

func (p UserPatch) check() error {
	if p.HeldSpamReport != nil && !slices.Contains(user.HeldSpamReports(), *p.HeldSpamReport) {
		return invalid(settings.FieldError{Field: "heldSpamReport", Message: unknownReport})
	}
	return nil
}
