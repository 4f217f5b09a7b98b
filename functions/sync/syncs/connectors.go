package syncs

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/run"
)

// ConnectorsService is what the routes of connectors call.
type ConnectorsService interface {
	Connectors(context.Context, run.Identity) ([]connectors.Connector, error)
	AddConnector(ctx context.Context, id run.Identity, name string) (
		connectors.Connector, importer.EnrolmentCode, error)
	NewEnrolmentCode(ctx context.Context, id run.Identity, connectorID string) (
		connectors.Connector, importer.EnrolmentCode, error)
	RevokeConnector(ctx context.Context, id run.Identity, connectorID string) error
}

func registerConnectors(a *api.API, s ConnectorsService, now func() time.Time) {
	h := connectorHandlers{s, now}
	tags := []string{"Connectors"}
	api.Route(a, huma.Operation{
		OperationID: "add-connector", Method: http.MethodPost, Path: "/v1/connectors",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Add a connector",
		Description: "A connector is a program on the customer's site that reads a directory which the cloud cannot " +
			"reach. The answer has the code with which its first instance enrols: once, within 15 minutes.",
		Errors: []int{http.StatusConflict},
	}, h.add)
	api.Route(a, huma.Operation{
		OperationID: "list-connectors", Method: http.MethodGet, Path: "/v1/connectors", Tags: tags,
		Summary: "List the connectors, the oldest first",
	}, h.list)
	api.Route(a, huma.Operation{
		OperationID: "new-connector-code", Method: http.MethodPost, Path: "/v1/connectors/{id}/code", Tags: tags,
		DefaultStatus: http.StatusCreated, Summary: "Let another instance of a connector enrol",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, h.code)
	api.Route(a, huma.Operation{
		OperationID: "revoke-connector", Method: http.MethodDelete, Path: "/v1/connectors/{id}", Tags: tags,
		DefaultStatus: http.StatusNoContent, Summary: "Revoke a connector, with all its instances, at once",
		Errors: []int{http.StatusNotFound},
	}, h.revoke)
}

type connectorHandlers struct {
	service ConnectorsService
	now     func() time.Time
}

type addConnectorInput struct {
	Body struct {
		Name string `json:"name" required:"true" maxLength:"100" doc:"What the connector is called, such as the site's name" example:"HQ"`
	}
}

// Resolve lists what is wrong beyond the fields' types.
func (in *addConnectorInput) Resolve(huma.Context) []error {
	return api.Wrong(importer.CheckConnectorName(in.Body.Name))
}

// Enrolment is the code with which an instance of a connector enrols.
type Enrolment struct {
	ID            string    `json:"id" doc:"The connector" example:"01M852AJH242XXNWN3EKWSF2WF"`
	Name          string    `json:"name" doc:"What it is called" example:"HQ"`
	EnrolmentCode string    `json:"enrolmentCode" doc:"For rollcall-connector enrol -code; it can be used once" example:"KZL6UQF3Q5ATVVJDXC4HRXJ3BW"`
	CodeExpiresAt time.Time `json:"codeExpiresAt" doc:"Until when" example:"2026-11-26T08:15:00Z"`
}

type enrolmentOutput struct{ Body Enrolment }

func enrolment(c connectors.Connector, code importer.EnrolmentCode, err error) (*enrolmentOutput, error) {
	return &enrolmentOutput{Enrolment{
		ID: c.ID, Name: c.Name, EnrolmentCode: code.Code, CodeExpiresAt: code.ExpiresAt,
	}}, err
}

func (h connectorHandlers) add(ctx context.Context, in *addConnectorInput) (*enrolmentOutput, error) {
	return enrolment(h.service.AddConnector(ctx, api.Identity(ctx), in.Body.Name))
}

func (h connectorHandlers) code(ctx context.Context, in *api.IDInput) (*enrolmentOutput, error) {
	return enrolment(h.service.NewEnrolmentCode(ctx, api.Identity(ctx), in.ID))
}

func (h connectorHandlers) revoke(ctx context.Context, in *api.IDInput) (*struct{}, error) {
	return nil, h.service.RevokeConnector(ctx, api.Identity(ctx), in.ID)
}

// ConnectorView is a connector as it is shown.
type ConnectorView struct {
	ID        string                  `json:"id" doc:"The connector" example:"01M852AJH242XXNWN3EKWSF2WF"`
	Name      string                  `json:"name" doc:"What it is called" example:"HQ"`
	State     importer.ConnectorState `json:"state" enum:"waiting,online,offline" doc:"waiting: no instance has enrolled; online: one was seen within 45 seconds"`
	CreatedAt time.Time               `json:"createdAt" doc:"When it was added" example:"2026-11-26T08:00:00Z"`
	Instances []InstanceView          `json:"instances" doc:"The machines that it runs on"`
}

// InstanceView is a connector's program on one machine.
type InstanceView struct {
	ID         string       `json:"id" doc:"Made of its key" example:"k3b2zq5v7wd4l6xkq2h7j4n5ay"`
	Name       string       `json:"name" doc:"What the machine calls itself" example:"srv-hq-1"`
	Version    string       `json:"version" doc:"The program's version" example:"1.0.0"`
	LastSeenAt *time.Time   `json:"lastSeenAt" nullable:"true" doc:"When it asked for work last; null before it did" example:"2026-11-26T08:00:00Z"`
	Targets    []TargetView `json:"targets" doc:"The directories that it holds a password for"`
}

// TargetView is a directory that an instance holds a password for.
type TargetView struct {
	Host     string `json:"host" doc:"The LDAP servers" example:"dc1.example.com"`
	Port     int    `json:"port" doc:"The TCP port" example:"389"`
	Username string `json:"username" doc:"Whose password it is" example:"reader@example.com"`
}

type connectorsOutput struct{ Body api.List[ConnectorView] }

func (h connectorHandlers) list(ctx context.Context, _ *struct{}) (*connectorsOutput, error) {
	all, err := h.service.Connectors(ctx, api.Identity(ctx))
	return &connectorsOutput{api.ListOf(all, "", h.view)}, err
}

func (h connectorHandlers) view(c *connectors.Connector) ConnectorView {
	v := ConnectorView{ID: c.ID, Name: c.Name, State: importer.StateOf(c, h.now()), CreatedAt: c.CreatedAt,
		Instances: []InstanceView{}}
	for _, i := range c.Instances {
		instance := InstanceView{ID: i.ID, Name: i.Name, Version: i.Version, Targets: []TargetView{}}
		if !i.LastSeenAt.IsZero() {
			instance.LastSeenAt = &i.LastSeenAt
		}
		for _, t := range i.Targets {
			instance.Targets = append(instance.Targets, TargetView(t))
		}
		v.Instances = append(v.Instances, instance)
	}
	return v
}
