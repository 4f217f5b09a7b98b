package lambda

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"rollcall/shared/api"
	"rollcall/shared/manifest"
)

func TestOnlyRequestsThroughTheOriginAreServed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys   string
		given  map[string]string
		status int
	}{
		"no key is asked for":       {"", nil, 204},
		"a key that nobody knows":   {"", map[string]string{"x-rollcall-origin": "x"}, 204},
		"the key":                   {"new,old", map[string]string{"x-rollcall-origin": "new"}, 204},
		"the key before":            {"new,old", map[string]string{"x-rollcall-origin": "old"}, 204},
		"none":                      {"new,old", nil, 403},
		"an empty one":              {"new,old", map[string]string{"x-rollcall-origin": ""}, 403},
		"another":                   {"new,old", map[string]string{"x-rollcall-origin": "older"}, 403},
		"the beginning of one":      {"new,old", map[string]string{"x-rollcall-origin": "ne"}, 403},
		"the list":                  {"new,old", map[string]string{"x-rollcall-origin": "new,old"}, 403},
		"the key in another header": {"new", map[string]string{"x-rollcall-account": "new"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, err := manifest.Read(func(string) string { return test.keys },
				manifest.Function{Takes: []manifest.Variable{manifest.OriginKeys}})
			if err != nil {
				t.Fatal(err)
			}
			s := Setup{Environment: env, Log: slog.New(slog.DiscardHandler)}
			served := false
			serve := s.Serve(func() http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					served = true
					w.WriteHeader(http.StatusNoContent)
				})
			})
			event := request("GET", "/v1/users")
			event.Headers = test.given
			payload, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := serve.Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			var response events.APIGatewayV2HTTPResponse
			var problem api.Problem
			if err := json.Unmarshal(answer, &response); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || served != (test.status == 204) {
				t.Errorf("status %d, served %t; want %d", response.StatusCode, served, test.status)
			}
			if test.status == 403 && (json.Unmarshal([]byte(response.Body), &problem) != nil ||
				problem.Code != "wrong_origin" || response.Headers["Content-Type"] != "application/problem+json") {
				t.Errorf("the answer is %v", response)
			}
		})
	}
}
