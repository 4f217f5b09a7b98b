package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/portal"
	"rollcall/shared/manifest"
)

func TestQueues(t *testing.T) {
	service := plain(t).service
	for _, name := range []string{"previews", "syncs", "scheduled"} {
		expect(t, service.the(t, "AWS::SQS::Queue", name), map[string]string{
			"FifoQueue": "true", "ContentBasedDeduplication": "false", "VisibilityTimeout": "900",
			"SqsManagedSseEnabled": "true",
			"DeduplicationScope":   "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
			"RedrivePolicy.maxReceiveCount": "10", "RedrivePolicy.deadLetterTargetArn": name + "dead",
		})
		expect(t, service.the(t, "AWS::SQS::Queue", name+"dead"), map[string]string{
			"FifoQueue": "true", "MessageRetentionPeriod": "1.2096e+06", "SqsManagedSseEnabled": "true",
		})
	}
	for name := range service.of("AWS::SQS::Queue") {
		deny := at(service.the(t, "AWS::SQS::QueuePolicy", name+"Policy").Properties, "PolicyDocument.Statement.0")
		if show(at(deny, "Effect")) != "Deny" || show(at(deny, "Condition.Bool.aws:SecureTransport")) != "false" {
			t.Errorf("%s can be used without TLS: %v", name, deny)
		}
	}
	sources := map[string]string{}
	for _, mapping := range service.of("AWS::Lambda::EventSourceMapping") {
		expect(t, mapping, map[string]string{"BatchSize": "1", "FunctionResponseTypes": "[ReportBatchItemFailures]",
			"ScalingConfig.MaximumConcurrency": "20"})
		sources[show(mapping.Properties["EventSourceArn"])] = show(mapping.Properties["FunctionName"])
	}
	want := map[string]string{"previews": "previewworker", "syncs": "syncworker", "scheduled": "syncworker"}
	if diff := cmp.Diff(want, sources); diff != "" {
		t.Error(diff)
	}
}

func TestTheScheduleAndTheBus(t *testing.T) {
	service := plain(t).service
	expect(t, service.the(t, "AWS::Events::Rule", "tick"), map[string]string{
		"ScheduleExpression": "rate(5 minutes)", "State": "ENABLED", "Targets.0.Arn": "syncschedule",
		"Targets.0.DeadLetterConfig.Arn":             "missedticks",
		"Targets.0.RetryPolicy.MaximumRetryAttempts": "2", "Targets.0.RetryPolicy.MaximumEventAgeInSeconds": "300",
	})
	expect(t, service.the(t, "AWS::Events::EventBus", "bus"), map[string]string{"Name": "rollcall"})
	for _, archive := range service.of("AWS::Events::Archive") {
		expect(t, archive, map[string]string{"EventPattern.source": "[rollcall]",
			"SourceArn": "bus"})
	}
}

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

func TestThePageIsToldHowToSignIn(t *testing.T) {
	for name, want := range map[string]struct {
		a      assembly
		config map[string]string
	}{
		"full": {full(t), map[string]string{"issuer": "https://login.example.com/tenant", "clientId": "page",
			"scope": "openid import.read import.admin"}},
	} {
		got := map[string]string{}
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
	for id, upload := range plain(t).service.of("Custom::CDKBucketDeployment") {
		for _, source := range list(upload.Properties["SourceMarkers"]) {
			for _, value := range source.(map[string]any) {
				markers = append(markers, show(value))
			}
		}
		want := map[string]string{"Prune": "true", "RetainOnDelete": "false",
			"SystemMetadata.cache-control": portal.ForNow}
		if strings.HasPrefix(id, "pagebuilt") {
			want["Prune"], want["SystemMetadata.cache-control"] = "false", portal.ForGood
		}
		expect(t, upload, want)
	}
	slices.Sort(markers)
	if len(markers) != 2 || !slices.ContainsFunc(markers,
		func(m string) bool { return strings.Contains(m, "people") }) {
		t.Errorf("the configuration is filled with %v", markers)
	}
}

func TestWorkersLeaveFromFixedAddresses(t *testing.T) {
	a := full(t)
	if n := len(a.data.of("AWS::EC2::EIP")); n != 3 {
		t.Errorf("there are %d addresses", n)
	}
	gateways := map[string]bool{}
	for _, gateway := range a.service.of("AWS::EC2::NatGateway") {
		gateways[show(gateway.Properties["AllocationId"])] = true
	}
	if diff := cmp.Diff([]string{"egress1", "egress2", "egress3"},
		slices.Sorted(maps.Keys(gateways))); diff != "" {
		t.Error(diff)
	}
	for _, output := range []string{"Egress1", "Egress2", "Egress3"} {
		if a.data.Outputs[output] == nil {
			t.Errorf("the operator is not told %s", output)
		}
	}
	group := a.service.the(t, "AWS::EC2::SecurityGroup", "workers")
	var ports []string
	for _, rule := range list(group.Properties["SecurityGroupEgress"]) {
		ports = append(ports, fmt.Sprint(at(rule, "IpProtocol"), at(rule, "FromPort"), "-", at(rule, "ToPort")))
	}
	if diff := cmp.Diff([]string{"tcp443-443", "tcp389-389", "tcp636-636"}, ports); diff != "" {
		t.Error(diff)
	}
	expect(t, group, map[string]string{"SecurityGroupIngress": "<nil>"})
	services := []string{}
	for _, endpoint := range a.service.of("AWS::EC2::VPCEndpoint") {
		services = append(services, show(endpoint.Properties["ServiceName"]))
	}
	slices.Sort(services)
	if diff := cmp.Diff([]string{"com.amazonaws.Region.dynamodb", "com.amazonaws.Region.s3"}, services); diff != "" {
		t.Error(diff)
	}
	for _, f := range manifest.Functions() {
		inside := a.deployed(t, f.Name).Properties["VpcConfig"] != nil
		if inside != (f.Handler == manifest.HandlerWorker) {
			t.Errorf("%s is in the network: %v", f.Name, inside)
		}
	}
	lines := permissions(a, "syncworkerrole")
	want := "not ec2:CreateNetworkInterface * if ArnEquals lambda:SourceFunctionArn " +
		"arn:Partition:lambda:Region:AccountId:function:staging-sync-worker"
	if !slices.Contains(lines, want) {
		t.Errorf("the function's own code may make network interfaces: %v", lines)
	}
	if n := len(plain(t).service.of("AWS::EC2::VPC")); n != 0 {
		t.Errorf("%d networks that nobody asked for", n)
	}
}

func TestARestoredTableTakesThePlace(t *testing.T) {
	a := full(t)
	for name, restored := range map[string]string{"users": "users-restored", "jobs": "jobs-restored"} {
		expect(t, a.data.the(t, "AWS::SSM::Parameter", "handed"+name), map[string]string{"Value": restored})
		a.data.the(t, "AWS::DynamoDB::Table", name)
	}
}

func TestWhatIsNotBuiltIsNamed(t *testing.T) {
	err := synthesize(appConfig{Folder: t.TempDir(), Built: t.TempDir(), Page: t.TempDir(), Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "run: make build") || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("the error is %v", err)
	}
}
