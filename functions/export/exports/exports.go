// Package exports holds the routes of CSV exports: a preview's, a sync's, or the Users List's, behind a link that
// expires.
package exports

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/run"
)

// Service is what the routes call; importer.Service is it.
type Service interface {
	ExportPreview(ctx context.Context, id run.Identity, previewID string, f *run.Filter) (importer.Export, error)
	ExportSync(ctx context.Context, id run.Identity, syncID string, f *run.Filter) (importer.Export, error)
	ExportUsers(context.Context, run.Identity, *run.Filter) (importer.Export, error)
	Export(ctx context.Context, id run.Identity, exportID string) (importer.Export, error)
}

type previewInput struct {
	api.IDInput
	Body *api.RowsFilter
}

type syncInput struct {
	api.IDInput
	Body *api.ChangesFilter
}

type usersInput struct{ Body *api.UsersFilter }

// Resolve lists what is wrong beyond the fields' types, as those of the other exports do.
func (in *previewInput) Resolve(huma.Context) []error { return wrong(in.Body.Filter()) }

// Resolve is previewInput's.
func (in *syncInput) Resolve(huma.Context) []error { return wrong(in.Body.Filter()) }

// Resolve is previewInput's.
func (in *usersInput) Resolve(huma.Context) []error { return wrong(in.Body.Filter()) }

func wrong(_ *run.Filter, err error) []error { return api.Wrong(err) }

type startedOutput struct {
	Status   int
	Location string `header:"Location" doc:"The path that shows what was started"`
	Body     api.Export
}

type exportOutput struct{ Body api.Export }

type handlers struct{ service Service }

// Register adds the routes to an API.
func Register(a *api.API, s Service) {
	h := handlers{s}
	tags := []string{"Exports"}
	// Each operation completes its own.
	later := func() map[string]*huma.Response {
		export := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Export](), true, "")
		return map[string]*huma.Response{"202": {
			Description: "Still being written: ask for it at Location until its state is done",
			Content:     map[string]*huma.MediaType{"application/json": {Schema: export}},
		}}
	}
	api.Route(a, huma.Operation{
		OperationID: "export-preview", Method: http.MethodPost, Path: "/v1/previews/{id}/export",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Write a preview's CSV",
		Description: "Answers 201 with the export where it is ready within 20 seconds, else 202.",
		Responses:   later(),
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests,
		},
	}, h.preview)
	api.Route(a, huma.Operation{
		OperationID: "export-sync", Method: http.MethodPost, Path: "/v1/syncs/{id}/export",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Write the CSV of a sync's changes",
		Description: "Has a preview's columns, and the outcome. Answers 201 with the export where it is ready within " +
			"20 seconds, else 202.",
		Responses: later(),
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests,
		},
	}, h.sync)
	api.Route(a, huma.Operation{
		OperationID: "export-users", Method: http.MethodPost, Path: "/v1/users/export",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Write the Users List's CSV",
		Description: "Answers 201 with the export where it is ready within 20 seconds, else 202.",
		Responses:   later(),
		Errors:      []int{http.StatusTooManyRequests},
	}, h.users)
	api.Route(a, huma.Operation{OperationID: "get-export", Method: http.MethodGet, Path: "/v1/exports/{id}", Tags: tags,
		Summary: "Show an export, with a fresh link", Errors: []int{http.StatusNotFound, http.StatusGone}}, h.get)
}

func (h handlers) preview(ctx context.Context, in *previewInput) (*startedOutput, error) {
	filter, err := in.Body.Filter()
	if err != nil {
		return nil, err
	}
	return started(h.service.ExportPreview(ctx, api.Identity(ctx), in.ID, filter))
}

func (h handlers) sync(ctx context.Context, in *syncInput) (*startedOutput, error) {
	filter, err := in.Body.Filter()
	if err != nil {
		return nil, err
	}
	return started(h.service.ExportSync(ctx, api.Identity(ctx), in.ID, filter))
}

func (h handlers) users(ctx context.Context, in *usersInput) (*startedOutput, error) {
	filter, err := in.Body.Filter()
	if err != nil {
		return nil, err
	}
	return started(h.service.ExportUsers(ctx, api.Identity(ctx), filter))
}

func started(e importer.Export, err error) (*startedOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &startedOutput{Status: http.StatusCreated, Location: "/v1/exports/" + e.Run.ID, Body: api.ExportView(e)}
	if e.Run.State != run.Done {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

func (h handlers) get(ctx context.Context, in *api.IDInput) (*exportOutput, error) {
	e, err := h.service.Export(ctx, api.Identity(ctx), in.ID)
	return &exportOutput{api.ExportView(e)}, err
}
