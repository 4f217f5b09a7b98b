package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/deployment"
)

// addClient lets the page sign people in: the code flow with PKCE, without a secret that a page could not keep.
func (s *service) addClient() {
	s.client = awscognito.NewUserPoolClient(s.stack, jsii.String("page-client"), &awscognito.UserPoolClientProps{
		UserPool:                   s.data.pool,
		GenerateSecret:             jsii.Bool(false),
		PreventUserExistenceErrors: jsii.Bool(true),
		EnableTokenRevocation:      jsii.Bool(true),
		SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{awscognito.UserPoolClientIdentityProvider_COGNITO()},
		OAuth: &awscognito.OAuthSettings{
			Flows:        &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes:       &s.data.scopes,
			CallbackUrls: jsii.Strings(s.pageURL()),
			LogoutUrls:   jsii.Strings(s.pageURL()),
		},
		// Whoever is signed in may write what is listed here: not their account.
		WriteAttributes:      awscognito.NewClientAttributes().WithStandardAttributes(&awscognito.StandardAttributesMask{Email: jsii.Bool(true)}),
		AccessTokenValidity:  span(signInLasts),
		IdTokenValidity:      span(signInLasts),
		RefreshTokenValidity: span(day),
	})
}

// signInOrigins are the origins that the page calls to sign somebody in: the issuer's, and that of its token endpoint.
func (s *service) signInOrigins() []string {
	if s.data.pool == nil {
		return s.settings.signInOrigins()
	}
	return []string{"https://cognito-idp." + *s.stack.Region() + "." + *s.stack.UrlSuffix(), s.data.signInHost}
}

// pageConfig tells the page how people sign in.
func (s *service) pageConfig() map[string]any {
	issuer, client := jsii.String(s.settings.Issuer), jsii.String(s.settings.ClientID)
	if s.data.pool != nil {
		issuer, client = s.data.pool.UserPoolProviderUrl(), s.client.UserPoolClientId()
	}
	scopes := []string{"openid", s.settings.ScopePrefix + deployment.ReadScope, s.settings.ScopePrefix + deployment.AdminScope}
	return map[string]any{"issuer": issuer, "clientId": client, "scope": strings.Join(scopes, " ")}
}

// publishPage copies the page's files and its configuration into their bucket, removes what is no longer there, and makes
// CloudFront forget the old ones.
//
// docs/adr/0014-page-upload.md says why a function of the CDK's does that. It gets a role of our own: the one that it would
// come with has a managed policy.
func (s *service) publishPage() {
	role, logs := newRole(s.stack, s.settings, s.data.dataKey, "page-upload")
	awss3deployment.NewBucketDeployment(s.stack, jsii.String("page-upload"), &awss3deployment.BucketDeploymentProps{
		DestinationBucket: s.files,
		Sources: &[]awss3deployment.ISource{
			awss3deployment.Source_Asset(jsii.String(s.page), nil),
			awss3deployment.Source_JsonData(jsii.String("config.json"), s.pageConfig(), nil),
		},
		// The files have no versions in their names: a browser asks each time whether it has them still.
		CacheControl:      &[]awss3deployment.CacheControl{awss3deployment.CacheControl_NoCache()},
		Distribution:      s.cdn,
		DistributionPaths: jsii.Strings("/*"),
		// An empty bucket can be removed with the stack.
		RetainOnDelete: jsii.Bool(false),
		Role:           role,
		LogGroup:       logs,
	})
	justify(role, "AwsSolutions-IAM5", "CloudFront's invalidations name no distribution, and the CDK's function copies any file of two buckets that hold nothing but the page.")
}
