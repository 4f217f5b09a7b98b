package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// TestTheDescriptionIsAFile holds that nobody who asks what the API can do takes a function's time.
func TestTheDescriptionIsAFile(t *testing.T) {
	cdn := plain(t).service.the(t, "AWS::CloudFront::Distribution", "cdn")
	const config = "DistributionConfig."
	page := show(at(cdn.Properties, config+"DefaultCacheBehavior.TargetOriginId"))
	expect(t, cdn, map[string]string{
		config + "CacheBehaviors.0.PathPattern":    manifest.DescriptionPath,
		config + "CacheBehaviors.0.TargetOriginId": page,
		// GET and HEAD, where nothing else is said.
		config + "CacheBehaviors.0.AllowedMethods":        "<nil>",
		config + "CacheBehaviors.0.OriginRequestPolicyId": "<nil>",
	})
	for key := range deployedRoutes(t, plain(t)) {
		if strings.HasSuffix(key, manifest.DescriptionPath) {
			t.Errorf("%s leads to a function", key)
		}
	}
}

// TestTheAPIKnowsCloudFront looks for the same secrets in what CloudFront sends and what the functions take.
func TestTheAPIKnowsCloudFront(t *testing.T) {
	for name, test := range map[string]struct {
		a    assembly
		keys []string
	}{
		"the first key": {plain(t), []string{"originkey1"}},
		// Functions take the new key and the one before, which CloudFront sends until it has the new one everywhere.
		"the third": {full(t), []string{"originkey3", "originkey2"}},
	} {
		service := test.a.service
		secrets := service.of("AWS::SecretsManager::Secret")
		var references []string
		for _, key := range test.keys {
			if secrets[key].Type == "" {
				t.Fatalf("%s: there is no %s, but %v", name, key, secrets)
			}
			references = append(references, "{{resolve:secretsmanager:"+key+":SecretString:::}}")
		}
		if len(secrets) != len(test.keys) {
			t.Errorf("%s: there are %d secrets", name, len(secrets))
		}
		cdn := service.the(t, "AWS::CloudFront::Distribution", "cdn")
		expect(t, cdn, map[string]string{
			"DistributionConfig.Origins.1.OriginCustomHeaders.0.HeaderName":  manifest.OriginHeader,
			"DistributionConfig.Origins.1.OriginCustomHeaders.0.HeaderValue": references[0],
			"DistributionConfig.Origins.0.OriginCustomHeaders":               "<nil>",
		})
		for _, f := range manifest.Functions() {
			want := "<nil>"
			if f.Handler == manifest.HandlerAPI {
				want = strings.Join(references, ",")
			}
			made := test.a.deployed(t, f.Name)
			expect(t, made, map[string]string{"Environment.Variables." + string(manifest.OriginKeys): want})
			waits := slices.ContainsFunc(cdn.DependsOn, func(id string) bool {
				return generated.ReplaceAllString(id, "") == strings.ReplaceAll(f.Name, "-", "")
			})
			if waits != (f.Handler == manifest.HandlerAPI) {
				t.Errorf("%s: CloudFront waits for %s: %t", name, f.Name, waits)
			}
		}
		if service.Outputs["API"] != nil {
			t.Errorf("%s: the operator is told an address that serves nobody", name)
		}
	}
}

// TestCloudFrontIsKnownBeforeItIsAskedFor is about the deployment before the first that asks for a key.
func TestCloudFrontIsKnownBeforeItIsAskedFor(t *testing.T) {
	s := &service{stack: awscdk.NewStack(awscdk.NewApp(nil), jsii.String("service"), nil)}
	s.addOriginKeys()
	if len(s.originKeys) != 1 || *s.originKeyList() != "" {
		t.Errorf("CloudFront sends one of %d keys, and functions ask for %q", len(s.originKeys), *s.originKeyList())
	}
}

func TestTheFirewallLimitsRates(t *testing.T) {
	acl := full(t).edge.the(t, "AWS::WAFv2::WebACL", "firewall")
	expect(t, acl, map[string]string{
		"Scope": "CLOUDFRONT", "DefaultAction.Allow": "map[]",
		"Rules.0.Statement.RateBasedStatement.Limit":               "2000",
		"Rules.0.Statement.RateBasedStatement.AggregateKeyType":    "IP",
		"Rules.0.Statement.RateBasedStatement.EvaluationWindowSec": "300",
		"Rules.0.Action.Block.CustomResponse.ResponseCode":         "429",
		"VisibilityConfig.SampledRequestsEnabled":                  "false",
		"Rules.0.VisibilityConfig.SampledRequestsEnabled":          "false",
	})
	if full(t).edge.Outputs["WebACL"] == nil {
		t.Error("the operator is not told its ARN")
	}
	if n := len(plain(t).edge.Resources); n != 0 {
		t.Errorf("%d resources in us-east-1 that nobody asked for", n)
	}
}

// TestCloudFrontLogsNoAddresses holds what its log must not have: addresses are in paths, queries and referrers.
func TestCloudFrontLogsNoAddresses(t *testing.T) {
	edge := full(t).edge
	expect(t, edge.the(t, "AWS::Logs::DeliverySource", "viewerlogsource"), map[string]string{
		"LogType": "ACCESS_LOGS", "Name": "staging-eu-central-1-cloudfront",
		"ResourceArn": "arn:Partition:cloudfront::AccountId:distribution/E2QWERTYUIOP12",
	})
	expect(t, edge.the(t, "AWS::Logs::DeliveryDestination", "viewerlogdestination"), map[string]string{
		"OutputFormat": "json", "DestinationResourceArn": "viewerlogs",
	})
	expect(t, edge.the(t, "AWS::Logs::LogGroup", "viewerlogs"), map[string]string{
		"LogGroupName": "/aws/vendedlogs/rollcall/staging-eu-central-1/cloudfront", "RetentionInDays": "30",
	})
	delivery := edge.the(t, "AWS::Logs::Delivery", "viewerlog")
	fields := shown(delivery.Properties["RecordFields"])
	for _, field := range fields {
		if strings.Contains(field, "uri") || strings.Contains(strings.ToLower(field), "referer") ||
			strings.Contains(strings.ToLower(field), "cookie") {
			t.Errorf("CloudFront logs %s", field)
		}
	}
	if !slices.Contains(fields, "c-ip") || !slices.Contains(fields, "sc-status") {
		t.Errorf("CloudFront logs %v only", fields)
	}
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		expect(t, a.service.the(t, "AWS::CloudFront::Distribution", "cdn"),
			map[string]string{"DistributionConfig.Logging": "<nil>"})
		if n := len(a.service.of("AWS::Logs::Delivery")); n != 0 {
			t.Errorf("%s: %d deliveries in a region where CloudFront has none", name, n)
		}
	}
}

// TestTheTLSFloorIsSaid reads what the CDK's command line prints at a synthesis.
func TestTheTLSFloorIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		a    assembly
		said bool
	}{"CloudFront's own certificate": {plain(t), true}, "one for a domain": {full(t), false}} {
		var metadata map[string][]struct{ Type, Data any }
		if err := readJSON(test.a.out+"/service.metadata.json", &metadata); err != nil {
			t.Fatal(err)
		}
		said := false
		for _, entry := range metadata["/service/cdn"] {
			said = said || entry.Type == "aws:cdk:info" && strings.Contains(show(entry.Data), "TLS 1.0")
		}
		if said != test.said {
			t.Errorf("%s: it is said that old TLS is taken: %t", name, said)
		}
	}
}
