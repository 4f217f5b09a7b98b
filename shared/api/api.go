// Package api is what the functions' HTTP handlers share: who asks, how errors become problems, and the JSON that
// callers are written against. The routes themselves are in the functions.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rollcall/shared/manifest"
	"rollcall/shared/run"
)

// Version is the API's, as its description shows it. The client in clients/typescript has the same.
const Version = "1.1.0"

// AccountHeader names the account that a service acts for.
const AccountHeader = "X-Rollcall-Account"

// documentPath is where the API describes itself.
const documentPath = manifest.DescriptionPath

// maxQuery bounds a request's query in bytes. API Gateway takes 10 KiB of a request's line and headers together.
const maxQuery = 16 << 10

// Scope is what an identity may do.
type Scope string

// The scopes: read sees, admin changes, and a service acts for the account that a request names. A service needs one of
// the others beside it.
const (
	ScopeRead    Scope = "read"
	ScopeAdmin   Scope = "admin"
	ScopeService Scope = "service"
)

// Caller is who sent a request, and what they may do.
type Caller struct {
	run.Identity
	Scopes []Scope
}

// Config is what an API needs from its surroundings.
type Config struct {
	// Identify returns who sent a request. Its error is the Problem to answer with, or answers 401.
	Identify func(*http.Request) (Caller, error)
	// Log gets what callers are not told.
	Log *slog.Logger
	// Part has no description at /v1/openapi.json: the API is one of several that share the routes, and their
	// description is served beside them.
	Part bool
}

// API is a set of routes under /v1 with everything around them.
type API struct {
	huma.API
	mux    *http.ServeMux
	config Config
}

// setUpHuma has huma make its own errors as problems, and take a field by its exact name only: encoding/json takes
// names that differ in case, so that their values would be stored unchecked. Lists are never null in answers. These are
// variables of its package, which are set once, before there is any API that could read them.
var setUpHuma = sync.OnceFunc(func() {
	huma.NewError, huma.ValidateStrictCasing, huma.DefaultArrayNullable = newProblem, true, false
})

// New returns an API without routes, which describes itself at /v1/openapi.json unless it is a part of one.
func New(c Config) *API {
	setUpHuma()
	config := documented()
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/v1/openapi", "", ""
	if c.Part {
		config.OpenAPIPath = ""
	}
	config.FieldsOptionalByDefault, config.RejectUnknownQueryParameters = true, true
	// The hook adds $schema links, which the contract does not have.
	config.CreateHooks = nil
	mux := http.NewServeMux()
	a := &API{API: humago.New(mux, config), mux: mux, config: c}
	mux.HandleFunc("/v1/", a.noRoute)
	return a
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == documentPath && !a.config.Part {
		a.mux.ServeHTTP(w, r)
		return
	}
	if len(r.URL.RawQuery) > maxQuery {
		writeProblem(w, &Problem{
			Status: http.StatusRequestURITooLong, Code: "query_too_long", Detail: "The query is longer than 16 KiB.",
		})
		return
	}
	caller, err := a.config.Identify(r)
	if err != nil {
		refusal := &Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "Sign in first."}
		errors.As(err, &refusal)
		writeProblem(w, refusal)
		return
	}
	if need := needs(r.Method); !caller.may(need) {
		writeProblem(w, &Problem{
			Status: http.StatusForbidden, Code: "forbidden", Detail: "This needs the scope " + string(need) + ".",
		})
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	a.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
}

// needs returns the scope that a request of a method needs.
func needs(method string) Scope {
	if method == http.MethodGet || method == http.MethodHead {
		return ScopeRead
	}
	return ScopeAdmin
}

func (c Caller) may(need Scope) bool { return c.has(need) || c.has(ScopeAdmin) }

func (c Caller) has(scope Scope) bool { return slices.Contains(c.Scopes, scope) }

// noRoute answers what no route takes: 405 where another method would do, else 404.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	for _, method := range methods {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "/v1/" {
			w.Header().Add("Allow", method)
		}
	}
	if w.Header().Get("Allow") != "" {
		writeProblem(w, &Problem{
			Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Detail: "This path takes other methods; Allow lists them.",
		})
		return
	}
	writeProblem(w, &Problem{
		Status: http.StatusNotFound, Code: "route_not_found",
		Detail: "There is no such path; GET /v1/openapi.json lists them.",
	})
}

type callerKey struct{}

// Identity returns who sent the request that ctx belongs to.
func Identity(ctx context.Context) run.Identity {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller.Identity
}

// Route registers one route: handle decodes nothing and encodes nothing, and its errors become problems.
func Route[I, O any](a *API, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	// checkBody has read the body in time, and refused a longer one; the router refuses what reaches its limit.
	op.MaxBodyBytes = maxBody + 1
	op.BodyReadTimeout = -1
	op.Middlewares = append(op.Middlewares, a.checkBody)
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
	huma.Register(a.API, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}
