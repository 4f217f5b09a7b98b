package main

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/jsii-runtime-go"

	"rollcall/portal"
	"rollcall/shared/manifest"
)

// anyMethod stands for the methods that a path has no route of its own for.
const anyMethod = "ANY"

// methods are those that a path of the API gets routes for: what only reads needs another scope than the rest. What a
// path does not take is answered by its function, with a problem and not with API Gateway's own words.
func methods() []string { return []string{http.MethodGet, http.MethodHead, anyMethod} }

// addAPI makes the HTTP API, still without routes.
func (s *service) addAPI() {
	s.api = awsapigatewayv2.NewHttpApi(s.stack, jsii.String("api"), &awsapigatewayv2.HttpApiProps{
		ApiName: jsii.String(s.settings.Name), CreateDefaultStage: jsii.Bool(false), CorsPreflight: s.cors(),
	})
	if s.settings.OriginKey == 0 {
		output(s.stack, "API", "The API's own address, beside the page's", s.api.ApiEndpoint())
	}
}

// cors lets pages of the listed origins call the API with a token. None is sent by itself: there are no cookies.
func (s *service) cors() *awsapigatewayv2.CorsPreflightOptions {
	if len(s.settings.CORSOrigins) == 0 {
		return nil
	}
	var allowed []awsapigatewayv2.CorsHttpMethod
	for _, method := range portal.CORSMethods() {
		allowed = append(allowed, awsapigatewayv2.CorsHttpMethod(method))
	}
	return &awsapigatewayv2.CorsPreflightOptions{
		AllowOrigins: jsii.Strings(s.settings.CORSOrigins...), AllowMethods: &allowed,
		AllowHeaders: jsii.Strings(portal.CORSHeaders()...), ExposeHeaders: jsii.Strings(portal.CORSExposed()...),
		AllowCredentials: jsii.Bool(false), MaxAge: seconds(portal.CORSMaxAge),
	}
}

// addRoutes connects the API with the functions. Its authorizer takes tokens of one issuer for one audience, and a
// route those whose scope allows what the method does; the functions check the scope again.
func (s *service) addRoutes() {
	authorizer := s.authorizer()
	integrations := make(map[string]awsapigatewayv2.HttpRouteIntegration)
	for _, r := range manifest.Routes() {
		if integrations[r.Function] == nil {
			integrations[r.Function] = awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String(r.Function),
				s.functions[r.Function].lambda,
				&awsapigatewayv2integrations.HttpLambdaIntegrationProps{
					PayloadFormatVersion:   awsapigatewayv2.PayloadFormatVersion_VERSION_2_0(),
					ScopePermissionToRoute: jsii.Bool(false),
				})
		}
		if r.Signed {
			s.addSignedRoute(r, integrations[r.Function])
			continue
		}
		for _, method := range methods() {
			s.addRoute(r, method, integrations[r.Function], authorizer)
		}
	}
}

func (s *service) addRoute(r manifest.Route, method string, to awsapigatewayv2.HttpRouteIntegration,
	authorizer awsapigatewayv2.IHttpRouteAuthorizer) {
	awsapigatewayv2.NewHttpRoute(s.stack, jsii.String("route "+method+" "+r.Path), &awsapigatewayv2.HttpRouteProps{
		HttpApi: s.api, Integration: to, RouteKey: awsapigatewayv2.HttpRouteKey_With(jsii.String(r.Path),
			awsapigatewayv2.HttpMethod(method)), Authorizer: authorizer, AuthorizationScopes: s.scopesFor(method),
	})
}

// addSignedRoute lets requests without a token through to a function that checks who signed them. They have a rate of
// their own, so that connectors and the portal never wait for each other.
func (s *service) addSignedRoute(r manifest.Route, to awsapigatewayv2.HttpRouteIntegration) {
	route := awsapigatewayv2.NewHttpRoute(s.stack, jsii.String("route "+r.Path), &awsapigatewayv2.HttpRouteProps{
		HttpApi: s.api, Integration: to,
		RouteKey: awsapigatewayv2.HttpRouteKey_With(jsii.String(r.Path), awsapigatewayv2.HttpMethod_ANY),
	})
	justify(route, "AwsSolutions-APIG4", "A connector has a key pair and no token: each request is signed with it "+
		"(docs/adr/0061-connector.md), and the function checks that before anything else.")
	s.signedRoutes = append(s.signedRoutes, route)
}

