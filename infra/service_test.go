package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
)

func TestQueues(t *testing.T) {
	service := plain(t).service
	for _, name := range []string{"previews", "syncs", "scheduled", "deliveries"} {
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
	want := map[string]string{"previews": "previewworker", "syncs": "syncworker", "scheduled": "syncworker",
		"deliveries": "notifyworker"}
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
