package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

type body struct {
	Connection *api.ConnectionInput `json:"connection,omitempty"`
	Advanced   *api.AdvancedInput   `json:"advanced,omitempty"`
	Options    *api.OptionsInput    `json:"options,omitempty"`
}

type input struct{ Body body }

func (in *input) Resolve(huma.Context) []error {
	return api.CheckImport(in.Body.Connection, in.Body.Advanced, in.Body.Options)
}

type output struct{ Body struct{ OK bool } }

// serve is an API with one route, which fails with err, and one that any reader may call. log gets what callers are
// not told.
func serve(err error, caller api.Caller, log *bytes.Buffer) *api.API {
	a := api.New(
		api.Config{Log: slog.New(slog.NewTextHandler(log, nil)), Identify: func(r *http.Request) (api.Caller, error) {
			if r.Header.Get("Authorization") == "" {
				return api.Caller{}, errors.New("no token")
			}
			return caller, nil
		}},
	)
	api.Route(
		a, huma.Operation{OperationID: "post", Method: http.MethodPost, Path: "/v1/things"},
		func(context.Context, *input) (*output, error) {
			return &output{}, err
		},
	)
	api.Route(
		a, huma.Operation{OperationID: "get", Method: http.MethodGet, Path: "/v1/things"},
		func(ctx context.Context, _ *struct{}) (*output, error) {
			if api.Identity(ctx).Account != caller.Account {
				return nil, errors.New("another account")
			}
			return &output{}, nil
		},
	)
	return a
}

var admin = api.Caller{Identity: run.Identity{Account: "acme"}, Scopes: []api.Scope{api.ScopeAdmin}}

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
		"invalid":   {own(importer.Invalid), "POST", "/v1/things", json, "{}", 422, "own_code"},
		"malformed": {own(importer.Malformed), "POST", "/v1/things", json, "{}", 400, "own_code"},
		"not found": {own(importer.NotFound), "POST", "/v1/things", json, "{}", 404, "own_code"},
		"gone":      {own(importer.Gone), "POST", "/v1/things", json, "{}", 410, "own_code"},
		"conflict":  {own(importer.Conflict), "POST", "/v1/things", json, "{}", 409, "own_code"},
		"stale":     {own(importer.Stale), "POST", "/v1/things", json, "{}", 412, "own_code"},
		"reused":    {own(importer.Reused), "POST", "/v1/things", json, "{}", 422, "own_code"},
		"too many":  {own(importer.TooMany), "POST", "/v1/things", json, "{}", 429, "own_code"},
		"unknown": {
			errors.New("table users: secret detail"), "POST", "/v1/things", json, "{}", 500, "internal_error",
		},
		"busy": {
			fmt.Errorf("store it: %w", runs.ErrBusy), "POST", "/v1/things", json, "{}", 503, "busy",
		},
		"no JSON":           {nil, "POST", "/v1/things", json, "{", 400, "malformed_request"},
		"another type":      {nil, "POST", "/v1/things", "text/xml", "<a/>", 415, "unsupported_media_type"},
		"too long":          {nil, "POST", "/v1/things", json, strings.Repeat(" ", 512<<10+1), 413, "body_too_large"},
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
			if status != test.status || p.Status != test.status || p.Code != test.code || p.Title == "" ||
				p.Detail == "" ||
				p.Type != "about:blank" {
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

func TestARefusalSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	err := &importer.Error{Class: importer.TooMany, Code: "c", Message: "m", RetryAfter: 1500 * time.Millisecond}
	if _, _, w := call(serve(err, admin, &log), "POST", "/v1/things", "application/json",
		"{}"); w.Header().Get("Retry-After") != "2" {
		t.Errorf("Retry-After is %q, want 2 seconds", w.Header().Get("Retry-After"))
	}
	err.RetryAfter = 0
	if _, _, w := call(serve(err, admin, &log), "POST", "/v1/things", "application/json",
		"{}"); w.Header().Get("Retry-After") != "" {
		t.Errorf("Retry-After is %q where nobody knows", w.Header().Get("Retry-After"))
	}
}

func TestEveryWrongFieldIsListedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, p, w := call(
		serve(nil, admin, &log), "POST", "/v1/things", "application/json",
		`{"connection":{"serverType":"notes","port":99999,"password":"hunter2-secret","hots":"x"},
		"advanced":{"filter":"(a","include":["user","users"],"searchBase":"x"},"options":{"removeScope":"some"},
		"optoins":{}}`,
	)
	want := map[string]bool{
		"connection.serverType": true, "connection.host": true, "connection.port": true,
		"connection.username": true, "connection.hots": true, "advanced.filter": true,
		"advanced.include[1]": true, "advanced.searchBase": true, "options.removeScope": true, "optoins": true,
	}
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

