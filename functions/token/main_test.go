package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

// answered is what Cognito reads of an answer.
type answered struct {
	Version  string
	Response struct {
		Details struct {
			Token  events.AccessTokenGenerationV2_0 `json:"accessTokenGeneration"`
			Groups json.RawMessage                  `json:"groupOverrideDetails"`
		} `json:"claimsAndScopeOverrideDetails"`
	}
}

func answerTo(t *testing.T, event string) (out answered) {
	t.Helper()
	got, err := complete(t.Context(), json.RawMessage(event))
	if err == nil {
		err = json.Unmarshal(got, &out)
	}
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return out
}

func TestAnAccessTokenSaysWhatTheOperatorSaid(t *testing.T) {
	for _, tt := range []struct {
		name, source, attributes, groups string
		account                          string
		suppressed                       []string
	}{
		{
			"an admin keeps both scopes", "HostedAuth", `{"custom:account":"acme","email":"a@example.com"}`,
			`["rollcall-admin","others"]`, "acme", []string{"rollcall/service"},
		},
		{
			"anybody else may read", "HostedAuth", `{"custom:account":"acme"}`, `["others"]`,
			"acme", []string{"rollcall/service", "rollcall/admin"},
		},
		{
			"without an account nobody changes anything", "RefreshTokens", `{"email":"a@example.com","account":"acme"}`,
			`["rollcall-admin"]`, "", []string{"rollcall/service", "rollcall/admin"},
		},
		{
			"an account in a form that none has", "HostedAuth", `{"custom:account":" [acme]"}`, `["rollcall-admin"]`,
			"", []string{"rollcall/service", "rollcall/admin"},
		},
		{"a program keeps what its client has", "ClientCredentials", `{"custom:account":"acme"}`, `[]`, "", nil},
		{"a program without attributes and groups", "ClientCredentials", `null`, `null`, "", nil},
		{
			"values of other types", "HostedAuth", `{"custom:account":7,"email_verified":true,"x":{"y":[1]}}`,
			`"rollcall-admin"`, "", []string{"rollcall/service", "rollcall/admin"},
		},
		{
			"an attribute of another type says nothing of the account", "HostedAuth",
			`{"custom:account":"acme","updated_at":1732612800}`, `["rollcall-admin"]`,
			"acme", []string{"rollcall/service"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := answerTo(t, `{"version":"3","triggerSource":"TokenGeneration_`+tt.source+
				`","request":{"userAttributes":`+tt.attributes+
				`,"groupConfiguration":{"groupsToOverride":`+tt.groups+`},
				"scopes":["openid","rollcall/read","rollcall/admin"],"clientMetadata":{"account":"evil"}},
				"response":{"claimsAndScopeOverrideDetails":null}}`)
			want := events.AccessTokenGenerationV2_0{ScopesToSuppress: tt.suppressed}
			if tt.account != "" {
				want.ClaimsToAddOrOverride = map[string]any{"account": tt.account}
			}
			if diff := cmp.Diff(want, got.Response.Details.Token); diff != "" {
				t.Error(diff)
			}
			if groups := string(got.Response.Details.Groups); groups != `{"groupsToOverride":`+tt.groups+`}` {
				t.Errorf("the groups became %s", groups)
			}
			if got.Version != "3" {
				t.Errorf("the event's version became %q", got.Version)
			}
		})
	}
}

// FuzzComplete sends events with values of every type: each object is answered, and nobody but a program acts as a
// service.
func FuzzComplete(f *testing.F) {
	for _, event := range []string{
		`{"request":{"userAttributes":{"custom:account":"acme"},` +
			`"groupConfiguration":{"groupsToOverride":["rollcall-admin"]}}}`,
		`{"triggerSource":"TokenGeneration_ClientCredentials",` +
			`"request":{"userAttributes":null,"scopes":["rollcall/service"]}}`,
		`{"triggerSource":7,"request":[]}`, `{"request":{"userAttributes":[1],"groupConfiguration":"x"}}`, `{}`, `null`,
		`[]`, `{"request":{"userAttributes":{"custom:account":["acme"]},"groupConfiguration":{"groupsToOverride":{}}}}`,
		`{"request":{"userAttributes":{"custom:account":"` + strings.Repeat("x", 2048) + `"}}}`,
	} {
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, event string) {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(event), &object) != nil {
			return
		}
		got := answerTo(t, event)
		var source string
		if json.Unmarshal(object["triggerSource"], &source) == nil && source == clientCredentials {
			return
		}
		token := got.Response.Details.Token
		if !slices.Contains(token.ScopesToSuppress, "rollcall/service") {
			t.Errorf("%s: a person keeps the scope service", event)
		}
		if !slices.Contains(token.ScopesToSuppress, "rollcall/admin") && token.ClaimsToAddOrOverride["account"] == nil {
			t.Errorf("%s: a person without an account keeps the scope admin", event)
		}
	})
}
