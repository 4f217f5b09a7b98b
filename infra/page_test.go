package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/portal"
)

func TestPageAndAPIAreOneOrigin(t *testing.T) {
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		cdn := a.service.the(t, "AWS::CloudFront::Distribution", "cdn")
		expect(t, cdn, map[string]string{
			"DistributionConfig.DefaultRootObject":                         "index.html",
			"DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy": "redirect-to-https",
			// The first that matches counts: the description comes from the bucket.
			"DistributionConfig.CacheBehaviors.0.PathPattern":                      "/v1/openapi.json",
			"DistributionConfig.CacheBehaviors.1.PathPattern":                      "/v1/*",
			"DistributionConfig.CacheBehaviors.1.ViewerProtocolPolicy":             "https-only",
			"DistributionConfig.Origins.1.DomainName":                              "api.execute-api.Region.URLSuffix",
			"DistributionConfig.Origins.1.CustomOriginConfig.OriginProtocolPolicy": "https-only",
			"DistributionConfig.Origins.1.CustomOriginConfig.OriginReadTimeout":    "30",
			"DistributionConfig.CustomErrorResponses":                              "<nil>",
			// caching disabled
			"DistributionConfig.CacheBehaviors.1.CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
			// all but Host
			"DistributionConfig.CacheBehaviors.1.OriginRequestPolicyId":       "b689b0a8-53d0-40ab-baf2-68738e2966ac",
			"DistributionConfig.CacheBehaviors.1.ResponseHeadersPolicyId":     "apiheaders",
			"DistributionConfig.DefaultCacheBehavior.ResponseHeadersPolicyId": "pageheaders",
		})
		policy := show(at(a.service.the(t, "AWS::CloudFront::ResponseHeadersPolicy", "pageheaders").Properties,
			"ResponseHeadersPolicyConfig.SecurityHeadersConfig.ContentSecurityPolicy.ContentSecurityPolicy"))
		connect := map[string]string{
			"plain": "connect-src 'self' https://cognito-idp.Region.URLSuffix " +
				"https://rollcall-AccountId.auth.Region.amazoncognito.com;",
			"full": "connect-src 'self' https://login.example.com https://tokens.example.com;",
		}[name]
		if !strings.Contains(policy, "default-src 'none';") || !strings.Contains(policy, connect) {
			t.Errorf("%s: the page's policy is %s", name, policy)
		}
		for _, headers := range []string{"pageheaders", "apiheaders"} {
			const security = "ResponseHeadersPolicyConfig.SecurityHeadersConfig."
			expect(t, a.service.the(t, "AWS::CloudFront::ResponseHeadersPolicy", headers), map[string]string{
				security + "StrictTransportSecurity.AccessControlMaxAgeSec": "3.1536e+07",
				security + "ContentTypeOptions.Override":                    "true",
			})
		}
	}
	const config = "DistributionConfig."
	expect(t, full(t).service.the(t, "AWS::CloudFront::Distribution", "cdn"), map[string]string{
		config + "Aliases": "[import.example.com]",
		config + "ViewerCertificate.MinimumProtocolVersion": "TLSv1.2_2021",
		config + "WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/page/abc",
	})
}

// TestUploadsArePassedOnToTheBucket is about connectors, whose firewalls know the page's host only. That the rest of a
// link survives is s3.TestUploadLinksOnThePortalsHost.
func TestUploadsArePassedOnToTheBucket(t *testing.T) {
	for _, a := range []assembly{plain(t), full(t)} {
		cdn := a.service.the(t, "AWS::CloudFront::Distribution", "cdn")
		const config, behavior = "DistributionConfig.", "DistributionConfig.CacheBehaviors.2."
		origin := show(at(cdn.Properties, config+"Origins.2.Id"))
		expect(t, cdn, map[string]string{
			behavior + "PathPattern":          "/recordings/*",
			behavior + "TargetOriginId":       origin,
			behavior + "ViewerProtocolPolicy": "https-only",
			behavior + "AllowedMethods":       "[GET HEAD OPTIONS PUT PATCH POST DELETE]",
			behavior + "FunctionAssociations": "<nil>",
			// nothing is kept
			behavior + "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
			// all queries, and all headers but Host
			behavior + "OriginRequestPolicyId":   "b689b0a8-53d0-40ab-baf2-68738e2966ac",
			behavior + "ResponseHeadersPolicyId": "apiheaders",
			// The host that the links are signed for (s3.TestWhereUploadsGo).
			config + "Origins.2.DomainName": "objects.s3.Region.URLSuffix",
			// S3 checks who sends, and CloudFront itself may do nothing: it signs nothing, and sends no key.
			config + "Origins.2.S3OriginConfig.OriginAccessIdentity": "",
			config + "Origins.2.S3OriginConfig.OriginReadTimeout":    "120",
			config + "Origins.2.OriginAccessControlId":               "<nil>",
			config + "Origins.2.OriginCustomHeaders":                 "<nil>",
			config + "Origins.2.OriginPath":                          "<nil>",
			config + "Origins.3":                                     "<nil>",
		})
		// What the bucket's policy refuses is nothing that CloudFront sends: TLS is 1.2 at least.
		for _, statement := range list(at(a.data.the(t, "AWS::S3::BucketPolicy", "objectsPolicy").Properties,
			"PolicyDocument.Statement")) {
			condition := show(at(statement.(map[string]any), "Condition"))
			if !strings.Contains(condition, "TlsVersion") && !strings.Contains(condition, "SecureTransport") {
				t.Errorf("the bucket has a condition %s", condition)
			}
		}
	}
}

