package main

import (
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
)

// deployedRoutes are the API's, by route key, with the function that each leads to.
func deployedRoutes(t *testing.T, a assembly) map[string]map[string]any {
	t.Helper()
	routes := map[string]map[string]any{}
	for _, r := range a.service.of("AWS::ApiGatewayV2::Route") {
		target := strings.TrimPrefix(show(r.Properties["Target"]), "integrations/")
		r.Properties["to"] = show(at(a.service.the(t, "AWS::ApiGatewayV2::Integration", target).Properties,
			"IntegrationUri"))
		routes[r.Properties["RouteKey"].(string)] = r.Properties
	}
	return routes
}

// leads finds the route of a request as API Gateway does: a full match before one with parameters before a greedy one,
// and a method's own before ANY.
func leads(routes map[string]map[string]any, method, target string) map[string]any {
	var found map[string]any
	best := -1
	for key, properties := range routes {
		of, pattern, _ := strings.Cut(key, " ")
		expression := regexp.MustCompile(`\\\{\w+(\\\+)?\\\}`).ReplaceAllStringFunc(regexp.QuoteMeta(pattern),
			func(parameter string) string {
				if strings.Contains(parameter, "+") {
					return ".+"
				}
				return "[^/]+"
			})
		if of != method && of != anyMethod || !regexp.MustCompile("^"+expression+"$").MatchString(target) {
			continue
		}
		// The longer of two greedy patterns is the more precise.
		rank := 2 * len(pattern)
		switch {
		case strings.Contains(pattern, "+}"):
		case strings.Contains(pattern, "{"):
			rank += 1000
		default:
			rank += 2000
		}
		if of == method {
			rank++
		}
		if rank > best {
			best, found = rank, properties
		}
	}
	return found
}

func TestEveryRouteOfTheContractIsServed(t *testing.T) {
	var document struct{ Paths map[string]map[string]any }
	if err := readJSON("../docs/openapi.json", &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Paths) < 15 {
		t.Fatalf("the document has %d paths only", len(document.Paths))
	}
	routes := deployedRoutes(t, plain(t))
	for of, operations := range document.Paths {
		for method := range operations {
			method = strings.ToUpper(method)
			target := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(of, "x")
			got := leads(routes, method, target)
			if got == nil {
				t.Errorf("%s %s leads nowhere", method, of)
				continue
			}
			want := manifest.SyncAPI().Name
			switch {
			case path.Base(of) == "export", strings.HasPrefix(of, "/v1/exports/"):
				want = manifest.ExportAPI().Name
			case strings.HasPrefix(of, "/v1/previews"), strings.HasPrefix(of, "/v1/explanations"):
				want = manifest.PreviewAPI().Name
			}
			if to := show(got["to"]); to != strings.ReplaceAll(want, "-", "") {
				t.Errorf("%s %s leads to %s, want %s", method, of, to, want)
			}
		}
	}
}

func TestRoutesAskForAToken(t *testing.T) {
	for name, want := range map[string]struct {
		a           assembly
		read, admin string
	}{"plain": {plain(t), "rollcall/read", "rollcall/admin"}, "full": {full(t), "import.read", "import.admin"}} {
		for key, properties := range deployedRoutes(t, want.a) {
			method, _, _ := strings.Cut(key, " ")
			scopes := strings.Join(shown(properties["AuthorizationScopes"]), " ")
			switch {
			case key == "ANY /v1/connector/{proxy+}":
				// Its requests are signed, and its function is asked by nobody else.
				if properties["AuthorizationType"] != "NONE" || show(properties["to"]) != "connectorapi" {
					t.Errorf("%s: %s has the authorizer %v and leads to %v", name, key,
						properties["AuthorizationType"], properties["to"])
				}
			case show(properties["to"]) == "connectorapi":
				t.Errorf("%s: %s leads to a function that knows no tokens", name, key)
			case properties["AuthorizationType"] != "JWT":
				t.Errorf("%s: %s is for everybody", name, key)
			case method == http.MethodGet || method == http.MethodHead:
				if scopes != want.read+" "+want.admin {
					t.Errorf("%s: %s takes the scopes %s", name, key, scopes)
				}
			case scopes != want.admin:
				t.Errorf("%s: %s takes the scopes %s", name, key, scopes)
			}
		}
	}
	expect(t, plain(t).service.the(t, "AWS::ApiGatewayV2::Authorizer", "apitokens"), map[string]string{
		"AuthorizerType": "JWT", "JwtConfiguration.Audience": "[map[Ref:" + pageClient(t) + "]]",
		"JwtConfiguration.Issuer": "https://cognito-idp.Region.URLSuffix/people",
	})
	expect(t, full(t).service.the(t, "AWS::ApiGatewayV2::Authorizer", "apitokens"), map[string]string{
		"JwtConfiguration.Audience": "[rollcall portal]", "JwtConfiguration.Issuer": "https://login.example.com/tenant",
	})
}

func pageClient(t *testing.T) string {
	t.Helper()
	for id, r := range plain(t).service.Resources {
		if r.Type == "AWS::Cognito::UserPoolClient" {
			return id
		}
	}
	t.Fatal("there is no client for the page")
	return ""
}

func TestTheStageLimitsAndLogs(t *testing.T) {
	stage := plain(t).service.the(t, "AWS::ApiGatewayV2::Stage", "stage")
	expect(t, stage, map[string]string{
		"StageName": "$default", "AutoDeploy": "true", "DefaultRouteSettings.ThrottlingRateLimit": "50",
		"DefaultRouteSettings.ThrottlingBurstLimit": "100",
		"AccessLogSettings.DestinationArn":          "apilogs",
	})
	limits, _ := stage.Properties["RouteSettings"].(map[string]any)
	want := map[string]any{"ANY /v1/connector/{proxy+}": map[string]any{
		"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 100.0}}
	if diff := cmp.Diff(want, limits); diff != "" {
		t.Errorf("routes have limits (-want +got):\n%s", diff)
	}
	format := show(at(stage.Properties, "AccessLogSettings.Format"))
	for _, field := range []string{`"requestId":"$context.requestId"`, `"account":"$context.authorizer.claims.account"`,
		`"status":"$context.status"`} {
		if !strings.Contains(format, field) {
			t.Errorf("the access log has no %s: %s", field, format)
		}
	}
	if strings.Contains(strings.ToLower(format), "query") || strings.Contains(format, "path") {
		t.Errorf("the access log tells what somebody looked for: %s", format)
	}
}
