package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// addMachines makes the clients of programs, which get tokens for a secret of their own (RFC 6749, section 4.4) and act
// for the account that a request names. They may not sign in anybody.
func (s *service) addMachines() {
	for _, given := range s.settings.MachineClients {
		name, read, _ := strings.Cut(given, ":")
		scope := manifest.AdminScope
		if read != "" {
			scope = manifest.ReadScope
		}
		client := awscognito.NewUserPoolClient(s.stack, jsii.String("machine-"+name), &awscognito.UserPoolClientProps{
			UserPool:              s.data.pool,
			UserPoolClientName:    jsii.String(s.settings.Name + "-" + name),
			GenerateSecret:        jsii.Bool(true),
			EnableTokenRevocation: jsii.Bool(true),
			OAuth: &awscognito.OAuthSettings{
				Flows: &awscognito.OAuthFlows{ClientCredentials: jsii.Bool(true)},
				Scopes: &[]awscognito.OAuthScope{
					awscognito.OAuthScope_Custom(jsii.String(manifest.DefaultScopePrefix + scope)),
					awscognito.OAuthScope_Custom(jsii.String(manifest.DefaultScopePrefix + manifest.ServiceScope)),
				},
			},
			AccessTokenValidity: seconds(signInLasts),
		})
		s.machines = append(s.machines, client)
		output(s.stack, "MachineClient-"+name, "The client id of the program "+name, client.UserPoolClientId())
	}
	if len(s.machines) > 0 {
		output(s.stack, "TokenEndpoint", "Where programs get their tokens",
			jsii.String(s.data.signInHost+"/oauth2/token"))
	}
}
