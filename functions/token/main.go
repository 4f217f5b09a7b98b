// Command token is the trigger of the user pool that a deployment has where no other issuer of tokens is given: it
// puts the account and the scopes into access tokens. Cognito would give every scope to whoever asks for it.
package main

import (
	"context"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"rollcall/shared/manifest"
)

func main() { lambda.Start(complete) }

// complete answers with what the access token says. The account is an attribute that only operators write; whoever has
// none gets no scope, and whoever is in no group of admins cannot change anything.
func complete(
	_ context.Context, event events.CognitoEventUserPoolsPreTokenGenV2_0,
) (events.CognitoEventUserPoolsPreTokenGenV2_0, error) {
	var token events.AccessTokenGenerationV2_0
	account := event.Request.UserAttributes["custom:"+manifest.AccountAttribute]
	if account != "" {
		token.ClaimsToAddOrOverride = map[string]any{manifest.DefaultAccountClaim: account}
	} else {
		token.ScopesToSuppress = append(token.ScopesToSuppress, manifest.DefaultScopePrefix+manifest.ReadScope)
	}
	if account == "" || !slices.Contains(event.Request.GroupConfiguration.GroupsToOverride, manifest.AdminGroup) {
		token.ScopesToSuppress = append(token.ScopesToSuppress, manifest.DefaultScopePrefix+manifest.AdminScope)
	}
	event.Response.ClaimsAndScopeOverrideDetails.AccessTokenGeneration = token
	event.Response.ClaimsAndScopeOverrideDetails.GroupOverrideDetails = event.Request.GroupConfiguration
	return event, nil
}
