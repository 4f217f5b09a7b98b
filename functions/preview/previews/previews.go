// Package previews holds the routes of previews: what a sync would do, before it does it.
package previews

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/address"
	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Service is what the routes call; importer.Service is it.
type Service interface {
	StartPreview(context.Context, run.Identity, importer.PreviewRequest) (run.Run, error)
	ShowPreview(ctx context.Context, id run.Identity, runID string) (importer.ShownPreview, error)
	Previews(ctx context.Context, id run.Identity, after string, limit int) (importer.PreviewPage, error)
	PreviewRows(ctx context.Context, id run.Identity, runID string, f planfile.Filter, cursor string,
		limit int) (planfile.Page, error)
	CancelPreview(ctx context.Context, id run.Identity, runID string) (run.Run, error)
}

// PreviewBody is the body of POST /v1/previews.
type PreviewBody struct {
	Connection *api.ConnectionInput `json:"connection,omitempty" doc:"Left out, the saved one is used"`
	Advanced   *api.AdvancedInput   `json:"advanced,omitempty" doc:"Left out, what is saved counts with the saved connection"`
	Options    *api.OptionsInput    `json:"options,omitempty" doc:"What a sync of it may do, for the removal guard"`
}

type startInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes a repeated request start one preview"`
	Body           PreviewBody
}

// Resolve lists what is wrong beyond the fields' types.
func (in *startInput) Resolve(huma.Context) []error {
	return api.CheckImport(in.Body.Connection, in.Body.Advanced, in.Body.Options)
}

type previewOutput struct{ Body api.Preview }

type rowsInput struct {
	api.IDInput
	Change  []string `query:"change,explode" enum:"create,update,delete,unchanged,skipped" doc:"Repeat it for several"`
	Kind    []string `query:"kind,explode" enum:"primary,alias" doc:"Repeat it for several"`
	Primary string   `query:"primary" maxLength:"320" doc:"A primary address: its row and its aliases'"`
	api.ReasonInput
	api.FilterInput
}

type rowsOutput struct{ Body api.Found[api.Row] }

type handlers struct{ service Service }

// Register adds the routes to an API.
func Register(a *api.API, s Service) {
	h := handlers{s}
	tags := []string{"Previews"}
	api.Route(a, huma.Operation{OperationID: "start-preview", Method: http.MethodPost, Path: "/v1/previews",
		DefaultStatus: http.StatusAccepted, Tags: tags,
		Summary: "Start a preview", Description: "Reads the directory and plans an import. An empty object previews " +
			"the saved settings.",
		Errors: []int{http.StatusNotFound, http.StatusTooManyRequests}}, h.start)
	api.Route(a, huma.Operation{
		OperationID: "list-previews", Method: http.MethodGet, Path: "/v1/previews", Tags: tags,
		Summary: "List the previews, the newest first",
		Description: "Those whose rows are deleted (expiresAt) are among them. " +
			"A page whose settings are very long has fewer than limit.",
	}, h.list)
	api.Route(a, huma.Operation{OperationID: "get-preview", Method: http.MethodGet, Path: "/v1/previews/{id}",
		Tags:    tags,
		Summary: "Show a preview", Errors: []int{http.StatusNotFound, http.StatusGone}}, h.get)
	api.Route(a, huma.Operation{OperationID: "list-preview-addresses", Method: http.MethodGet,
		Path: "/v1/previews/{id}/addresses", Tags: tags,
		Summary: "List a preview's rows, ordered by address", Errors: []int{http.StatusNotFound, http.StatusConflict,
			http.StatusGone}}, h.rows)
	api.Route(a, huma.Operation{OperationID: "cancel-preview", Method: http.MethodPost,
		Path: "/v1/previews/{id}/cancel", Tags: tags,
		Summary: "Stop a preview", Errors: []int{http.StatusNotFound, http.StatusConflict}}, h.cancel)
}

func (h handlers) start(ctx context.Context, in *startInput) (*api.StartedOutput, error) {
	unsecret := in.Body
	unsecret.Connection = unsecret.Connection.WithoutPassword()
	body, err := json.Marshal(unsecret)
	if err != nil {
		return nil, err
	}
	return api.StartedView(h.service.StartPreview(ctx, api.Identity(ctx), importer.PreviewRequest{
		Connection: in.Body.Connection.Settings(), Advanced: in.Body.Advanced.Settings(),
		Options:     in.Body.Options.Settings(),
		Idempotency: importer.Idempotency{Key: in.IdempotencyKey, Body: body},
	}))
}

func (h handlers) get(ctx context.Context, in *api.IDInput) (*previewOutput, error) {
	preview, err := h.service.ShowPreview(ctx, api.Identity(ctx), in.ID)
	return &previewOutput{api.PreviewView(preview)}, err
}

// listPreviews is the list that a cursor is for.
const listPreviews = "previews"

type listOutput struct{ Body api.List[api.Preview] }

func (h handlers) list(ctx context.Context, in *api.CursorInput) (*listOutput, error) {
	after, err := api.DecodeCursor(listPreviews, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := h.service.Previews(ctx, api.Identity(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	view := func(p *importer.ShownPreview) api.Preview { return api.PreviewView(*p) }
	return &listOutput{api.ListOf(page.Previews, api.EncodeCursor(listPreviews, page.Next), view)}, nil
}

func (h handlers) cancel(ctx context.Context, in *api.IDInput) (*previewOutput, error) {
	run, err := h.service.CancelPreview(ctx, api.Identity(ctx), in.ID)
	return &previewOutput{api.PreviewView(importer.ShownPreview{Run: run})}, err
}

func (h handlers) rows(ctx context.Context, in *rowsInput) (*rowsOutput, error) {
	if _, err := address.Canonical(in.Primary); in.Primary != "" && err != nil {
		return nil, &importer.Error{
			Class: importer.Malformed, Code: "invalid_address", Message: "primary " + err.Error() + ".",
			Fields: []settings.FieldError{{Field: "primary", Message: err.Error()}},
		}
	}
	filter, err := api.Asked{
		Type: in.Type, Domain: in.Domain, Prefix: in.Prefix, Q: in.Q, Reason: in.Reason, Change: in.Change,
		Kind: in.Kind, Primary: in.Primary,
	}.Filter()
	if err != nil {
		return nil, err
	}
	page, err := h.service.PreviewRows(ctx, api.Identity(ctx), in.ID, importer.RowsOf(filter), in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	view := func(r *planfile.PlacedRow) api.Row { return api.RowView(&r.Row) }
	return &rowsOutput{api.Found[api.Row]{List: api.ListOf(page.Rows, page.Next, view), Scanned: page.Scanned}}, nil
}
