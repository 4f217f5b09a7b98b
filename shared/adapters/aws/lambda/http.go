package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"rollcall/shared/api"
	"rollcall/shared/manifest"
)

// errNoToken means that nobody has verified who sent a request.
var errNoToken = errors.New("the request carries no claims: is its route without the authorizer?")

// usersPath is where addresses are part of the path.
const usersPath = "/v1/users/"

// API answers the requests of an API Gateway HTTP API (payload format 2.0) with the handler that build makes. It is
// made in the background, while the function's clients are set up and the first event comes in: describing an API takes
// milliseconds.
func API(build func() http.Handler, log *slog.Logger) Invoker {
	built := sync.OnceValue(build)
	go built()
	var accessor core.RequestAccessorV2
	return awslambda.NewHandler(func(ctx context.Context,
		event gatewayRequest) (events.APIGatewayV2HTTPResponse, error) {
		start := time.Now()
		event.RawPath = escapedPath(event.RawPath)
		r, err := accessor.EventToRequestWithContext(ctx, event.APIGatewayV2HTTPRequest)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		for name, value := range event.Headers {
			// The accessor takes headers apart at commas, and an Idempotency-Key may hold one.
			r.Header.Set(name, value)
		}
		w := core.NewProxyResponseWriterV2()
		built().ServeHTTP(w, r)
		answer, err := w.GetProxyResponse()
		if err == nil && (r.Method != http.MethodGet || answer.StatusCode >= http.StatusBadRequest) {
			log.InfoContext(ctx, "request", "method", r.Method, "path", loggedPath(r.URL.Path),
				"status", answer.StatusCode, "durationMs", time.Since(start).Milliseconds())
		}
		return answer, err
	})
}

// gatewayRequest is an event of API Gateway whose claims may be of any type: the SDK's takes texts only, and fails.
type gatewayRequest struct{ events.APIGatewayV2HTTPRequest }

// UnmarshalJSON reads an event.
func (r *gatewayRequest) UnmarshalJSON(data []byte) error {
	var event struct {
		events.APIGatewayV2HTTPRequest
		RequestContext struct {
			events.APIGatewayV2HTTPRequestContext
			Authorizer struct {
				JWT struct {
					Claims json.RawMessage `json:"claims"`
				} `json:"jwt"`
			} `json:"authorizer"`
		} `json:"requestContext"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return err
	}
	r.APIGatewayV2HTTPRequest = event.APIGatewayV2HTTPRequest
	r.RequestContext = event.RequestContext.APIGatewayV2HTTPRequestContext
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
			Claims: api.ClaimsOf(event.RequestContext.Authorizer.JWT.Claims),
		},
	}
	return nil
}

// escapedPath undoes what an HTTP API does to a path before it hands it on: it decodes it, so that an address with a
// slash would be several segments.
func escapedPath(decoded string) string {
	if address, ok := strings.CutPrefix(decoded, usersPath); ok {
		return usersPath + url.PathEscape(address)
	}
	return (&url.URL{Path: decoded}).EscapedPath()
}

// loggedPath is a path without the address of a user: logs outlast an account that is erased.
func loggedPath(path string) string {
	if of, ok := strings.CutPrefix(path, usersPath); ok && of != "export" {
		return usersPath + "{address}"
	}
	return path
}

// Identify returns who sent a request, by the claims of the token that API Gateway's authorizer has verified.
func Identify(env manifest.Environment) func(*http.Request) (api.Caller, error) {
	names := api.ClaimNames{
		Account:     env.Or(manifest.AccountClaim, manifest.DefaultAccountClaim),
		ScopePrefix: env.Or(manifest.ScopePrefix, manifest.DefaultScopePrefix),
	}
	return func(r *http.Request) (api.Caller, error) {
		event, ok := core.GetAPIGatewayV2ContextFromContext(r.Context())
		if !ok || event.Authorizer == nil || event.Authorizer.JWT == nil || event.Authorizer.JWT.Claims == nil {
			return api.Caller{}, errNoToken
		}
		return names.Caller(event.Authorizer.JWT.Claims, r.Header)
	}
}
