package lambda

import (
	"context"
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
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// The errors of telling who sent a request.
var (
	errNoToken   = errors.New("the request carries no claims: is its route without the authorizer?")
	errNoAccount = errors.New("the token names no account")
)

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
		event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		start := time.Now()
		event.RawPath = escapedPath(event.RawPath)
		r, err := accessor.EventToRequestWithContext(ctx, event)
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

// Identify returns who sent a request, by the claims of the token that API Gateway's authorizer has verified. The
// account comes from a claim that users cannot write, and never from the request.
func Identify(env manifest.Environment) func(*http.Request) (api.Caller, error) {
	accountClaim, prefix := env.Or(manifest.AccountClaim, manifest.DefaultAccountClaim),
		env.Or(manifest.ScopePrefix, manifest.DefaultScopePrefix)
	return func(r *http.Request) (api.Caller, error) {
		event, ok := core.GetAPIGatewayV2ContextFromContext(r.Context())
		if !ok || event.Authorizer == nil || event.Authorizer.JWT == nil {
			return api.Caller{}, errNoToken
		}
		claims := event.Authorizer.JWT.Claims
		account := claims[accountClaim]
		if account == "" {
			return api.Caller{}, errNoAccount
		}
		return api.Caller{
			Identity: run.Identity{Account: user.Account(account),
				Subject: firstOf(claims, "username", "client_id", "sub")},
			Scopes: scopesOf(claims, prefix),
		}, nil
	}
}

// firstOf returns the first claim that there is. Who did something is told by a name that its bearer cannot choose.
func firstOf(claims map[string]string, names ...string) string {
	for _, name := range names {
		if claims[name] != "" {
			return claims[name]
		}
	}
	return "unknown"
}

// scopesOf reads the scopes: "a b" in scope (RFC 8693, 4.2), or the list that some issuers put into scp, which API
// Gateway shows as "[a b]".
func scopesOf(claims map[string]string, prefix string) []api.Scope {
	var scopes []api.Scope
	for _, text := range strings.Fields(strings.Trim(claims["scope"], "[]") + " " + strings.Trim(claims["scp"], "[]")) {
		if own, ok := strings.CutPrefix(text, prefix); ok {
			scopes = append(scopes, api.Scope(own))
		}
	}
	return scopes
}
