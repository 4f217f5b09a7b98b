package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		expect(t, archive, map[string]string{"RetentionDays": "30", "EventPattern.source": "[rollcall]",
			"SourceArn": "bus"})
	}
}

func TestAlarms(t *testing.T) {
	alarms := plain(t).service.of("AWS::CloudWatch::Alarm")
	var names []string
	for _, a := range alarms {
		names = append(names, strings.TrimPrefix(show(a.Properties["AlarmName"]), "rollcall-"))
		expect(t, a, map[string]string{"AlarmActions": "[map[Ref:" + topic(t) + "]]"})
		if show(a.Properties["AlarmDescription"]) == "<nil>" {
			t.Errorf("%v says nothing", a.Properties["AlarmName"])
		}
	}
	want := []string{"api-5xx", "api-slow", "missed-ticks", "no-tick", "previews-dead", "previews-waiting",
		"scheduled-dead", "scheduled-waiting", "syncs-blocked", "syncs-dead", "syncs-failed",
		"syncs-waiting", "token-errors"}
	for _, f := range manifest.Functions() {
		want = append(want, f.Name+"-errors", f.Name+"-late", f.Name+"-throttles")
	}
	slices.Sort(want)
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	const metric = "Metrics.0.MetricStat.Metric."
	expect(t, alarms["syncsfailedalarm"], map[string]string{
		metric + "Namespace": "Rollcall", metric + "MetricName": "RunsEnded", "Metrics.0.MetricStat.Stat": "Sum",
		"Metrics.0.MetricStat.Period": "3600",
		"Threshold":                   "0", "ComparisonOperator": "GreaterThanThreshold",
	})
	dimensions := map[string]string{}
	for _, d := range list(at(alarms["syncsblockedalarm"].Properties, metric+"Dimensions")) {
		dimensions[show(at(d, "Name"))] = show(at(d, "Value"))
	}
	if diff := cmp.Diff(map[string]string{"Function": "rollcall-sync-worker", "Kind": "sync", "State": "blocked"},
		dimensions); diff != "" {
		t.Error(diff)
	}
	expect(t, alarms["syncworkerlatealarm"], map[string]string{"MetricName": "Duration", "Statistic": "Maximum",
		"Threshold": "870000"})
	expect(t, alarms["notickalarm"], map[string]string{"TreatMissingData": "breaching",
		"ComparisonOperator": "LessThanThreshold", "Period": "900"})
	expect(t, full(t).service.of("AWS::CloudWatch::Alarm")["syncsfailedalarm"], map[string]string{"Threshold": "9"})
}

func topic(t *testing.T) string {
	t.Helper()
	for id, r := range plain(t).service.Resources {
		if r.Type == "AWS::SNS::Topic" {
			return id
		}
	}
	t.Fatal("there is no topic")
	return ""
}

func TestAlarmsReachTheTopic(t *testing.T) {
	service := full(t).service
	expect(t, service.the(t, "AWS::SNS::Topic", "alarms"),
		map[string]string{"KmsMasterKeyId": "datakey", "TopicName": "staging-alarms"})
	allowed := false
	for _, policy := range service.of("AWS::SNS::TopicPolicy") {
		for _, statement := range list(at(policy.Properties, "PolicyDocument.Statement")) {
			allowed = allowed || show(at(statement, "Effect")) == "Allow" &&
				show(at(statement, "Principal.Service")) == "cloudwatch.amazonaws.com"
		}
	}
	if !allowed {
		t.Error("CloudWatch may not publish to the topic of its alarms")
	}
	for _, subscription := range service.of("AWS::SNS::Subscription") {
		expect(t, subscription, map[string]string{"Protocol": "email", "Endpoint": "ops@example.com"})
	}
	if len(service.of("AWS::SNS::Subscription")) != 1 {
		t.Error("nobody hears of an alarm")
	}
}

func TestEveryAlarmIsInTheRunbook(t *testing.T) {
	runbook, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range plain(t).service.of("AWS::CloudWatch::Alarm") {
		name := strings.TrimPrefix(show(a.Properties["AlarmName"]), "rollcall-")
		for _, f := range manifest.Functions() {
			name = strings.Replace(name, f.Name, "FUNCTION", 1)
		}
		if !strings.Contains(string(runbook), "`"+name+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", name)
		}
	}
}

func TestTheDashboardShowsWhatTheFunctionsCount(t *testing.T) {
	body := show(plain(t).service.the(t, "AWS::CloudWatch::Dashboard", "dashboard").Properties["DashboardBody"])
	for _, metric := range []string{manifest.RunsEnded, manifest.RunDuration, manifest.EntriesRead,
		manifest.RowsApplied, "ApproximateAgeOfOldestMessage", "ConsumedWriteCapacityUnits", "5xx"} {
		if !strings.Contains(body, `"`+metric+`"`) {
			t.Errorf("the dashboard does not show %s", metric)
		}
	}
	for _, f := range manifest.Functions() {
		if !strings.Contains(body, `"`+f.Name+`"`) {
			t.Errorf("the dashboard does not show %s", f.Name)
		}
	}
}

// TestAnAlarmLeadsToItsAccounts finds the query that names the accounts saved and on the dashboard.
func TestAnAlarmLeadsToItsAccounts(t *testing.T) {
	service := plain(t).service
	query := service.the(t, "AWS::Logs::QueryDefinition", "failingaccounts").Properties
	text := show(query["QueryString"])
	// What the functions log: importer, and lambda's metrics.
	for _, part := range []string{"by account", `level = "ERROR"`, `msg = "run failed"`, `State = "blocked"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the query lacks %s: %s", part, text)
		}
	}
	groups := list(query["LogGroupNames"])
	if len(groups) != 3 {
		t.Errorf("the query reads %s, want the logs of the schedule and of two workers", show(groups))
	}
	board := show(service.the(t, "AWS::CloudWatch::Dashboard", "dashboard").Properties["DashboardBody"])
	if !strings.Contains(board, "by account") {
		t.Error("the dashboard does not show which accounts fail")
	}
	runbook, err := os.ReadFile("../docs/operations.md")
	if err != nil || !strings.Contains(string(runbook), "`rollcall/failing-accounts`") {
		t.Errorf("docs/operations.md does not name the query, error %v", err)
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
	_, err := newApp(appConfig{Built: t.TempDir(), Page: t.TempDir(), Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "run: make build") || !strings.Contains(err.Error(), "index.html") {
		t.Errorf("the error is %v", err)
	}
}
