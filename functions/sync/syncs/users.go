package syncs

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// UsersService is what the routes of the Users List and of the audit log call.
type UsersService interface {
	Users(context.Context, run.Identity, users.Query) (users.Page, error)
	UsersTotal(context.Context, run.Identity) (*int, error)
	AddUser(context.Context, run.Identity, importer.UserRequest) (user.User, error)
	PatchUser(ctx context.Context, id run.Identity, address string, patch importer.UserPatch) (user.User, error)
	RemoveUser(ctx context.Context, id run.Identity, address string) error
	Audit(ctx context.Context, id run.Identity, after string, limit int) (runs.AuditPage, error)
}

type userHandlers struct{ service UsersService }

func registerUsers(a *api.API, s UsersService) {
	h := userHandlers{s}
	tags := []string{"Users"}
	api.Route(a, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/v1/users", Tags: tags,
		Summary: "List the users, ordered by address",
	}, h.list)
	api.Route(a, huma.Operation{
		OperationID: "add-user", Method: http.MethodPost, Path: "/v1/users", Tags: tags,
		Summary: "Add a user by hand", DefaultStatus: http.StatusCreated,
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests},
	}, h.add)
	api.Route(a, huma.Operation{
		OperationID: "change-user", Method: http.MethodPatch, Path: "/v1/users/{address}", Tags: tags,
		Summary: "Set a user's report and protection",
		Errors:  []int{http.StatusNotFound, http.StatusPreconditionFailed, http.StatusTooManyRequests},
	}, h.patch)
	api.Route(a, huma.Operation{
		OperationID: "remove-user", Method: http.MethodDelete, Path: "/v1/users/{address}", Tags: tags,
		Summary: "Remove a user", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests},
	}, h.remove)
	api.Route(a, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/v1/audit", Tags: []string{"Audit"},
		Summary: "List who changed settings or users, looked or started something, the newest first",
	}, h.audit)
}

type usersOutput struct{ Body api.UserList }

func (h userHandlers) list(ctx context.Context, in *api.FilterInput) (*usersOutput, error) {
	filter, err := api.Asked{Type: in.Type, Domain: in.Domain, Prefix: in.Prefix, Q: in.Q}.Filter()
	if err != nil {
		return nil, err
	}
	list := api.Filtered(listUsers, filter.Q, filter.Types, filter.Domains, filter.Prefix)
	query := importer.UsersOf(filter)
	query.Limit = in.Limit
	if query.After, err = api.DecodeCursor(list, in.Cursor); err != nil {
		return nil, err
	}
	page, err := h.service.Users(ctx, api.Identity(ctx), query)
	if err != nil {
		return nil, err
	}
	out := new(usersOutput)
	out.Body.Scanned = page.Scanned
	out.Body.List = api.ListOf(page.Users, api.EncodeCursor(list, page.Next), func(u *user.User) api.User {
		return *api.UserView(u)
	})
	if in.Cursor == "" {
		out.Body.Total, err = h.service.UsersTotal(ctx, api.Identity(ctx))
	}
	return out, err
}

// AddBody is the body of POST /v1/users.
type AddBody struct {
	Address        string `json:"address" required:"true" maxLength:"320" doc:"The address; it is stored in its canonical form" example:"info@example.com"`
	PrimaryAddress string `json:"primaryAddress,omitempty" maxLength:"320" doc:"For an alias: whose it is"`
	Type           string `json:"type,omitempty" enum:"user,contact,group,publicFolder,resource,shared,unknown" doc:"The kind of directory object; user where it is left out" example:"shared"`
	HeldSpamReport string `json:"heldSpamReport,omitempty" enum:"daily,off" doc:"off where it is left out"`
	Protected      bool   `json:"protected,omitempty" doc:"Keep imports from changing or removing the user"`
}

type addInput struct{ Body AddBody }

type userOutput struct {
	ETag string `header:"ETag" doc:"The version, for If-Match"`
	Body api.User
}