func TestFiftyErrorsAreListed(t *testing.T) {
	t.Parallel()
	repeat := func(before, after string, count int, item string) string {
		return before + strings.Repeat(item+",", count-1) + item + after
	}
	keys := make([]string, 4000)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"an-unknown-key-%d":1`, i)
	}
	const unknown, first = "is not a field of this request; check its spelling", "an-unknown-key-0"
	tests := map[string]struct {
		body, first, message string
		more                 int
	}{
		"unknown keys": {"{" + strings.Join(keys, ",") + "}", first, unknown, 3950},
		"51 of them":   {"{" + strings.Join(keys[:51], ",") + "}", first, unknown, 1},
		"wrong types": {
			repeat(`{"advanced":{"exclude":[`, `]}}`, 9000, `{}`), "advanced.exclude[0]", "expected string", 8950,
		},
		"wrong exclusions": {
			repeat(`{"advanced":{"exclude":[`, `]}}`, 9000, `"x"`),
			"advanced.exclude[0]", `"x" has no @; write an address, *@domain, or *.domain for every domain below it`,
			8950,
		},
		"wrong domains": {
			repeat(`{"advanced":{"acceptedDomains":[`, `]}}`, 60, `"-"`),
			"advanced.acceptedDomains[0]",
			`"-" is no mail domain; it looks like example.com, or *.example.com for every domain below it`, 10,
		},
	}
	for name, test := range tests {
		status, p, w := call(serve(nil, admin, new(bytes.Buffer)), "POST", "/v1/things", "application/json", test.body)
		if status != 422 || len(p.Errors) != 50 {
			t.Errorf("%s: status %d with %d errors, want 422 with 50", name, status, len(p.Errors))
			continue
		}
		want := fmt.Sprintf("errors names 50 of them with what to do, and there are %d more.", test.more)
		if !strings.Contains(p.Detail, want) {
			t.Errorf("%s: detail %q, want %q in it", name, p.Detail, want)
		}
		if want := (settings.FieldError{Field: test.first, Message: test.message}); p.Errors[0] != want {
			t.Errorf("%s: first error %+v, want %+v", name, p.Errors[0], want)
		}
		if w.Body.Len() > 32<<10 {
			t.Errorf("%s: the answer has %d bytes", name, w.Body.Len())
		}
	}
}

func TestLongValuesAreQuotedInPart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 50000)
	for _, body := range []string{
		`{"` + long + `":1}`, `{"options":"` + long + `"}`,
		`{"connection":{"port":` + strings.Repeat("1", 50000) + `}}`,
		`{"advanced":{"include":["` + long + `"]}}`, `{"advanced":{"searchBase":"` + long[:8000] + `"}}`,
		`{"advanced":{"attributes":{"id":"` + long + `"}}}`,
	} {
		status, p, w := call(serve(nil, admin, new(bytes.Buffer)), "POST", "/v1/things", "application/json", body)
		if status < 400 || status > 422 || p.Detail == "" || w.Body.Len() > 4096 || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%.40s: status %d with %d bytes: %.300s", body, status, w.Body.Len(), w.Body)
		}
	}
}

func TestABodyHasAtMost512KiB(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{512 << 10: 200, 512<<10 + 1: 413, 6 << 20: 413} {
		body := "{}" + strings.Repeat(" ", size-2)
		status, p, _ := call(serve(nil, admin, new(bytes.Buffer)), "POST", "/v1/things", "application/json", body)
		if status != want || status == 413 && (p.Code != "body_too_large" || !strings.Contains(p.Detail, "512 KiB")) {
			t.Errorf("%d bytes: status %d (%s: %s), want %d", size, status, p.Code, p.Detail, want)
		}
	}
}

func TestAQueryIsBounded(t *testing.T) {
	t.Parallel()
	a := serve(nil, admin, new(bytes.Buffer))
	status, p, _ := call(a, "GET", "/v1/things?x="+strings.Repeat("x", 16<<10), "", "")
	if status != 414 || p.Code != "query_too_long" {
		t.Errorf("status %d, %s; want 414", status, p.Code)
	}
	var names strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&names, "&p%d", i)
	}
	status, p, _ = call(a, "GET", "/v1/things?"+names.String()[1:], "", "")
	if status != 422 || len(p.Errors) != 50 || !strings.Contains(p.Detail, "1950 more") {
		t.Errorf("2000 unknown parameters: status %d, %d errors, %s", status, len(p.Errors), p.Detail)
	}
}

// deadlines is a response that remembers the last deadline for reading.
type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
	set  int
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.last, d.set = at, d.set+1
	return nil
}

func TestADeadlineEndsWithTheBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{}", ""} {
		a := serve(nil, admin, new(bytes.Buffer))
		stop := huma.Operation{OperationID: "stop", Method: http.MethodPost, Path: "/v1/things/stop"}
		api.Route(a, stop, func(context.Context, *struct{}) (*output, error) { return &output{}, nil })
		for _, path := range []string{"/v1/things", "/v1/things/stop"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Authorization", "x")
			r.Header.Set("Content-Type", "application/json")
			w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			if a.ServeHTTP(w, r); w.set == 0 || !w.last.IsZero() {
				t.Errorf(
					"%q to %s: the last of %d deadlines is %v: it would end a slow answer", body, path, w.set, w.last,
				)
			}
		}
	}
}

func TestABodyIsJSONAndSaysSo(t *testing.T) {
	t.Parallel()
	type answer struct {
		status int
		code   string
	}
	refused := answer{http.StatusUnsupportedMediaType, "unsupported_media_type"}
	for _, test := range []struct {
		path, kind, body string
		want             answer
	}{
		{"/v1/things", "", "{}", refused}, {"/v1/things", "text/plain", "{}", refused},
		{"/v1/things", "text/plain+application/json", "{}", refused},
		{"/v1/things", "application/json-patch", "{}", refused}, {"/v1/things/stop", "text/plain", "x", refused},
		{"/v1/things", "Application/JSON; charset=utf-8", "{}", answer{200, ""}},
		{"/v1/things", "", "", answer{400, "malformed_request"}},
		{"/v1/things/stop", "", "", answer{200, ""}}, {"/v1/things/stop", "text/plain", "", answer{200, ""}},
		{"/v1/things/stop", "application/json", "{}", answer{200, ""}},
	} {
		a := serve(nil, admin, new(bytes.Buffer))
		stop := huma.Operation{OperationID: "stop", Method: http.MethodPost, Path: "/v1/things/stop"}
		api.Route(a, stop, func(context.Context, *struct{}) (*output, error) { return &output{}, nil })
		status, p, _ := call(a, "POST", test.path, test.kind, test.body)
		if got := (answer{status, p.Code}); got != test.want {
			t.Errorf("%q of %q to %s: %+v, want %+v", test.body, test.kind, test.path, got, test.want)
		}
	}
}

func TestAFieldStandsInABodyOnce(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"options":{"removalLimit":{"percent":10000}},"options":{}}`, `{"advanced":{"filter":"a","filter":""}}`,
		`{"advanced":{"filter":"a","\u0066ilter":""}}`,
	} {
		status, p, _ := call(serve(nil, admin, new(bytes.Buffer)), "POST", "/v1/things", "application/json", body)
		if status != 400 || p.Code != "malformed_request" || !strings.Contains(p.Detail, "twice") {
			t.Errorf("%s: status %d, %s: %s; want 400", body, status, p.Code, p.Detail)
		}
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
	reader := api.Caller{Identity: run.Identity{Account: "acme"}, Scopes: []api.Scope{api.ScopeRead}}
	nobody := api.Caller{Identity: run.Identity{Account: "acme"}}
	for name, test := range map[string]struct {
		caller api.Caller
		method string
		status int
	}{
		"a reader reads": {reader, "GET", 200}, "a reader changes": {reader, "POST", 403},
		"an admin reads":   {admin, "GET", 200},
		"an admin changes": {admin, "POST", 200}, "without a scope": {nobody, "GET", 403},
	} {
		status, p, _ := call(
			serve(nil, test.caller, new(bytes.Buffer)), test.method, "/v1/things", "application/json", "{}",
		)
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

// TestWhatABodilessRouteTakes sends bodies where the route has none.
func TestWhatABodilessRouteTakes(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	for _, test := range []struct {
		kind, body string
		status     int
		code       string
	}{
		{"", "", 200, ""}, {json, "", 200, ""}, {json, " \n", 200, ""}, {json, "{}", 200, ""}, {json, " { } ", 200, ""},
		{json, `{"preview":true}`, 422, "invalid_request"}, {json, "[]", 422, "invalid_request"},
		{json, "null", 200, ""}, {json, `"x"`, 422, "invalid_request"},
		{json, "{", 400, "malformed_request"}, {json, "{}{}", 400, "malformed_request"},
		{json, "x", 400, "malformed_request"},
		{"text/plain", "x", 415, "unsupported_media_type"}, {"", "x", 415, "unsupported_media_type"},
		{json, strings.Repeat(" ", 512<<10+1), 413, "body_too_large"},
	} {
		a := serve(nil, admin, new(bytes.Buffer))
		api.Route(a, huma.Operation{OperationID: "stop", Method: http.MethodPost, Path: "/v1/things/stop"},
			func(context.Context, *struct{}) (*output, error) { return &output{}, nil })
		status, p, _ := call(a, http.MethodPost, "/v1/things/stop", test.kind, test.body)
		if status != test.status || p.Code != test.code {
			t.Errorf("%s %.20q: status %d, problem %+v; want %d and %s",
				test.kind, test.body, status, p, test.status, test.code)
		}
		if test.body == `{"preview":true}` && (len(p.Errors) != 1 || p.Errors[0].Field != "preview") {
			t.Errorf("errors %+v, want one that names the field", p.Errors)
		}
	}
}

func TestCursors(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"", "a", "ä@b.example", "01J0000000000000000000RUN1"} {
		if got, err := api.DecodeCursor("users", api.EncodeCursor("users", place)); err != nil || got != place {
			t.Errorf("%q came back as %q, %v", place, got, err)
		}
	}
	for _, cursor := range []string{"***", "A", "AAAAAA", "AAAAAAAA", api.EncodeCursor("syncs", "a@example.com")} {
		var e *importer.Error
		if _, err := api.DecodeCursor("users", cursor); !errors.As(err, &e) || e.Code != "invalid_cursor" {
			t.Errorf("%q: error %v, want invalid_cursor", cursor, err)
		}
	}
}
