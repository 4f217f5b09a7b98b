package syncs

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/run"
	"rollcall/shared/settings/secret"
)

// NotificationsService is what the routes of the notifications call.
type NotificationsService interface {
	Notifications(context.Context, run.Identity) (importer.Notifications, error)
	SaveNotifications(
		context.Context, run.Identity, importer.NotificationsRequest,
	) (importer.Notifications, error)
	TestNotifications(context.Context, run.Identity) (eventID string, err error)
}

type notificationHandlers struct{ service NotificationsService }

func registerNotifications(a *api.API, s NotificationsService) {
	h := notificationHandlers{s}
	tags := []string{"Notifications"}
	api.Route(a, huma.Operation{
		OperationID: "get-notifications", Method: http.MethodGet, Path: "/v1/notifications", Tags: tags,
		Summary: "Show who is told of what",
	}, h.get)
	api.Route(a, huma.Operation{
		OperationID: "save-notifications", Method: http.MethodPut, Path: "/v1/notifications", Tags: tags,
		Summary: "Choose who is told of what",
		Description: "Replaces all of it: what is left out is none, but for events, which are all then, and the " +
			"webhook's secret, whose stored one stays for the same URL. A webhook that had ended begins again.",
		Errors: []int{http.StatusPreconditionFailed},
	}, h.save)
	api.Route(a, huma.Operation{
		OperationID: "test-notifications", Method: http.MethodPost, Path: "/v1/notifications/test",
		DefaultStatus: http.StatusAccepted, Tags: tags, Summary: "Send everybody a test",
		Description: "An event of the type rollcall.test, whatever events are chosen. What each receiver says is in " +
			"deliveries of GET /v1/notifications, under the id that this answers with.",
		Errors: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, h.test)
}

// NotificationsBody is the body of PUT /v1/notifications. Fields of GET that a request cannot set may be sent back.
type NotificationsBody struct {
	Email   []string      `json:"email,omitempty" maxItems:"10" doc:"Up to ten addresses" example:"[\"admin@example.com\"]"`
	Webhook *WebhookBody  `json:"webhook,omitempty" doc:"null, or left out, for none"`
	Events  []notify.Kind `json:"events,omitempty" maxItems:"5" enum:"failed,blocked,recovered,missed,changed" doc:"What to tell; all where it is left out"`

	Mail       map[string]any `json:"mail,omitempty" readOnly:"true" doc:"As GET gave it; it may be sent back and changes nothing"`
	Deliveries []any          `json:"deliveries,omitempty" readOnly:"true" maxItems:"11" doc:"As GET gave it; it may be sent back and changes nothing"`
	UpdatedAt  *string        `json:"updatedAt,omitempty" nullable:"true" readOnly:"true" maxLength:"64" doc:"As GET gave it; it may be sent back and changes nothing"`
	UpdatedBy  string         `json:"updatedBy,omitempty" readOnly:"true" maxLength:"1024" doc:"As GET gave it; it may be sent back and changes nothing"`
}

// WebhookBody is a webhook as a request gives it.
type WebhookBody struct {
	_      struct{} `json:"-" nullable:"true"`
	URL    string   `json:"url" required:"true" maxLength:"2048" doc:"https on port 443" example:"https://hooks.example.com/rollcall"`
	Secret string   `json:"secret,omitempty" maxLength:"128" format:"password" writeOnly:"true" doc:"whsec_ and the base64 of 24 to 64 bytes, which are the key of the signatures (Standard Webhooks). Left out, the stored one is used for the same URL"`

	SecretSet bool    `json:"secretSet,omitempty" readOnly:"true" doc:"As GET gave it; it may be sent back and changes nothing"`
	EndedAt   *string `json:"endedAt,omitempty" nullable:"true" readOnly:"true" maxLength:"64" doc:"As GET gave it; it may be sent back and changes nothing"`
}

type notificationsInput struct {
	MatchInput
	Body NotificationsBody
}

type notificationsOutput struct {
	ETag string `header:"ETag"`
	Body api.Notifications
}

func shownNotifications(n importer.Notifications, err error) (*notificationsOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &notificationsOutput{Body: api.NotificationsView(n)}
	if n.Version != 0 {
		out.ETag = etag(n.Version)
	}
	return out, nil
}

func (h notificationHandlers) get(ctx context.Context, _ *struct{}) (*notificationsOutput, error) {
	return shownNotifications(h.service.Notifications(ctx, api.Identity(ctx)))
}

// Resolve lists what else is wrong beside an unknown event, which the schema refuses. Without one the service names all
// of it, also what depends on what is stored.
func (in *notificationsInput) Resolve(ctx huma.Context) []error {
	wrong := in.MatchInput.Resolve(ctx)
	unknown := func(k notify.Kind) bool { return !slices.Contains(notify.Kinds(), k) }
	if slices.ContainsFunc(in.Body.Events, unknown) {
		wrong = append(wrong, api.Wrong(in.request().Check())...)
	}
	return wrong
}

func (in *notificationsInput) request() importer.NotificationsRequest {
	req := importer.NotificationsRequest{Email: in.Body.Email, Events: in.Body.Events, Match: in.match()}
	if req.Events == nil {
		req.Events = notify.Kinds()
	}
	if hook := in.Body.Webhook; hook != nil {
		req.WebhookURL, req.WebhookSecret = &hook.URL, secret.New(hook.Secret)
	}
	return req
}

func (h notificationHandlers) save(ctx context.Context, in *notificationsInput) (*notificationsOutput, error) {
	return shownNotifications(h.service.SaveNotifications(ctx, api.Identity(ctx), in.request()))
}

type testOutput struct {
	Body struct {
		EventID string      `json:"eventId" doc:"The test event's id, by which deliveries names it"`
		Type    notify.Type `json:"type" enum:"rollcall.test" doc:"The test event's type"`
	}
}

func (h notificationHandlers) test(ctx context.Context, _ *struct{}) (*testOutput, error) {
	out := new(testOutput)
	var err error
	out.Body.EventID, err = h.service.TestNotifications(ctx, api.Identity(ctx))
	out.Body.Type = notify.Test
	return out, err
}