// scopesFor are the scopes of which a token needs one.
func (s *service) scopesFor(method string) *[]*string {
	read, admin := s.settings.ScopePrefix+manifest.ReadScope, s.settings.ScopePrefix+manifest.AdminScope
	if method == http.MethodGet || method == http.MethodHead {
		return jsii.Strings(read, admin)
	}
	return jsii.Strings(admin)
}

func (s *service) authorizer() awsapigatewayv2.IHttpRouteAuthorizer {
	issuer, audience := jsii.String(s.settings.Issuer), jsii.Strings(s.settings.Audience...)
	if s.data.pool != nil {
		// An access token of Cognito's has no audience; API Gateway compares its client_id instead.
		issuer, audience = jsii.String(s.data.issuer), &[]*string{s.client.UserPoolClientId()}
		for _, machine := range s.machines {
			*audience = append(*audience, machine.UserPoolClientId())
		}
	}
	return awsapigatewayv2authorizers.NewHttpJwtAuthorizer(jsii.String("tokens"), issuer,
		&awsapigatewayv2authorizers.HttpJwtAuthorizerProps{JwtAudience: audience})
}

// addStage publishes the API, limits its rate and logs each request. The functions log the same request id.
func (s *service) addStage() {
	s.apiLogs = newLogGroup(s.stack, s.settings, s.data.dataKey, "api-logs", vendedLogPrefix+s.settings.Name+"/api")
	stage := awsapigatewayv2.NewHttpStage(s.stack, jsii.String("stage"), &awsapigatewayv2.HttpStageProps{
		HttpApi: s.api, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
		Throttle: &awsapigatewayv2.ThrottleSettings{RateLimit: jsii.Number(s.settings.ThrottleRate),
			BurstLimit: jsii.Number(s.settings.ThrottleBurst)},
	})
	made := stage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
	limits := make(map[string]any)
	for _, route := range s.signedRoutes {
		limits[anyMethod+" "+*route.Path()] = map[string]any{
			"ThrottlingRateLimit":  s.settings.ConnectorRate,
			"ThrottlingBurstLimit": s.settings.ThrottleBurst,
		}
		// API Gateway knows no limit of a route that is not there yet.
		made.Node().AddDependency(route)
	}
	made.SetRouteSettings(limits)
	made.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: s.apiLogs.LogGroupArn(), Format: jsii.String(s.accessLogFormat()),
	})
}

// simpleClaim is a claim that API Gateway can write to a log: it does not take a name that is a URL.
var simpleClaim = regexp.MustCompile(`^\w+$`)

// accessLogFormat is a line of JSON. It names the route, and neither path nor query, which hold addresses of users, nor
// anything of the token but account and subject.
func (s *service) accessLogFormat() string {
	fields := map[string]string{
		"time":            "$context.requestTimeEpoch",
		"requestId":       "$context.requestId",
		"ip":              "$context.identity.sourceIp",
		"method":          "$context.httpMethod",
		"route":           "$context.routeKey",
		"status":          "$context.status",
		"bytes":           "$context.responseLength",
		"ms":              "$context.responseLatency",
		"functionMs":      "$context.integrationLatency",
		"error":           "$context.error.message",
		"authorizerError": "$context.authorizer.error",
		"functionError":   "$context.integrationErrorMessage",
		"subject":         "$context.authorizer.claims.sub",
	}
	if simpleClaim.MatchString(s.settings.AccountClaim) {
		fields["account"] = "$context.authorizer.claims." + s.settings.AccountClaim
	}
	format, err := json.Marshal(fields)
	if err != nil {
		panic(err) // Text can be marshalled.
	}
	return string(format)
}
