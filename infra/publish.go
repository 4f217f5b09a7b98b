package main

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"

	"rollcall/docs"
	"rollcall/portal"
	"rollcall/shared/manifest"
)

// addClient lets the page sign people in: the code flow with PKCE, without a secret that a page could not keep.
func (s *service) addClient() {
	s.client = awscognito.NewUserPoolClient(s.stack, jsii.String("page-client"), &awscognito.UserPoolClientProps{
		UserPool:                   s.data.pool,
		GenerateSecret:             jsii.Bool(false),
		PreventUserExistenceErrors: jsii.Bool(true),
		EnableTokenRevocation:      jsii.Bool(true),
		SupportedIdentityProviders: &[]awscognito.UserPoolClientIdentityProvider{
			awscognito.UserPoolClientIdentityProvider_COGNITO(),
		},
		OAuth: &awscognito.OAuthSettings{
			Flows:        &awscognito.OAuthFlows{AuthorizationCodeGrant: jsii.Bool(true)},
			Scopes:       &s.data.scopes,
			CallbackUrls: jsii.Strings(s.pageURL()),
			LogoutUrls:   jsii.Strings(s.pageURL()),
		},
		// Signing in is the page's redirection and nothing else.
		AuthFlows: &awscognito.AuthFlow{UserSrp: jsii.Bool(false)},
		// Whoever is signed in may write what is listed here: not their account.
		WriteAttributes: awscognito.NewClientAttributes().WithStandardAttributes(
			&awscognito.StandardAttributesMask{Email: jsii.Bool(true)},
		),
		AccessTokenValidity:  seconds(signInLasts),
		IdTokenValidity:      seconds(signInLasts),
		RefreshTokenValidity: seconds(day),
	})
	output(s.stack, "PageClient", "The client id that the page signs in with", s.client.UserPoolClientId())
}

// signInOrigins are the origins that the page calls to sign somebody in: the issuer's, and that of its token endpoint.
func (s *service) signInOrigins() []string {
	if s.data.pool == nil {
		return s.settings.signInOrigins()
	}
	return []string{"https://cognito-idp." + *s.stack.Region() + "." + *s.stack.UrlSuffix(), s.data.signInHost}
}

// pageConfig tells the page how people sign in: a portal.Config as JSON, in which the CDK puts the names of what it
// makes.
func (s *service) pageConfig() (config map[string]any) {
	scopes := []string{
		"openid", s.settings.ScopePrefix + manifest.ReadScope, s.settings.ScopePrefix + manifest.AdminScope,
	}
	own := portal.Config{Issuer: s.settings.Issuer, ClientID: s.settings.ClientID, Scope: strings.Join(scopes, " "),
		Portals: s.settings.FrameAncestors}
	if s.data.pool != nil {
		own.Issuer, own.ClientID = s.data.issuer, *s.client.UserPoolClientId()
	}
	text, err := json.Marshal(own)
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		panic(err) // Texts can be marshalled.
	}
	return config
}

// publishPage copies the page's files and its configuration into their bucket, and removes what is no longer there.
//
// docs/adr/0014-page-upload.md says why a function of the CDK's does that. It gets a role of our own: the one that it
// would come with has a managed policy.
func (s *service) publishPage() {
	role, logs := newRole(s.stack, s.settings, s.data.dataKey, "page-upload")
	page := awss3deployment.Source_Asset(jsii.String(s.page), nil)
	built := jsii.Strings(portal.BuiltFolder + "*")
	upload := func(
		name, cacheFor string, props awss3deployment.BucketDeploymentProps,
	) awss3deployment.BucketDeployment {
		props.DestinationBucket, props.Role, props.LogGroup = s.files, role, logs
		props.CacheControl = &[]awss3deployment.CacheControl{
			awss3deployment.CacheControl_FromString(jsii.String(cacheFor)),
		}
		// An empty bucket can be removed with the stack.
		props.RetainOnDelete = jsii.Bool(false)
		return awss3deployment.NewBucketDeployment(s.stack, jsii.String(name), &props)
	}
	// Those of earlier deployments stay, for the pages that are open.
	first := upload("page-built", portal.ForGood, awss3deployment.BucketDeploymentProps{
		Sources: &[]awss3deployment.ISource{page}, Exclude: jsii.Strings("*"), Include: built, Prune: jsii.Bool(false),
	})
	// Browsers and CloudFront ask each time whether they have these still, so that nothing has to be invalidated.
	second := upload("page-upload", portal.ForNow, awss3deployment.BucketDeploymentProps{
		Sources: &[]awss3deployment.ISource{
			page, awss3deployment.Source_JsonData(jsii.String(strings.TrimPrefix(portal.ConfigPath, "/")),
				s.pageConfig(), nil),
			awss3deployment.Source_Data(jsii.String(strings.TrimPrefix(manifest.DescriptionPath, "/")),
				jsii.String(string(docs.OpenAPI)), nil),
		},
		Exclude: built,
	})
	// index.html names the built files.
	second.Node().AddDependency(first)
	justify(role, "AwsSolutions-IAM5",
		"The CDK's function copies files from the bucket of its assets to that of the page; it writes to no other.",
		"/^Action::s3:/", "/^Resource::<page[0-9A-F]+.Arn>/", "/^Resource::arn:<AWS::Partition>:s3:::cdk-/")
	for _, child := range *s.stack.Node().Children() {
		if strings.HasPrefix(*child.Node().Id(), "Custom::CDKBucketDeployment") {
			justify(child, "AwsSolutions-L1",
				"The CDK's function runs on the Python that the CDK tests it with; a new version of the CDK moves it.")
		}
	}
}
