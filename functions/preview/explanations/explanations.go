// Package explanations holds the routes of explanations: what a sync would make of one address, and why.
package explanations

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/run"
)

// Service is what the routes call; importer.Service is it.
type Service interface {
	StartExplanation(context.Context, run.Identity, importer.ExplanationRequest) (run.Run, error)
	Explanation(ctx context.Context, id run.Identity, runID string) (run.Run, error)
}

// ExplanationBody is the body of POST /v1/explanations.
type ExplanationBody struct {
	Address    string               `json:"address,omitempty" maxLength:"320" doc:"The address that is asked about; * stands for itself" example:"anais.lefevre@example.com"`
	DN         string               `json:"dn,omitempty" maxLength:"4096" doc:"In place of an address: the DN of an entry"`
	Connection *api.ConnectionInput `json:"connection,omitempty" doc:"Left out, the saved one is used"`
	Advanced   *api.AdvancedInput   `json:"advanced,omitempty" doc:"Left out, what is saved counts with the saved connection"`
}

type startInput struct{ Body ExplanationBody }

// Resolve lists what is wrong beyond the fields' types.
func (in *startInput) Resolve(huma.Context) []error {
	asked := importer.ExplanationRequest{Address: in.Body.Address, DN: in.Body.DN}
	return append(api.Wrong(asked.Check()), api.CheckImport(in.Body.Connection, in.Body.Advanced, nil)...)
}

type explanationOutput struct{ Body api.Explanation }

type handlers struct{ service Service }

// Register adds the routes to an API.
func Register(a *api.API, s Service) {
	h := handlers{s}
	tags := []string{"Explanations"}
	api.Route(a, huma.Operation{
		OperationID: "start-explanation", Method: http.MethodPost, Path: "/v1/explanations",
		DefaultStatus: http.StatusAccepted, Tags: tags, Summary: "Ask what a sync would make of an address",
		Description: "Asks the directory at once: which entries have the address, which part of the filter leaves " +
			"each out, and what each rule decides. Takes an address or a dn. The answer is deleted after a day.",
		Errors: []int{http.StatusNotFound, http.StatusTooManyRequests},
	}, h.start)
	api.Route(a, huma.Operation{
		OperationID: "get-explanation", Method: http.MethodGet, Path: "/v1/explanations/{id}", Tags: tags,
		Summary: "Show an explanation", Errors: []int{http.StatusNotFound},
	}, h.get)
}

func (h handlers) start(ctx context.Context, in *startInput) (*api.StartedOutput, error) {
	return api.StartedView(h.service.StartExplanation(ctx, api.Identity(ctx), importer.ExplanationRequest{
		Address: in.Body.Address, DN: in.Body.DN,
		Connection: in.Body.Connection.Settings(), Advanced: in.Body.Advanced.Settings(),
	}))
}

func (h handlers) get(ctx context.Context, in *api.IDInput) (*explanationOutput, error) {
	run, err := h.service.Explanation(ctx, api.Identity(ctx), in.ID)
	return &explanationOutput{api.ExplanationView(run)}, err
}
