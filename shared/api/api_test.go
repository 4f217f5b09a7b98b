package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/settings"
)

type body struct {
	Connection *api.ConnectionInput `json:"connection,omitempty"`
	Advanced   *settings.Advanced   `json:"advanced,omitempty"`
	Options    *api.OptionsInput    `json:"options,omitempty"`
}

type input struct{ Body body }

func (in *input) Resolve(huma.Context) []error {
	return api.CheckImport(in.Body.Connection, in.Body.Advanced, in.Body.Options)
}

type output struct{ Body struct{ OK bool } }

// serve is an API with one route, which fails with err, and one that any reader may call. log gets what callers are not told.
func serve(err error, caller api.Caller, log *bytes.Buffer) *api.API {
	a := api.New(api.Config{Log: slog.New(slog.NewTextHandler(log, nil)), Identify: func(r *http.Request) (api.Caller, error) {
		if r.Header.Get("Authorization") == "" {
			return api.Caller{}, errors.New("no token")
		}
		return caller, nil
	}})
	api.Route(a, huma.Operation{OperationID: "post", Method: http.MethodPost, Path: "/v1/things"}, func(context.Context, *input) (*output, error) {
		return &output{}, err
	})
	api.Route(a, huma.Operation{OperationID: "get", Method: http.MethodGet, Path: "/v1/things"}, func(ctx context.Context, _ *struct{}) (*output, error) {
		if api.Identity(ctx).Account != caller.Account {
			return nil, errors.New("another account")
		}
		return &output{}, nil
	})
	return a
}

var admin = api.Caller{Identity: importer.Identity{Account: "acme"}, Scopes: []api.Scope{api.ScopeAdmin}}

func call(a *api.API, method, path, contentType, text string) (int, api.Problem, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.Header.Set("Authorization", "x")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var p api.Problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return w.Code, p, w
}

