package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"rollcall/portal"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/objects"
)

// addDistribution puts page, API and uploads on one origin, so that the browser needs no CORS and the policy names one
// host.
func (s *service) addDistribution() {
	s.files = awss3.NewBucket(s.stack, jsii.String("page"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy:     awscdk.RemovalPolicy_DESTROY,
	})
	justify(s.files, "AwsSolutions-S1",
		"Only CloudFront reads the page's files, and CloudFront's log has every request.")
	origin := s.filesOrigin()
	props := &awscloudfront.DistributionProps{
		Comment:           jsii.String("Rollcall " + s.settings.Name),
		DefaultRootObject: jsii.String("index.html"),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin:                origin,
			ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
			CachePolicy:           awscloudfront.CachePolicy_CACHING_OPTIMIZED(),
			ResponseHeadersPolicy: s.headers("page", s.pageHeaders()),
			FunctionAssociations:  s.leadToPlaces(),
		},
		// No error pages: they would replace the API's problems as well.
		HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
	}
	if s.settings.Domain != "" {
		props.DomainNames = jsii.Strings(s.settings.Domain)
		props.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
		props.Certificate = awscertificatemanager.Certificate_FromCertificateArn(s.stack, jsii.String("certificate"),
			jsii.String(s.settings.Certificate))
	}
	if s.settings.WebACL != "" {
		props.WebAclId = jsii.String(s.settings.WebACL)
	}
	s.cdn = awscloudfront.NewDistribution(s.stack, jsii.String("cdn"), props)
	passed := s.passedOn()
	// The first path that matches counts. The description is a file beside the page: it needs no token, and nobody who
	// asks for it takes a function's time.
	s.cdn.AddBehavior(jsii.String(manifest.DescriptionPath), origin, &awscloudfront.AddBehaviorOptions{
		ViewerProtocolPolicy:  awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
		CachePolicy:           awscloudfront.CachePolicy_CACHING_OPTIMIZED(),
		ResponseHeadersPolicy: passed.ResponseHeadersPolicy,
	})
	s.cdn.AddBehavior(jsii.String("/v1/*"), s.apiOrigin(), passed)
	s.cdn.AddBehavior(jsii.String("/"+objects.RecordingPrefix+"*"), s.uploadOrigin(), passed)
	// A slow line may take as long for a block as the connector waits: 30 s is what CloudFront gives a bucket to answer
	// (S3OriginConfig; the CDK knows it in the resource only).
	s.cdn.Node().DefaultChild().(awscloudfront.CfnDistribution).AddPropertyOverride(
		jsii.String("DistributionConfig.Origins.2.S3OriginConfig.OriginReadTimeout"), 120)
	s.sendKeysThatAreTaken()
	s.justifyDistribution()
	output(s.stack, "Page", "The LDAP Import page, with the API below /v1", jsii.String(s.pageURL()))
	output(s.stack, "Distribution", "The page's distribution, for rollcall:distribution", s.cdn.DistributionId())
}

// filesOrigin is the page's bucket, which lets this distribution read.
func (s *service) filesOrigin() awscloudfront.IOrigin {
	return awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(s.files,
		&awscloudfrontorigins.S3BucketOriginWithOACProps{
			OriginAccessControl: awscloudfront.NewS3OriginAccessControl(s.stack, jsii.String("files-access"),
				&awscloudfront.S3OriginAccessControlProps{OriginAccessControlName: s.globalName("files")}),
		})
}

// globalName is a name among those of all regions of an account, as CloudFront's and the dashboards' are.
func (s *service) globalName(name string) *string {
	return jsii.String(s.settings.Name + "-" + *s.stack.Region() + "-" + name)
}

// leadToPlaces leads from an address that lacks the "#", as links that were typed or shortened do, to the place.
func (s *service) leadToPlaces() *[]*awscloudfront.FunctionAssociation {
	code := `function handler(event) {
  var uri = event.request.uri;
  if (!new RegExp('` + portal.PlacePattern + `').test(uri)) return event.request;
  return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: '/#' + uri } } };
}`
	return &[]*awscloudfront.FunctionAssociation{{
		EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
		Function: awscloudfront.NewFunction(s.stack, jsii.String("places"), &awscloudfront.FunctionProps{
			FunctionName: s.globalName("places"),
			Code:         awscloudfront.FunctionCode_FromInline(&code),
			Runtime:      awscloudfront.FunctionRuntime_JS_2_0(),
		}),
	}}
}

func (s *service) justifyDistribution() {
	justify(s.cdn, "AwsSolutions-CFR1", "Administrators travel: no country is shut out.")
	justify(s.cdn, "AwsSolutions-CFR3", "The stack edge logs its requests, with rollcall:distribution: the log that "+
		"CloudFront writes by itself holds paths and queries, with addresses of users.")
	if s.settings.WebACL == "" {
		justify(s.cdn, "AwsSolutions-CFR2",
			"rollcall:webAcl attaches a firewall; without it the API's authorizer and throttling stand alone.")
	}
	if s.settings.Domain == "" {
		justify(s.cdn, "AwsSolutions-CFR4",
			"CloudFront's own certificate comes with its own protocol policy; rollcall:domain gives TLS 1.2.")
		awscdk.Annotations_Of(s.cdn).AddInfo(jsii.String("Without rollcall:domain and rollcall:certificate the page " +
			"is served with CloudFront's own certificate, for which CloudFront takes TLS 1.0 and 1.1 as well."))
	}
}