func shownUser(u user.User, err error) (*userOutput, error) {
	if err != nil {
		return nil, err
	}
	return &userOutput{ETag: etag(u.Version), Body: *api.UserView(&u)}, nil
}

// Resolve lists what is wrong beyond the fields' types.
func (in *addInput) Resolve(huma.Context) []error { return api.Wrong(in.request().Check()) }

func (in *addInput) request() importer.UserRequest {
	req := importer.UserRequest{
		Address: in.Body.Address, PrimaryAddress: in.Body.PrimaryAddress, Type: user.TypeUser,
		HeldSpamReport: user.ReportOff, Protected: in.Body.Protected,
	}
	if in.Body.Type != "" {
		req.Type = user.Type(in.Body.Type)
	}
	if in.Body.HeldSpamReport != "" {
		req.HeldSpamReport = user.HeldSpamReport(in.Body.HeldSpamReport)
	}
	return req
}

func (h userHandlers) add(ctx context.Context, in *addInput) (*userOutput, error) {
	return shownUser(h.service.AddUser(ctx, api.Identity(ctx), in.request()))
}

// PatchBody is the body of PATCH /v1/users/{address}.
type PatchBody struct {
	HeldSpamReport *string `json:"heldSpamReport,omitempty" enum:"daily,off" doc:"How often the person is mailed what was held for them" example:"daily"`
	Protected      *bool   `json:"protected,omitempty" doc:"Keep imports from changing or removing the user"`
}

type patchInput struct {
	MatchInput
	Address string `path:"address" maxLength:"320" doc:"The user's address" example:"anais.lefevre@example.com"`
	Body    PatchBody
}

func (h userHandlers) patch(ctx context.Context, in *patchInput) (*userOutput, error) {
	patch := importer.UserPatch{Match: in.match(), Protected: in.Body.Protected}
	if in.Body.HeldSpamReport != nil {
		report := user.HeldSpamReport(*in.Body.HeldSpamReport)
		patch.HeldSpamReport = &report
	}
	return shownUser(h.service.PatchUser(ctx, api.Identity(ctx), in.Address, patch))
}

type removeInput struct {
	Address string `path:"address" maxLength:"320" doc:"The user's address" example:"anais.lefevre@example.com"`
}

func (h userHandlers) remove(ctx context.Context, in *removeInput) (*struct{}, error) {
	return nil, h.service.RemoveUser(ctx, api.Identity(ctx), in.Address)
}

// AuditEntry is a line of the audit log.
type AuditEntry struct {
	ID      string            `json:"id" doc:"Names the entry" example:"01M852AJH242XXNWN3EKWSF2WF"`
	At      time.Time         `json:"at" doc:"When" example:"2026-11-26T08:00:00Z"`
	By      string            `json:"by" doc:"Who: the token's username or client; service: before a client that acted for the account" example:"ann@example.com"`
	Action  AuditAction       `json:"action" doc:"What they did"`
	Subject string            `json:"subject" doc:"An address, the id of a run, or settings" example:"anais.lefevre@example.com"`
	Details map[string]string `json:"details" doc:"What changed, or what was chosen, shortened" example:"{\"protected\":\"true\"}"`
}

// AuditAction is what somebody did.
type AuditAction runs.Action

// Schema lists the actions.
func (AuditAction) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, action := range runs.Actions() {
		schema.Enum = append(schema.Enum, string(action))
	}
	return schema
}

type auditOutput struct{ Body api.List[AuditEntry] }

func (h userHandlers) audit(ctx context.Context, in *api.CursorInput) (*auditOutput, error) {
	after, err := api.DecodeCursor(listAudit, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := h.service.Audit(ctx, api.Identity(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	return &auditOutput{api.ListOf(page.Entries, api.EncodeCursor(listAudit, page.Next), entryView)}, nil
}

func entryView(e *runs.AuditEntry) AuditEntry {
	entry := AuditEntry{
		ID: e.ID, At: e.At, By: e.By, Action: AuditAction(e.Action), Subject: e.Subject, Details: e.Details,
	}
	if entry.Details == nil {
		entry.Details = map[string]string{}
	}
	return entry
}
