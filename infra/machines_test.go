package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machineContext goes with a user pool, which fullContext does not have.
func machineContext() map[string]any {
	return map[string]any{"rollcall:machineClients": "portal,mail-filter:read"}
}

func TestMachineClients(t *testing.T) {
	a := sound(t, synthesized(machineContext()))
	for client, scope := range map[string]string{"machineportal": "admin", "machinemailfilter": "read"} {
		expect(t, a.service.the(t, "AWS::Cognito::UserPoolClient", client), map[string]string{
			"GenerateSecret": "true", "AllowedOAuthFlows": "[client_credentials]",
			"AllowedOAuthScopes": "[rollcall/" + scope + " rollcall/service]", "CallbackURLs": "<nil>",
		})
	}
	audience := shown(at(a.service.the(t, "AWS::ApiGatewayV2::Authorizer", "apitokens").Properties,
		"JwtConfiguration.Audience"))
	if diff := cmp.Diff([]string{"pageclient", "machineportal", "machinemailfilter"}, audience); diff != "" {
		t.Errorf("who may come (-want +got):\n%s", diff)
	}
	var scopes []string
	server := a.data.the(t, "AWS::Cognito::UserPoolResourceServer", "peopleapi")
	for _, scope := range list(at(server.Properties, "Scopes")) {
		scopes = append(scopes, show(at(scope, "ScopeName")))
	}
	if diff := cmp.Diff([]string{"read", "admin", "service"}, scopes); diff != "" {
		t.Errorf("the scopes (-want +got):\n%s", diff)
	}
	for name := range a.service.Outputs {
		if strings.Contains(strings.ToLower(name), "secret") {
			t.Errorf("the output %s shows a secret", name)
		}
	}
}
