package main

import (
	"strings"
	"testing"
)

// Names of these are the account's, in whichever region a stack is.
func TestNoNameIsGlobalWithoutTheRegionInIt(t *testing.T) {
	names := map[string]string{
		"AWS::CloudFront::ResponseHeadersPolicy": "ResponseHeadersPolicyConfig.Name",
		"AWS::CloudFront::OriginAccessControl":   "OriginAccessControlConfig.Name",
		"AWS::CloudFront::OriginRequestPolicy":   "OriginRequestPolicyConfig.Name",
		"AWS::CloudFront::CachePolicy":           "CachePolicyConfig.Name",
		"AWS::CloudFront::Function":              "Name",
		"AWS::CloudFront::KeyValueStore":         "Name",
		"AWS::CloudWatch::Dashboard":             "DashboardName",
		// CloudFormation makes these up, with something random in them.
		"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::S3::Bucket": "BucketName",
		"AWS::CloudFront::Distribution": "", "AWS::CloudFront::OriginAccessIdentity": "",
	}
	for name, a := range map[string]assembly{"rollcall": plain(t), "staging": full(t)} {
		for _, r := range a.edge.Resources {
			is := r.Properties["Name"]
			if is != nil && !strings.HasPrefix(show(is), name+"-eu-central-1") {
				t.Errorf("%s in us-east-1 has the name %v", r.Type, is)
			}
		}
		for _, stack := range []template{a.data, a.service} {
			for id, r := range stack.Resources {
				path, known := names[r.Type]
				global := strings.HasPrefix(r.Type, "AWS::CloudFront::") || strings.HasPrefix(r.Type, "AWS::IAM::")
				if !known && global && r.Type != "AWS::IAM::Policy" {
					t.Errorf("%s is a %s: say above where its name is", id, r.Type)
				}
				if path == "" || at(r.Properties, path) == nil {
					continue
				}
				if is := show(at(r.Properties, path)); !strings.HasPrefix(is, name+"-Region") {
					t.Errorf("%s %s has the name %s", r.Type, id, is)
				}
			}
		}
	}
	if n := len(plain(t).service.of("AWS::CloudFront::ResponseHeadersPolicy")); n != 2 {
		t.Errorf("the test has seen %d policies", n)
	}
}