func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	own := func(c importer.Class) error { return &importer.Error{Class: c, Code: "own_code", Message: "own words"} }
	const json = "application/json"
	tests := map[string]struct {
		err                      error
		method, path, kind, body string
		status                   int
		code                     string
	}{
		"invalid":           {own(importer.Invalid), "POST", "/v1/things", json, "{}", 422, "own_code"},
		"malformed":         {own(importer.Malformed), "POST", "/v1/things", json, "{}", 400, "own_code"},
		"not found":         {own(importer.NotFound), "POST", "/v1/things", json, "{}", 404, "own_code"},
		"gone":              {own(importer.Gone), "POST", "/v1/things", json, "{}", 410, "own_code"},
		"conflict":          {own(importer.Conflict), "POST", "/v1/things", json, "{}", 409, "own_code"},
		"stale":             {own(importer.Stale), "POST", "/v1/things", json, "{}", 412, "own_code"},
		"reused":            {own(importer.Reused), "POST", "/v1/things", json, "{}", 422, "own_code"},
		"too many":          {own(importer.TooMany), "POST", "/v1/things", json, "{}", 429, "own_code"},
		"unknown":           {errors.New("table users: secret detail"), "POST", "/v1/things", json, "{}", 500, "internal_error"},
		"no JSON":           {nil, "POST", "/v1/things", json, "{", 400, "malformed_request"},
		"another type":      {nil, "POST", "/v1/things", "text/xml", "<a/>", 415, "unsupported_media_type"},
		"too long":          {nil, "POST", "/v1/things", json, `{"x":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body_too_large"},
		"wrong field":       {nil, "POST", "/v1/things", json, `{"x":1}`, 422, "invalid_request"},
		"unknown parameter": {nil, "GET", "/v1/things?x=1", "", "", 422, "invalid_request"},
		"another method":    {nil, "PUT", "/v1/things", json, "{}", 405, "method_not_allowed"},
		"another path":      {nil, "GET", "/v1/nothing", "", "", 404, "route_not_found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			status, p, w := call(serve(test.err, admin, &log), test.method, test.path, test.kind, test.body)
			if status != test.status || p.Status != test.status || p.Code != test.code || p.Title == "" || p.Detail == "" || p.Type != "about:blank" {
				t.Errorf("status %d, problem %+v; want %d and %s", status, p, test.status, test.code)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			if strings.Contains(w.Body.String(), "secret detail") {
				t.Error("the caller is told an internal detail")
			}
			if test.code == "internal_error" && !strings.Contains(log.String(), "secret detail") {
				t.Errorf("the log lacks the detail: %s", log.String())
			}
		})
	}
}

func TestEveryWrongFieldIsListedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, p, w := call(serve(nil, admin, &log), "POST", "/v1/things", "application/json", `{"connection":{"serverType":"notes","port":99999,"password":"hunter2-secret","hots":"x"},
		"advanced":{"filter":"(a","include":["user","users"],"searchBase":"x"},"options":{"removeScope":"some"},"optoins":{}}`)
	want := map[string]bool{"connection.serverType": true, "connection.host": true, "connection.port": true, "connection.username": true, "connection.hots": true,
		"advanced.filter": true, "advanced.include[1]": true, "advanced.searchBase": true, "options.removeScope": true, "optoins": true}
	for _, e := range p.Errors {
		if !want[e.Field] {
			t.Errorf("field %q is listed (again): %s", e.Field, e.Message)
		}
		delete(want, e.Field)
		if e.Message == "" {
			t.Errorf("field %q has no message", e.Field)
		}
	}
	for field := range want {
		t.Errorf("field %q is not listed", field)
	}
	if strings.Contains(w.Body.String()+log.String(), "hunter2") {
		t.Error("the password is shown")
	}
}

func TestNamesOfFieldsAreExact(t *testing.T) {
	t.Parallel()
	for body, field := range map[string]string{
		`{"OPTIONS":{"removeScope":"all"}}`:                               "OPTIONS",
		`{"options":{"RemoveScope":"all"}}`:                               "options.RemoveScope",
		`{"options":{"remove\u017fcope":"all"}}`:                          "options.removeſcope", // ſ folds to s
		`{"options":{"removeScope":"all","REMOVESCOPE":"all"}}`:           "options.REMOVESCOPE",
		`{"advanced":{"filter":"","attributes":{"primary":[],"ID":"a"}}}`: "advanced.attributes.ID",
	} {
		status, p, _ := call(serve(nil, admin, new(bytes.Buffer)), "POST", "/v1/things", "application/json", body)
		want := []settings.FieldError{{Field: field, Message: "is not a field of this request; check its spelling"}}
		if diff := cmp.Diff(want, p.Errors); status != 422 || diff != "" {
			t.Errorf("%s: status %d, errors (-want +got):\n%s", body, status, diff)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	reader := api.Caller{Identity: importer.Identity{Account: "acme"}, Scopes: []api.Scope{api.ScopeRead}}
	nobody := api.Caller{Identity: importer.Identity{Account: "acme"}}
	for name, test := range map[string]struct {
		caller api.Caller
		method string
		status int
	}{
		"a reader reads": {reader, "GET", 200}, "a reader changes": {reader, "POST", 403}, "an admin reads": {admin, "GET", 200},
		"an admin changes": {admin, "POST", 200}, "without a scope": {nobody, "GET", 403},
	} {
		status, p, _ := call(serve(nil, test.caller, new(bytes.Buffer)), test.method, "/v1/things", "application/json", "{}")
		if status != test.status {
			t.Errorf("%s: status %d (%s), want %d", name, status, p.Code, test.status)
		}
	}
	w := httptest.NewRecorder()
	serve(nil, admin, new(bytes.Buffer)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/things", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a token: status %d, want 401", w.Code)
	}
}

func TestCursors(t *testing.T) {
	t.Parallel()
	if got, err := api.DecodeCursor(api.EncodeCursor("ä@b.example")); err != nil || got != "ä@b.example" {
		t.Errorf("came back as %q, %v", got, err)
	}
	var e *importer.Error
	if _, err := api.DecodeCursor("***"); !errors.As(err, &e) || e.Code != "invalid_cursor" {
		t.Errorf("error %v, want invalid_cursor", err)
	}
}