// apiOrigin is the API. With an origin key it serves nobody who does not come this way.
func (s *service) apiOrigin() awscloudfront.IOrigin {
	host := *s.api.ApiId() + ".execute-api." + *s.stack.Region() + "." + *s.stack.UrlSuffix()
	return awscloudfrontorigins.NewHttpOrigin(jsii.String(host), &awscloudfrontorigins.HttpOriginProps{
		ProtocolPolicy:     awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
		OriginSslProtocols: &[]awscloudfront.OriginSslPolicy{awscloudfront.OriginSslPolicy_TLS_V1_2},
		// As long as the API itself may take.
		ReadTimeout: seconds(30 * time.Second),
		// CloudFront sends it in place of one that a caller sent.
		CustomHeaders: &map[string]*string{manifest.OriginHeader: s.originKeys[0]},
	})
}

// uploadOrigin is the bucket of the data, for what connectors upload by links that S3 signed: their firewalls have to
// let them through to the page's host only. CloudFront has no rights of its own in that bucket (origin access), and
// must not: S3 is to check each link.
func (s *service) uploadOrigin() awscloudfront.IOrigin {
	return awscloudfrontorigins.S3BucketOrigin_WithBucketDefaults(s.data.bucket, nil)
}

// passedOn is how requests reach those who check them.
func (s *service) passedOn() *awscloudfront.AddBehaviorOptions {
	return &awscloudfront.AddBehaviorOptions{
		ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
		AllowedMethods:       awscloudfront.AllowedMethods_ALLOW_ALL(),
		CachePolicy:          awscloudfront.CachePolicy_CACHING_DISABLED(),
		// Everything but Host, by which API Gateway finds the API, and which the signatures of uploads have S3's of.
		OriginRequestPolicy:   awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER(),
		ResponseHeadersPolicy: s.headers("api", &awscloudfront.ResponseSecurityHeadersBehavior{}),
	}
}

// headers is a policy with what both behaviours say on top of their own.
func (s *service) headers(
	name string, own *awscloudfront.ResponseSecurityHeadersBehavior,
) awscloudfront.ResponseHeadersPolicy {
	own.StrictTransportSecurity = &awscloudfront.ResponseHeadersStrictTransportSecurity{
		AccessControlMaxAge: seconds(365 * day), IncludeSubdomains: jsii.Bool(true), Override: jsii.Bool(true),
	}
	own.ContentTypeOptions = &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)}
	props := &awscloudfront.ResponseHeadersPolicyProps{
		ResponseHeadersPolicyName: s.globalName(name), SecurityHeadersBehavior: own,
	}
	if own.ContentSecurityPolicy != nil {
		custom := []*awscloudfront.ResponseCustomHeader{
			{Header: jsii.String("Cross-Origin-Opener-Policy"), Value: jsii.String("same-origin"),
				Override: jsii.Bool(true)},
		}
		props.CustomHeadersBehavior = &awscloudfront.ResponseCustomHeadersBehavior{CustomHeaders: &custom}
	}
	return awscloudfront.NewResponseHeadersPolicy(s.stack, jsii.String(name+"-headers"), props)
}

func (s *service) pageHeaders() *awscloudfront.ResponseSecurityHeadersBehavior {
	own := &awscloudfront.ResponseSecurityHeadersBehavior{
		ContentSecurityPolicy: &awscloudfront.ResponseHeadersContentSecurityPolicy{
			ContentSecurityPolicy: jsii.String(portal.ContentSecurityPolicy(s.settings.FrameAncestors,
				s.signInOrigins()...)),
			Override: jsii.Bool(true),
		},
		ReferrerPolicy: &awscloudfront.ResponseHeadersReferrerPolicy{
			ReferrerPolicy: awscloudfront.HeadersReferrerPolicy_NO_REFERRER, Override: jsii.Bool(true),
		},
	}
	if len(s.settings.FrameAncestors) == 0 {
		// It can name no origin.
		own.FrameOptions = &awscloudfront.ResponseHeadersFrameOptions{
			FrameOption: awscloudfront.HeadersFrameOption_DENY, Override: jsii.Bool(true),
		}
	}
	return own
}

// tellPage tells the function whose mails lead to the page where it is, which is known once there is a distribution.
func (s *service) tellPage() {
	s.functions[manifest.NotifyWorker().Name].lambda.AddEnvironment(jsii.String(string(manifest.PageURL)),
		jsii.String(s.pageURL()), nil)
}

// pageURL is the page's address, which sign-in comes back to.
func (s *service) pageURL() string {
	host := *s.cdn.DistributionDomainName()
	if s.settings.Domain != "" {
		host = s.settings.Domain
	}
	return "https://" + host + "/"
}
