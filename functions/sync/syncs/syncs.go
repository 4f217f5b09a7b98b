// Package syncs holds the routes of everything that writes: syncs and their undoing, the saved settings,
// and the Users List.
package syncs

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
)

// Service is what the routes of syncs call; importer.Service is it.
type Service interface {
	StartSync(context.Context, run.Identity, importer.SyncRequest) (run.Run, error)
	Sync(ctx context.Context, id run.Identity, runID string) (run.Run, error)
	Syncs(context.Context, run.Identity, runs.Query) (runs.Page, error)
	Changes(ctx context.Context, id run.Identity, runID string, q importer.ChangeQuery) (importer.ChangePage, error)
	Undo(ctx context.Context, id run.Identity, runID string, once importer.Idempotency) (run.Run, error)
	PreviewUndo(ctx context.Context, id run.Identity, runID string) (run.Run, error)
	CancelSync(ctx context.Context, id run.Identity, runID string) (run.Run, error)
	SettingsService
	NotificationsService
	UsersService
	ConnectorsService
}

// The lists that give cursors.
const (
	listSyncs = "syncs"
	listUsers = "users"
	listAudit = "audit"
)

type handlers struct {
	service Service
	now     func() time.Time
}

// Register adds the routes to an API. now is the clock that durations are counted by.
func Register(a *api.API, s Service, now func() time.Time) {
	h := handlers{s, now}
	tags := []string{"Syncs"}
	api.Route(a, huma.Operation{
		OperationID: "start-sync", Method: http.MethodPost, Path: "/v1/syncs", DefaultStatus: http.StatusAccepted,
		Tags: tags, Summary: "Start a sync", Description: "Of a preview, exactly its rows, or of the saved settings.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests},
	}, h.start)
	api.Route(a, huma.Operation{
		OperationID: "list-syncs", Method: http.MethodGet, Path: "/v1/syncs", Tags: tags,
		Summary: "List the syncs, the newest first",
	}, h.list)
	api.Route(a, huma.Operation{OperationID: "get-sync", Method: http.MethodGet, Path: "/v1/syncs/{id}", Tags: tags,
		Summary: "Show a sync", Errors: []int{http.StatusNotFound}}, h.get)
	api.Route(a, huma.Operation{
		OperationID: "list-sync-changes", Method: http.MethodGet, Path: "/v1/syncs/{id}/changes", Tags: tags,
		Summary: "List a sync's changes, ordered by address",
		Errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, h.changes)
	api.Route(a, huma.Operation{
		OperationID: "undo-sync", Method: http.MethodPost, Path: "/v1/syncs/{id}/undo",
		DefaultStatus: http.StatusAccepted, Tags: tags, Summary: "Undo a sync",
		Description: "Starts a sync that reverses it, or with preview=true a preview of that.",
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests,
		},
	}, h.undo)
	api.Route(a, huma.Operation{
		OperationID: "cancel-sync", Method: http.MethodPost, Path: "/v1/syncs/{id}/cancel", Tags: tags,
		Summary: "Stop a sync before its next batch", Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, h.cancel)
	registerSettings(a, s, now)
	registerNotifications(a, s)
	registerUsers(a, s)
	registerConnectors(a, s, now)
}

// SyncBody is the body of POST /v1/syncs.
type SyncBody struct {
	PreviewID       string            `json:"previewId,omitempty" maxLength:"64" doc:"Left out, the saved settings are synced" example:"01M852AJH242XXNWN3EKWSF2WF"`
	Options         *api.OptionsInput `json:"options,omitempty" doc:"Left out, the saved settings' options count"`
	ConfirmRemovals *int              `json:"confirmRemovals,omitempty" minimum:"0" doc:"The number of removals, to pass the removal guard"`
}

type startInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes a repeated request start one sync"`
	Body           SyncBody
}

// Resolve lists what is wrong beyond the fields' types.
func (in *startInput) Resolve(huma.Context) []error {
	return api.CheckImport(nil, nil, in.Body.Options)
}

