package main

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func TestAnAccessTokenSaysWhatTheOperatorSaid(t *testing.T) {
	for _, tt := range []struct {
		name, attributes, groups string
		want                     string
	}{
		{"an admin keeps both scopes", `{"custom:account":"acme","email":"a@example.com"}`,
			`["rollcall-admin","others"]`,
			`{"claimsToAddOrOverride":{"account":"acme"},"claimsToSuppress":null,` +
				`"scopesToAdd":null,"scopesToSuppress":null}`},
		{"anybody else may read", `{"custom:account":"acme"}`, `["others"]`,
			`{"claimsToAddOrOverride":{"account":"acme"},"claimsToSuppress":null,` +
				`"scopesToAdd":null,"scopesToSuppress":["rollcall/admin"]}`},
		{"without an account there is no scope", `{"email":"a@example.com","account":"acme"}`, `["rollcall-admin"]`,
			`{"claimsToAddOrOverride":null,"claimsToSuppress":null,` +
				`"scopesToAdd":null,"scopesToSuppress":["rollcall/read","rollcall/admin"]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var event events.CognitoEventUserPoolsPreTokenGenV2_0
			request := `{"version":"2","request":{"userAttributes":` + tt.attributes +
				`,"groupConfiguration":{"groupsToOverride":` + tt.groups + `},
				"scopes":["openid","rollcall/read","rollcall/admin"]},
				"response":{"claimsAndScopeOverrideDetails":null}}`
			if err := json.Unmarshal([]byte(request), &event); err != nil {
				t.Fatal(err)
			}
			got, err := complete(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := json.Marshal(got.Response.ClaimsAndScopeOverrideDetails.AccessTokenGeneration)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(answer)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(event.Request.GroupConfiguration,
				got.Response.ClaimsAndScopeOverrideDetails.GroupOverrideDetails); diff != "" {
				t.Errorf("the groups changed: %s", diff)
			}
		})
	}
}
