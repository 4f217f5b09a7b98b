package syncs

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// SettingsService is what the routes of the settings call.
type SettingsService interface {
	Settings(context.Context, run.Identity) (importer.Saved, error)
	SaveSettings(context.Context, run.Identity, importer.SettingsRequest) (importer.Saved, error)
	PatchSettings(context.Context, run.Identity, importer.SettingsPatch) (importer.Saved, error)
	DeleteSettings(context.Context, run.Identity) (importer.Removed, error)
}

type settingsHandlers struct {
	service SettingsService
	now     func() time.Time
}

func registerSettings(a *api.API, s SettingsService, now func() time.Time) {
	h := settingsHandlers{s, now}
	tags := []string{"Settings"}
	api.Route(a, huma.Operation{
		OperationID: "get-settings", Method: http.MethodGet, Path: "/v1/settings", Tags: tags,
		Summary:   "Show the saved settings",
		Responses: map[string]*huma.Response{"204": {Description: "None are saved, and optional=true was asked for"}},
		Errors:    []int{http.StatusNotFound},
	}, h.get)
	api.Route(a, huma.Operation{
		OperationID: "save-settings", Method: http.MethodPut, Path: "/v1/settings", Tags: tags,
		Summary:     "Save settings, and the schedule",
		Description: "What is left out stays as it is, but for the schedule: null, or none, ends it.",
		Errors:      []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, h.save)
	api.Route(a, huma.Operation{
		OperationID: "change-settings", Method: http.MethodPatch, Path: "/v1/settings", Tags: tags,
		Summary: "Change the saved settings where they are named",
		Description: "A JSON merge patch (RFC 7396): what is left out stays, null removes the schedule or takes a " +
			"default, lists are replaced whole. The stored password stays for the same host, port, encryption, " +
			"certificates, username and attributes. Of encryption and its older spelling allowUnencrypted the one " +
			"that is named counts. A body that names nothing changes nothing.",
		Errors: []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, h.patch)
	api.Route(a, huma.Operation{
		OperationID: "delete-settings", Method: http.MethodDelete, Path: "/v1/settings", Tags: tags,
		Summary: "Delete settings, schedule and stored password", Description: "Users stay.",
		Errors: []int{http.StatusNotFound},
	}, h.delete)
}

// ScheduleBody is a schedule as a request gives it. Fields of GET /v1/settings that a request cannot set may be sent
// back.
type ScheduleBody struct {
	_             struct{} `json:"-" nullable:"true"`
	IntervalHours int      `json:"intervalHours" required:"true" minimum:"1" maximum:"24" doc:"Hours between syncs" example:"6"`
	Paused        bool     `json:"paused,omitempty" doc:"Keep the schedule, and start nothing"`
	QuickMinutes  *int     `json:"quickMinutes,omitempty" nullable:"true" minimum:"5" maximum:"60" doc:"Minutes between quick looks; null for none"`
	NextRunAt     string   `json:"nextRunAt,omitempty" readOnly:"true" maxLength:"64" doc:"As GET gave it; it may be sent back and changes nothing"`
	PausedReason  string   `json:"pausedReason,omitempty" readOnly:"true" maxLength:"1024" doc:"As GET gave it; it may be sent back and changes nothing"`
}

// SaveBody is the body of PUT /v1/settings.
type SaveBody struct {
	Connection *api.ConnectionInput `json:"connection,omitempty" doc:"How the directory is reached; left out, it stays"`
	PreviewID  string               `json:"previewId,omitempty" maxLength:"64" doc:"A preview, for its connection"`
	Advanced   *api.AdvancedInput   `json:"advanced,omitempty" doc:"What is read, and how it is understood; left out, it stays"`
	Options    *api.OptionsInput    `json:"options,omitempty" doc:"What a sync may do; left out, they stay"`
	Schedule   *ScheduleBody        `json:"schedule,omitempty" doc:"When syncs start by themselves; null, or left out, for never"`
}

type saveInput struct {
	MatchInput
	Body SaveBody
}

// Resolve lists what is wrong beyond the fields' types.
func (in *saveInput) Resolve(ctx huma.Context) []error {
	wrong := in.MatchInput.Resolve(ctx)
	wrong = append(wrong, api.CheckImport(in.Body.Connection, in.Body.Advanced, in.Body.Options)...)
	if in.Body.Connection != nil && in.Body.PreviewID != "" {
		wrong = append(wrong, &huma.ErrorDetail{
			Location: "body.previewId", Message: "send either a connection or a previewId, not both",
		})
	}
	if s := in.Body.Schedule; s != nil && !settings.ValidInterval(s.IntervalHours) {
		wrong = append(wrong, &huma.ErrorDetail{Location: "body.schedule.intervalHours", Message: wrongInterval})
	}
	if !in.Body.Schedule.validQuick() {
		wrong = append(wrong, &huma.ErrorDetail{Location: "body.schedule.quickMinutes", Message: wrongQuick})
	}
	return wrong
}

const (
	wrongInterval = "must be 1 to 24 hours; send null in place of the schedule for none"
	wrongQuick    = "must be 5 to 60 minutes; null for no quick looks"
)

// validQuick reports whether a schedule, or none, may look so often.
func (b *ScheduleBody) validQuick() bool {
	return b == nil || b.QuickMinutes == nil || *b.QuickMinutes != 0 && settings.ValidQuick(*b.QuickMinutes)
}

type getInput struct {
	Optional bool `query:"optional" doc:"Answer 204, not 404, where none are saved"`
}

type settingsOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"The version, for If-Match"`
	Body   api.Settings
}

func (h settingsHandlers) shown(s importer.Saved, err error) (*settingsOutput, error) {
	if err != nil {
		return nil, err
	}
	return &settingsOutput{Status: http.StatusOK, ETag: etag(s.Version), Body: api.SettingsView(s, h.now())}, nil
}

func (h settingsHandlers) get(ctx context.Context, in *getInput) (*settingsOutput, error) {
	saved, err := h.service.Settings(ctx, api.Identity(ctx))
	var none *importer.Error
	if in.Optional && errors.As(err, &none) && none.Class == importer.NotFound {
		return &settingsOutput{Status: http.StatusNoContent}, nil
	}
	return h.shown(saved, err)
}

func (h settingsHandlers) save(ctx context.Context, in *saveInput) (*settingsOutput, error) {
	req := in.Body.request()
	req.Match = in.match()
	return h.shown(h.service.SaveSettings(ctx, api.Identity(ctx), req))
}

// request is what the importer is asked for.
func (b *SaveBody) request() importer.SettingsRequest {
	req := importer.SettingsRequest{
		Connection: b.Connection.Settings(), PreviewID: b.PreviewID, Advanced: b.Advanced.Settings(),
		Options: b.Options.Settings(),
	}
	if s := b.Schedule; s != nil {
		req.IntervalHours, req.QuickMinutes, req.Paused = &s.IntervalHours, s.QuickMinutes, s.Paused
	}
	return req
}

type deletedOutput struct {
	Body struct {
		Schedule bool `json:"schedule" doc:"A schedule was removed" example:"true"`
		Password bool `json:"password" doc:"A stored password was removed" example:"true"`
	}
}

func (h settingsHandlers) delete(ctx context.Context, _ *struct{}) (*deletedOutput, error) {
	removed, err := h.service.DeleteSettings(ctx, api.Identity(ctx))
	out := new(deletedOutput)
	out.Body.Schedule, out.Body.Password = removed.Schedule, removed.Password
	return out, err
}
