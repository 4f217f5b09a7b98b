// Command token is the trigger of the user pool that a deployment has where no other issuer of tokens is given: it
// puts the account and the scopes into access tokens. Cognito would give every scope to whoever asks for it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"rollcall/shared/manifest"
	"rollcall/shared/user"
)

func main() { lambda.Start(complete) }

// clientCredentials is the source of an event for a program's token, which no person signed in for.
const clientCredentials = "TokenGeneration_ClientCredentials"

// complete answers with what the access token says (event version V3_0). A person's account is an attribute that only
// operators write; whoever has none may change nothing, nor who is in no group of admins. A program has the scopes that
// its client was given, and nobody else acts as a service.
func complete(_ context.Context, event json.RawMessage) (json.RawMessage, error) {
	// Cognito wants back what it sent, and no attribute of an unexpected type may keep anybody from signing in.
	var members, request map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	read(members["request"], &request)
	var token events.AccessTokenGenerationV2_0
	if source := ""; !read(members["triggerSource"], &source) || source != clientCredentials {
		token = personal(request)
	}
	response := map[string]any{"accessTokenGeneration": token}
	if groups := request["groupConfiguration"]; groups != nil {
		response["groupOverrideDetails"] = groups
	}
	details, err := json.Marshal(map[string]any{"claimsAndScopeOverrideDetails": response})
	if err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	if members == nil {
		members = make(map[string]json.RawMessage)
	}
	members["response"] = details
	return json.Marshal(members)
}

// personal returns what a person's token says.
func personal(request map[string]json.RawMessage) (token events.AccessTokenGenerationV2_0) {
	var attributes, configuration map[string]json.RawMessage
	var groups []string
	var account string
	read(request["userAttributes"], &attributes)
	read(request["groupConfiguration"], &configuration)
	read(configuration["groupsToOverride"], &groups)
	read(attributes["custom:"+manifest.AccountAttribute], &account)
	_, err := user.ParseAccount(account)
	if err == nil {
		token.ClaimsToAddOrOverride = map[string]any{manifest.DefaultAccountClaim: account}
	}
	token.ScopesToSuppress = []string{manifest.DefaultScopePrefix + manifest.ServiceScope}
	if err != nil || !slices.Contains(groups, manifest.AdminGroup) {
		// Without an account the scope read is left: the API says what is missing, and a gateway would not.
		token.ScopesToSuppress = append(token.ScopesToSuppress, manifest.DefaultScopePrefix+manifest.AdminScope)
	}
	return token
}

// read decodes a value and reports whether it was there and of the type. What is not leaves target as it is.
func read[T any](value json.RawMessage, target *T) bool {
	var decoded T
	if value == nil || json.Unmarshal(value, &decoded) != nil {
		return false
	}
	*target = decoded
	return true
}