func (h handlers) start(ctx context.Context, in *startInput) (*api.StartedOutput, error) {
	body, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	return api.StartedView(h.service.StartSync(ctx, api.Identity(ctx), importer.SyncRequest{
		PreviewID: in.Body.PreviewID, Options: in.Body.Options.Settings(), ConfirmRemovals: in.Body.ConfirmRemovals,
		Idempotency: importer.Idempotency{Key: in.IdempotencyKey, Body: body},
	}))
}

type syncOutput struct{ Body api.Sync }

func (h handlers) get(ctx context.Context, in *api.IDInput) (*syncOutput, error) {
	run, err := h.service.Sync(ctx, api.Identity(ctx), in.ID)
	return &syncOutput{api.SyncView(run, h.now())}, err
}

func (h handlers) cancel(ctx context.Context, in *api.IDInput) (*syncOutput, error) {
	run, err := h.service.CancelSync(ctx, api.Identity(ctx), in.ID)
	return &syncOutput{api.SyncView(run, h.now())}, err
}

type listInput struct {
	State   []string `query:"state,explode" enum:"queued,running,done,failed,blocked,cancelled" doc:"Repeat it for several; looked for in bounded steps, so that a page may be short and still have next"`
	Trigger []string `query:"trigger,explode" enum:"manual,schedule,quick,undo" doc:"Repeat it for several"`
	api.CursorInput
}

type listOutput struct{ Body api.List[api.Sync] }

func (h handlers) list(ctx context.Context, in *listInput) (*listOutput, error) {
	list := api.Filtered(listSyncs, in.State, in.Trigger)
	after, err := api.DecodeCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := h.service.Syncs(ctx, api.Identity(ctx), runs.Query{
		States: run.Texts[run.State](in.State), Triggers: run.Texts[run.Trigger](in.Trigger), After: after,
		Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	view := func(r *run.Run) api.Sync { return api.SyncView(*r, h.now()) }
	return &listOutput{api.ListOf(page.Runs, api.EncodeCursor(list, page.Next), view)}, nil
}

type changesInput struct {
	api.IDInput
	Change  []string `query:"change,explode" enum:"create,update,delete,skipped" doc:"Repeat it for several"`
	Kind    []string `query:"kind,explode" enum:"primary,alias" doc:"Repeat it for several"`
	Outcome []string `query:"outcome,explode" enum:"applied,already,conflict,pending" doc:"Repeat it for several"`
	api.ReasonInput
	api.FilterInput
}

type changesOutput struct{ Body api.Found[api.Change] }

func (h handlers) changes(ctx context.Context, in *changesInput) (*changesOutput, error) {
	filter, err := api.Asked{
		Type: in.Type, Domain: in.Domain, Prefix: in.Prefix, Q: in.Q, Reason: in.Reason, Change: in.Change,
		Kind: in.Kind, Outcome: in.Outcome,
	}.Filter()
	if err != nil {
		return nil, err
	}
	query := importer.ChangesOf(filter)
	query.Cursor, query.Limit = in.Cursor, in.Limit
	page, err := h.service.Changes(ctx, api.Identity(ctx), in.ID, query)
	if err != nil {
		return nil, err
	}
	list := api.ListOf(page.Changes, page.Next, func(c *importer.Change) api.Change { return api.ChangeView(*c) })
	return &changesOutput{api.Found[api.Change]{List: list, Scanned: page.Scanned}}, nil
}

type undoInput struct {
	api.IDInput
	Preview        bool   `query:"preview" doc:"Only show what the undo would do: the answer is a preview"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes a repeated request start one undo"`
}

func (h handlers) undo(ctx context.Context, in *undoInput) (*api.StartedOutput, error) {
	if in.Preview {
		return api.StartedView(h.service.PreviewUndo(ctx, api.Identity(ctx), in.ID))
	}
	return api.StartedView(h.service.Undo(ctx, api.Identity(ctx), in.ID, importer.Idempotency{Key: in.IdempotencyKey}))
}
