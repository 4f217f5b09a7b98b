package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
)

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
	want := []string{"api-5xx", "api-slow", "concurrency", "connectors-offline", "deliveries-dead", "deliveries-unread",
		"deliveries-waiting", "jobs-throttled", "missed-ticks", "no-tick",
		"previews-dead", "previews-unread", "previews-waiting", "scheduled-dead", "scheduled-unread",
		"scheduled-waiting", "syncs-blocked", "syncs-dead", "syncs-failed", "syncs-failing", "syncs-unread",
		"syncs-waiting", "token-errors", "users-throttled"}
	for _, f := range manifest.Functions() {
		want = append(want, f.Name+"-errors", f.Name+"-late", f.Name+"-refused", f.Name+"-throttles")
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

// formulaOf is the expression that an alarm reckons with, and its metrics by the name that they have in it: namespace,
// name, statistic, period and dimensions.
func formulaOf(a resource) (expression string, metrics map[string]string) {
	metrics = map[string]string{}
	for _, m := range list(a.Properties["Metrics"]) {
		if text := at(m, "Expression"); text != nil {
			expression = show(text)
			continue
		}
		parts := shown([]any{at(m, "MetricStat.Metric.Namespace"), at(m, "MetricStat.Metric.MetricName"),
			at(m, "MetricStat.Stat"), at(m, "MetricStat.Period")})
		for _, d := range list(at(m, "MetricStat.Metric.Dimensions")) {
			parts = append(parts, show(at(d, "Name"))+"="+show(at(d, "Value")))
		}
		metrics[show(at(m, "Id"))] = strings.Join(parts, " ")
	}
	return expression, metrics
}

func TestWhatAlarmsReckonWith(t *testing.T) {
	alarms := plain(t).service.of("AWS::CloudWatch::Alarm")
	const ended = "Rollcall RunsEnded Sum 3600 Function=rollcall-sync-worker Kind=sync"
	for name, want := range map[string]struct {
		expression string
		metrics    map[string]string
		alarm      map[string]string
	}{
		"syncsfailing": {"IF(ended >= 10, 100 * failed / ended, 0)",
			map[string]string{"ended": ended, "failed": ended + " State=failed"}, map[string]string{"Threshold": "20"}},
		"concurrency": {"100 * taken / SERVICE_QUOTA(used)", map[string]string{
			"taken": "AWS/Lambda ClaimedAccountConcurrency Maximum 300",
			"used":  "AWS/Lambda ConcurrentExecutions Maximum 300"},
			map[string]string{"Threshold": "80", "EvaluationPeriods": "3"}},
		"syncsunread": {"SUM([got, empty])", map[string]string{
			"got":   "AWS/SQS NumberOfMessagesReceived Sum 900 QueueName=syncs",
			"empty": "AWS/SQS NumberOfEmptyReceives Sum 900 QueueName=syncs"}, map[string]string{
			"ComparisonOperator": "LessThanThreshold", "Threshold": "1", "TreatMissingData": "breaching",
			"EvaluationPeriods": "2"}},
		"usersthrottled": {"SUM([read0, write0])", map[string]string{
			"read0":  "AWS/DynamoDB ReadThrottleEvents Sum 300 TableName=users",
			"write0": "AWS/DynamoDB WriteThrottleEvents Sum 300 TableName=users"},
			map[string]string{"Threshold": "0", "EvaluationPeriods": "3", "TreatMissingData": "notBreaching"}},
		"jobsthrottled": {"SUM([read0, write0, read1, write1])", map[string]string{
			"read0":  "AWS/DynamoDB ReadThrottleEvents Sum 300 TableName=jobs",
			"write0": "AWS/DynamoDB WriteThrottleEvents Sum 300 TableName=jobs",
			"read1":  "AWS/DynamoDB ReadThrottleEvents Sum 300 GlobalSecondaryIndexName=due TableName=jobs",
			"write1": "AWS/DynamoDB WriteThrottleEvents Sum 300 GlobalSecondaryIndexName=due TableName=jobs"}, nil},
	} {
		a := alarms[name+"alarm"]
		expression, metrics := formulaOf(a)
		if expression != want.expression {
			t.Errorf("%s reckons %s, want %s", name, expression, want.expression)
		}
		if diff := cmp.Diff(want.metrics, metrics); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		expect(t, a, want.alarm)
	}
	if a := full(t).service.of("AWS::CloudWatch::Alarm")["syncsfailingalarm"]; show(a.Properties["Threshold"]) != "50" {
		t.Errorf("rollcall:alarmFailedShare=50 gives %v", a.Properties["Threshold"])
	}
}

// TestMissedTicksEnd holds that the alarm looks at what happened in its period, and not at dead letters that wait.
func TestMissedTicksEnd(t *testing.T) {
	a := plain(t).service.of("AWS::CloudWatch::Alarm")["missedticksalarm"]
	expect(t, a, map[string]string{"Namespace": "AWS/Events", "MetricName": "InvocationsSentToDlq", "Statistic": "Sum",
		"Period": "300", "Dimensions.0.Name": "RuleName", "Dimensions.0.Value": "tick",
		"TreatMissingData": "notBreaching"})
}

func TestRefusedCallsAreCountedByFunction(t *testing.T) {
	for _, f := range manifest.Functions() {
		a := full(t).service.of("AWS::CloudWatch::Alarm")[strings.ReplaceAll(f.Name, "-", "")+"refusedalarm"]
		expect(t, a, map[string]string{"Threshold": "0", "EvaluationPeriods": "1"})
		_, metrics := formulaOf(a)
		want := strings.Join([]string{manifest.MetricNamespace, manifest.CallsRefused, "Sum 300",
			manifest.DimensionFunction + "=staging-" + f.Name}, " ")
		if len(metrics) != 1 || !slices.Contains(slices.Collect(maps.Values(metrics)), want) {
			t.Errorf("%s: the alarm looks at %v, want %s", f.Name, metrics, want)
		}
	}
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

// runbook is a line of the table of alarms: its names, what they mean, and what to do.
var runbook = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([^|]+) \\| ([^|]+) \\|$")

func operations(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryAlarmHasARunbookAndEveryRunbookAnAlarm(t *testing.T) {
	_, section, found := strings.Cut(operations(t), "\n| alarm | means | look at |\n")
	section, _, ends := strings.Cut(section, "\n\n")
	if !found || !ends {
		t.Fatal("docs/operations.md has no table of alarms")
	}
	described := map[string]bool{}
	for _, row := range runbook.FindAllStringSubmatch(section+"\n", -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			described[strings.Trim(name, "`")] = true
		}
	}
	raised := map[string]bool{}
	for _, a := range plain(t).service.of("AWS::CloudWatch::Alarm") {
		name := strings.TrimPrefix(show(a.Properties["AlarmName"]), "rollcall-")
		raised[name] = true
		for _, f := range manifest.Functions() {
			if general := strings.Replace(name, f.Name, "FUNCTION", 1); general != name {
				raised[general] = true
				name = general
			}
		}
		if !described[name] {
			t.Errorf("docs/operations.md does not say what to do about %s", name)
		}
	}
	for name := range described {
		if !raised[name] {
			t.Errorf("docs/operations.md says what to do about %s, which nothing raises", name)
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
}

func TestEveryQueryIsInARunbook(t *testing.T) {
	saved := plain(t).service.of("AWS::Logs::QueryDefinition")
	if len(saved) < 8 {
		t.Errorf("%d queries are saved", len(saved))
	}
	for _, query := range saved {
		name := show(query.Properties["Name"])
		if !strings.Contains(operations(t), "`"+name+"`") {
			t.Errorf("docs/operations.md does not name %s", name)
		}
		if groups := list(query.Properties["LogGroupNames"]); len(groups) == 0 || len(groups) > 50 {
			t.Errorf("%s reads %d log groups, CloudWatch takes 1 to 50", name, len(groups))
		}
	}
}

// TestQueriesOfTheAPIAskForWhatItsLogHas compares their fields with the log's format.
func TestQueriesOfTheAPIAskForWhatItsLogHas(t *testing.T) {
	service := plain(t).service
	var logged map[string]string
	format := show(at(service.the(t, "AWS::ApiGatewayV2::Stage", "stage").Properties, "AccessLogSettings.Format"))
	if err := json.Unmarshal([]byte(format), &logged); err != nil {
		t.Fatal(err)
	}
	known := []string{"filter", "fields", "stats", "sort", "limit", "by", "as", "desc", "asc", "count", "pct", "max",
		"timestamp", "requests", "p90", "longest"}
	asked := 0
	for name, query := range service.of("AWS::Logs::QueryDefinition") {
		if !strings.HasPrefix(name, "api") {
			continue
		}
		text := show(query.Properties["QueryString"])
		for _, word := range regexp.MustCompile(`[A-Za-z]\w*`).FindAllString(text, -1) {
			if slices.Contains(known, word) {
				continue
			}
			asked++
			if logged[word] == "" {
				t.Errorf("%s asks for %s, which the API does not log: %s", name, word, format)
			}
		}
	}
	if asked == 0 {
		t.Error("no query asks for anything")
	}
}