// Nobody shows the page in a frame, and no other page calls the API, unless it is listed.
func TestPortalsAreListed(t *testing.T) {
	const (
		security  = "ResponseHeadersPolicyConfig.SecurityHeadersConfig."
		ancestors = "https://portal.example.com https://admin.example.com:8443"
	)
	for a, want := range map[string]struct{ policy, frames, cors string }{
		"plain": {"frame-ancestors 'none';", "DENY", "<nil>"},
		"full":  {"frame-ancestors " + ancestors + ";", "<nil>", "[https://portal.example.com]"},
	} {
		made := map[string]assembly{"plain": plain(t), "full": full(t)}[a].service
		headers := made.the(t, "AWS::CloudFront::ResponseHeadersPolicy", "pageheaders")
		policy := show(at(headers.Properties, security+"ContentSecurityPolicy.ContentSecurityPolicy"))
		if !strings.Contains(policy, want.policy) {
			t.Errorf("%s: the page's policy is %s, want %s", a, policy, want.policy)
		}
		expect(t, headers, map[string]string{security + "FrameOptions.FrameOption": want.frames})
		expect(t, made.the(t, "AWS::ApiGatewayV2::Api", "api"), map[string]string{
			"CorsConfiguration.AllowOrigins": want.cors,
		})
	}
	expect(t, full(t).service.the(t, "AWS::ApiGatewayV2::Api", "api"), map[string]string{
		"CorsConfiguration.AllowCredentials": "false",
		"CorsConfiguration.AllowHeaders":     "[Authorization Content-Type Idempotency-Key If-Match If-None-Match]",
		"CorsConfiguration.AllowMethods":     "[GET POST PUT PATCH DELETE]",
	})
}

func TestThePageIsToldHowToSignIn(t *testing.T) {
	for name, want := range map[string]struct {
		a      assembly
		config portal.Config
	}{
		"full": {full(t), portal.Config{Issuer: "https://login.example.com/tenant", ClientID: "page",
			Scope:   "openid import.read import.admin",
			Portals: []string{"https://portal.example.com", "https://admin.example.com:8443"}}},
	} {
		var got portal.Config
		found, err := filepath.Glob(filepath.Join(want.a.out, "asset.*", "config.json"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: the configurations are %v (%v)", name, found, err)
		}
		content, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.config, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var markers []string
	for _, upload := range plain(t).service.of("Custom::CDKBucketDeployment") {
		for _, source := range list(upload.Properties["SourceMarkers"]) {
			for _, value := range source.(map[string]any) {
				markers = append(markers, show(value))
			}
		}
	}
	// index.html comes after the files that it names, and those of earlier pages stay.
	built, rest := "pagebuiltCustomResource", "pageuploadCustomResource"
	expect(t, plain(t).service.the(t, "Custom::CDKBucketDeployment", built), map[string]string{"Prune": "false",
		"RetainOnDelete": "false", "SystemMetadata.cache-control": portal.ForGood, "Exclude": "[*]",
		"Include": "[" + portal.BuiltFolder + "*]"})
	expect(t, plain(t).service.the(t, "Custom::CDKBucketDeployment", rest), map[string]string{"Prune": "true",
		"RetainOnDelete": "false", "SystemMetadata.cache-control": portal.ForNow,
		"Exclude": "[" + portal.BuiltFolder + "*]"})
	slices.Sort(markers)
	if len(markers) != 2 || !slices.ContainsFunc(markers,
		func(m string) bool { return strings.Contains(m, "people") }) {
		t.Errorf("the configuration is filled with %v", markers)
	}
}
