package main

import (
	"path/filepath"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// addUserPool makes the people who may sign in, where no other issuer knows them. Only an operator adds somebody, and
// only an operator says to which account they belong and whether they may change things.
func (d *data) addUserPool() {
	d.pool = awscognito.NewUserPool(d.stack, jsii.String("people"), &awscognito.UserPoolProps{
		UserPoolName:      jsii.String(d.settings.Name),
		SelfSignUpEnabled: jsii.Bool(false),
		// A trigger can only write into access tokens from this plan on.
		FeaturePlan:   awscognito.FeaturePlan_ESSENTIALS,
		SignInAliases: &awscognito.SignInAliases{Email: jsii.Bool(true)},
		StandardAttributes: &awscognito.StandardAttributes{
			Email: &awscognito.StandardAttribute{Required: jsii.Bool(true), Mutable: jsii.Bool(true)},
		},
		CustomAttributes: &map[string]awscognito.ICustomAttribute{
			manifest.AccountAttribute: awscognito.NewStringAttribute(&awscognito.StringAttributeProps{
				MinLen: jsii.Number(1), MaxLen: jsii.Number(128), Mutable: jsii.Bool(true),
			}),
		},
		Mfa:             awscognito.Mfa_REQUIRED,
		MfaSecondFactor: &awscognito.MfaSecondFactor{Otp: jsii.Bool(true), Sms: jsii.Bool(false)},
		PasswordPolicy: &awscognito.PasswordPolicy{
			MinLength: jsii.Number(12), RequireLowercase: jsii.Bool(true), RequireUppercase: jsii.Bool(true),
			RequireDigits:  jsii.Bool(true),
			RequireSymbols: jsii.Bool(true), TempPasswordValidity: seconds(7 * day),
		},
		AccountRecovery:    awscognito.AccountRecovery_EMAIL_ONLY,
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	})
	justify(d.pool, "AwsSolutions-COG8", "The Plus plan adds threat protection, for a price by the person; a second "+
		"factor is required of everybody instead.")
	// From this version on it is asked for programs' tokens too.
	d.pool.AddTrigger(awscognito.UserPoolOperation_PRE_TOKEN_GENERATION_CONFIG(), d.addTokenFunction(),
		awscognito.LambdaVersion_V3_0)
	admins := d.pool.AddGroup(jsii.String("admins"), &awscognito.UserPoolGroupOptions{
		GroupName:   jsii.String(manifest.AdminGroup),
		Description: jsii.String("May change settings and users, and sync"),
	})
	d.addScopes()
	// A pool that an issuer takes the place of keeps who is an administrator.
	admins.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	d.server.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	d.pool.AddDomain(jsii.String("sign-in"), &awscognito.UserPoolDomainOptions{
		CognitoDomain: &awscognito.CognitoDomainOptions{DomainPrefix: jsii.String(d.settings.signInPrefix(d.stack))},
	})
	output(d.stack, "UserPool", "The people who may sign in", d.pool.UserPoolId())
}

// signInPrefix is the user pool's name among those of all accounts of a region.
func (s Settings) signInPrefix(stack awscdk.Stack) string { return s.Name + "-" + *stack.Account() }

func (s Settings) signInHost(stack awscdk.Stack) string {
	return "https://" + s.signInPrefix(stack) + ".auth." + *stack.Region() + ".amazoncognito.com"
}

func (d *data) addScopes() {
	scopes := []awscognito.ResourceServerScope{newScope(manifest.ReadScope, "See"),
		newScope(manifest.AdminScope, "See and change"),
		newScope(manifest.ServiceScope, "Act for the account that a request names")}
	d.server = d.pool.AddResourceServer(jsii.String("api"), &awscognito.UserPoolResourceServerOptions{
		Identifier: jsii.String(manifest.ScopeServer), Scopes: &scopes,
	})
}

func newScope(name, description string) awscognito.ResourceServerScope {
	return awscognito.NewResourceServerScope(&awscognito.ResourceServerScopeProps{ScopeName: jsii.String(name),
		ScopeDescription: jsii.String(description)})
}

// addTokenFunction makes the trigger that writes the account into access tokens. It may do nothing but log.
func (d *data) addTokenFunction() awslambda.Function {
	role, logs := newRole(d.stack, d.settings, d.dataKey, manifest.TokenBinary)
	d.token = awslambda.NewFunction(d.stack, jsii.String(manifest.TokenBinary), &awslambda.FunctionProps{
		FunctionName: jsii.String(d.settings.Name + "-" + manifest.TokenBinary),
		Description:  jsii.String("Writes the account and the scopes into access tokens"),
		Code:         awslambda.Code_FromAsset(jsii.String(filepath.Join(d.built, manifest.TokenBinary)), nil),
		Handler:      jsii.String("bootstrap"),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: awslambda.Architecture_ARM_64(),
		MemorySize:   jsii.Number(256),
		// Cognito waits five seconds.
		Timeout:  seconds(5 * time.Second),
		Role:     role,
		LogGroup: logs,
	})
	return d.token
}
