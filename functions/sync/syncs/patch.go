package syncs

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/settings"
)

// PatchSettingsBody is the body of PATCH /v1/settings, a JSON merge patch (RFC 7396).
type PatchSettingsBody struct {
	Connection *api.ConnectionChange `json:"connection,omitempty" doc:"How the directory is reached; members that are left out stay"`
	Advanced   *api.AdvancedInput    `json:"advanced,omitempty" doc:"What is read; members that are left out stay"`
	Options    *api.OptionsInput     `json:"options,omitempty" doc:"What a sync may do; members that are left out stay"`
	Schedule   *ScheduleChange       `json:"schedule,omitempty" doc:"null ends the schedule"`
}

// ScheduleChange is a schedule as a patch gives it.
type ScheduleChange struct {
	IntervalHours int    `json:"intervalHours,omitempty" minimum:"1" maximum:"24" doc:"Hours between syncs" example:"6"`
	Paused        bool   `json:"paused,omitempty" doc:"Keep the schedule, and start nothing"`
	QuickMinutes  *int   `json:"quickMinutes,omitempty" nullable:"true" minimum:"5" maximum:"60" doc:"Minutes between quick looks; null for none"`
	NextRunAt     string `json:"nextRunAt,omitempty" readOnly:"true" maxLength:"64" doc:"As GET gave it; it may be sent back and changes nothing"`
	PausedReason  string `json:"pausedReason,omitempty" readOnly:"true" maxLength:"1024" doc:"As GET gave it; it may be sent back and changes nothing"`
}

// settingsPatch keeps a patch as it was sent: a null in it says something else than nothing.
type settingsPatch []byte

// UnmarshalJSON keeps the text.
func (p *settingsPatch) UnmarshalJSON(data []byte) error {
	*p = bytes.Clone(data)
	return nil
}

// Schema is that of PatchSettingsBody.
func (settingsPatch) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[PatchSettingsBody](), true, "")
}

type patchSettingsInput struct {
	MatchInput
	// Body is looked at once it is merged into the settings.
	Body settingsPatch
}

func (h settingsHandlers) patch(ctx context.Context, in *patchSettingsInput) (*settingsOutput, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(in.Body, &members); err != nil {
		return nil, err
	}
	patch := importer.SettingsPatch{Match: in.match()}
	if len(members) > 0 {
		patch.Change = func(req *importer.SettingsRequest) error { return mergeInto(req, json.RawMessage(in.Body)) }
	}
	return h.shown(h.service.PatchSettings(ctx, api.Identity(ctx), patch))
}

// mergeInto merges a patch into the request that saves the settings as they are.
func mergeInto(req *importer.SettingsRequest, patch json.RawMessage) error {
	var named struct{ Connection map[string]json.RawMessage }
	if err := json.Unmarshal(patch, &named); err != nil {
		return err
	}
	body := SaveBody{
		Connection: api.ConnectionOf(*req.Connection), Advanced: api.AdvancedOf(req.Advanced),
		Options: api.OptionsOf(*req.Options),
	}
	respell(body.Connection, named.Connection)
	if req.IntervalHours != nil {
		body.Schedule = &ScheduleBody{
			IntervalHours: *req.IntervalHours, QuickMinutes: req.QuickMinutes, Paused: req.Paused,
		}
	}
	stored, err := json.Marshal(body)
	if err != nil {
		return err
	}
	merged, err := merge(stored, patch)
	if err != nil {
		return err
	}
	body = SaveBody{}
	if err := json.Unmarshal(merged, &body); err != nil {
		return err
	}
	if err := body.complete(); err != nil {
		return err
	}
	connection := req.Connection
	*req = body.request()
	if named.Connection == nil {
		// An older build may have stored it with another meaning, which stays until somebody saves the connection.
		req.Connection = connection
	}
	return nil
}

// respell leaves the stored encryption out where a patch gives it by its older name alone: true takes the place of any,
// and false of preferred.
func respell(stored *api.ConnectionInput, named map[string]json.RawMessage) {
	older, ok := named["allowUnencrypted"]
	if _, both := named["encryption"]; !ok || both {
		return
	}
	if string(older) == "true" || stored.Encryption == string(settings.Preferred) {
		stored.Encryption = ""
	}
}

// complete gives what a patch removed its default, and returns what it lacks or has wrong.
func (b *SaveBody) complete() error {
	if b.Connection == nil {
		return importer.InvalidFields(settings.FieldError{
			Field: "connection", Message: "cannot be removed; DELETE /v1/settings deletes all of the settings",
		})
	}
	if b.Advanced == nil {
		b.Advanced = new(api.AdvancedInput)
	}
	if b.Options == nil {
		b.Options = new(api.OptionsInput)
	}
	var wrong []settings.FieldError
	if s := b.Schedule; s != nil && !settings.ValidInterval(s.IntervalHours) {
		wrong = append(wrong, settings.FieldError{Field: "schedule.intervalHours", Message: wrongInterval})
	}
	if !b.Schedule.validQuick() {
		wrong = append(wrong, settings.FieldError{Field: "schedule.quickMinutes", Message: wrongQuick})
	}
	return api.CheckMerged(b.Connection, b.Advanced, b.Options, wrong...)
}

// merge is the algorithm of RFC 7396, section 2.
func merge(target, patch json.RawMessage) (json.RawMessage, error) {
	if !isObject(patch) {
		return patch, nil
	}
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	members := make(map[string]json.RawMessage)
	if isObject(target) {
		if err := json.Unmarshal(target, &members); err != nil {
			return nil, err
		}
	}
	for name, change := range changes {
		if string(bytes.TrimSpace(change)) == "null" {
			delete(members, name)
			continue
		}
		merged, err := merge(members[name], change)
		if err != nil {
			return nil, err
		}
		members[name] = merged
	}
	return json.Marshal(members)
}

// isObject reports whether a JSON value is an object.
func isObject(value json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(value), []byte("{"))
}
