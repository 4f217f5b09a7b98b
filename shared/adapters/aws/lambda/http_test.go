package lambda

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/api"
	"rollcall/shared/manifest"
	"rollcall/shared/run"
)

// seen is what a handler sees of a request.
type seen struct {
	Method, Path, Address, Body, Key string
	Changes                          []string
}

// invoke sends an event through API and returns the answer and what the handler saw.
func invoke(t *testing.T, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, seen) {
	t.Helper()
	var got seen
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/users/{address}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = seen{r.Method, r.URL.Path, r.PathValue("address"), string(body), r.Header.Get("Idempotency-Key"),
			r.URL.Query()["change"]}
		w.Header().Set("ETag", `"7"`)
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte(`{"ok":"ä"}`))
	})
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := API(func() http.Handler { return mux }, slog.New(slog.DiscardHandler)).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		t.Fatal(err)
	}
	return response, got
}

func request(method, rawPath string) events.APIGatewayV2HTTPRequest {
	event := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: rawPath}
	event.RequestContext.DomainName = "api.example.com"
	event.RequestContext.HTTP.Method = method
	return event
}

func TestRequestsArriveWhole(t *testing.T) {
	t.Parallel()
	event := request("PATCH", "/v1/users/a@example.com")
	event.Headers = map[string]string{"idempotency-key": "a,b, c", "content-type": "application/json"}
	event.RawQueryString = "change=create&change=a%2Cb"
	event.Body, event.IsBase64Encoded = "eyJhIjoxfQ==", true
	response, got := invoke(t, event)
	want := seen{"PATCH", "/v1/users/a@example.com", "a@example.com", `{"a":1}`, "a,b, c", []string{"create", "a,b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if response.StatusCode != http.StatusCreated || response.Body != `{"ok":"ä"}` ||
		response.Headers["Etag"] != `"7"` || response.IsBase64Encoded {
		t.Errorf("response %+v", response)
	}
}

// An HTTP API hands paths on decoded, so that every address must find its way back into one segment.
func TestAddressesInPaths(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"a@example.com", "a+b@example.com", "a/b@example.com", "a%b@example.com",
		"a%25b@example.com", `"a b"@example.com`, "ä#1@müller.example", "a/../b@example.com"} {
		if _, got := invoke(t, request("DELETE", "/v1/users/"+address)); got.Address != address {
			t.Errorf("address %q arrives as %q", address, got.Address)
		}
	}
}

func TestNoLogLineHasTheAddressOfAUser(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/users/ann@example.com": "/v1/users/{address}", "/v1/users/a/b@example.com": "/v1/users/{address}",
		"/v1/users/export": "/v1/users/export", "/v1/users": "/v1/users", "/v1/syncs/01J/undo": "/v1/syncs/01J/undo",
	} {
		var out bytes.Buffer
		payload, err := json.Marshal(request("DELETE", path))
		if err != nil {
			t.Fatal(err)
		}
		refuse := func() http.Handler { return http.NotFoundHandler() }
		if _, err := API(refuse, slog.New(slog.NewJSONHandler(&out, nil))).Invoke(t.Context(), payload); err != nil {
			t.Fatal(err)
		}
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["path"] != want || strings.Contains(out.String(), "example.com") {
			t.Errorf("%s is logged as %s", path, out.String())
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	named, err := manifest.Read(func(name string) string {
		return map[string]string{"ROLLCALL_ACCOUNT_CLAIM": "custom:tenant",
			"ROLLCALL_SCOPE_PREFIX": "https://rollcall.example/"}[name]
	}, manifest.Function{Takes: []manifest.Variable{manifest.AccountClaim, manifest.ScopePrefix}})
	if err != nil {
		t.Fatal(err)
	}
	caller := func(subject string, scopes ...api.Scope) api.Caller {
		return api.Caller{Identity: run.Identity{Account: "acme", Subject: subject}, Scopes: scopes}
	}
	for name, test := range map[string]struct {
		env    manifest.Environment
		claims map[string]any
		want   api.Caller
		// code is the problem's that refuses the request; none is wanted where it is empty.
		code string
	}{
		"an access token": {claims: map[string]any{"account": "acme", "username": "ann", "sub": "1",
			"scope": "openid rollcall/read rollcall/admin"},
			want: caller("ann", "read", "admin")},
		"a machine's": {claims: map[string]any{"account": "acme", "client_id": "portal", "sub": "1",
			"scope": "rollcall/read"}, want: caller("portal", "read")},
		"scopes in a list": {claims: map[string]any{"account": "acme", "sub": "1", "scp": "[rollcall/read openid]"},
			want: caller("1", "read")},
		"another issuer's": {named, map[string]any{"custom:tenant": "acme", "account": "evil", "sub": "1",
			"scope": "https://rollcall.example/admin rollcall/read"},
			caller("1", "admin"), ""},
		"no scope": {claims: map[string]any{"account": "acme", "sub": "1", "scope": "read admin"},
			want: caller("1")},
		"a service's": {claims: map[string]any{"client_id": "portal", "scope": "rollcall/admin rollcall/service"},
			want: api.Caller{Identity: run.Identity{Account: "evil", Subject: "service:portal"},
				Scopes: []api.Scope{"admin", "service"}}},
		"claims of other types": {claims: map[string]any{"account": "acme", "sub": "1", "exp": 1.5, "ok": true,
			"none": nil, "nested": map[string]any{"a": []int{1}}, "scp": []string{"rollcall/read"}},
			want: caller("1", "read")},
		"no account":            {claims: map[string]any{"sub": "1", "scope": "rollcall/admin"}, code: "no_account"},
		"an account in a list":  {claims: map[string]any{"account": []string{"acme"}}, code: "no_account"},
		"an account's number":   {claims: map[string]any{"account": 7}, code: "no_account"},
		"an account in a group": {claims: map[string]any{"account": map[string]any{"id": "acme"}}, code: "no_account"},
		"no token":              {code: "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := request("GET", "/v1/users")
			// What a caller writes into the request itself must not count.
			event.Headers = map[string]string{"x-rollcall-account": "evil", "account": "evil"}
			payload, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			if test.claims != nil {
				var members map[string]any
				if err := json.Unmarshal(payload, &members); err != nil {
					t.Fatal(err)
				}
				members["requestContext"].(map[string]any)["authorizer"] = map[string]any{
					"jwt": map[string]any{"claims": test.claims, "scopes": nil},
				}
				if payload, err = json.Marshal(members); err != nil {
					t.Fatal(err)
				}
			}
			var got api.Caller
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got, err = Identify(test.env)(r)
				w.WriteHeader(http.StatusNoContent)
			})
			if _, invokeErr := API(func() http.Handler { return handler },
				slog.New(slog.DiscardHandler)).Invoke(t.Context(), payload); invokeErr != nil {
				t.Fatal(invokeErr)
			}
			code := ""
			if refusal := (*api.Problem)(nil); errors.As(err, &refusal) {
				code = refusal.Code
			} else if errors.Is(err, errNoToken) {
				code = "unauthenticated"
			}
			if code != test.code {
				t.Errorf("error %v, want %q", err, test.code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheHandlerIsPickedByItsName(t *testing.T) {
	t.Parallel()
	handlers := []Handler{{Function: manifest.SyncAPI()}, {Function: manifest.SyncWorker()},
		{Function: manifest.SyncSchedule()}}
	for name, want := range map[string]string{"api": "sync-api", "worker": "sync-worker",
		"bootstrap.schedule": "sync-schedule"} {
		if got, err := pick(name, handlers); err != nil || got.Name != want {
			t.Errorf("%q picks %s, error %v; want %s", name, got.Name, err, want)
		}
	}
	for _, name := range []string{"", "other", "bootstrap"} {
		if _, err := pick(name, handlers); err == nil || !strings.Contains(err.Error(), "api, schedule, worker") {
			t.Errorf("%q: error %v, want one that lists the handlers", name, err)
		}
	}
}
