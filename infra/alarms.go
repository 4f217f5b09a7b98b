package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
	"rollcall/shared/run"
)

// minutes5 is the period of most alarms.
const minutes5 = 5 * time.Minute

// alarm is a condition that somebody has to look at: docs/operations.md says of each what to do.
type alarm struct {
	name, says string
	metric     awscloudwatch.IMetric
	// above is the value that the metric must not exceed, in times periods in a row (1 where it is 0).
	above float64
	times float64
	// atLeast, where it is not 0, is in place of above what the metric must reach: no value at all is a fault too.
	atLeast float64
}

// addAlarms makes the topic that alarms go to, and the alarms.
func (s *service) addAlarms() {
	s.topic = awssns.NewTopic(s.stack, jsii.String("alarms"), &awssns.TopicProps{
		TopicName: jsii.String(s.settings.Name + "-alarms"), MasterKey: s.data.dataKey, EnforceSSL: jsii.Bool(true),
	})
	// A custom policy replaces the one by which the account's alarms reach a topic.
	s.topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sns:Publish"), Resources: &[]*string{s.topic.TopicArn()},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": s.stack.Account()}},
	}))
	if s.settings.AlarmEmail != "" {
		s.topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(s.settings.AlarmEmail), nil))
	}
	for _, f := range manifest.Functions() {
		s.addFunctionAlarms(s.functions[f.Name])
	}
	if s.data.token != nil {
		s.addAlarm(alarm{name: "token-errors", says: "Nobody can sign in: the user pool's trigger failed",
			metric: errorsOf(s.data.token)})
	}
	s.addQueueAlarms("previews", s.previews)
	s.addQueueAlarms("syncs", s.syncs)
	s.addQueueAlarms("scheduled", s.scheduled)
	s.addQueueAlarms("deliveries", s.deliveries)
	s.addScheduleAlarms()
	s.addSyncAlarms()
	s.addAPIAlarms()
	s.addTableAlarm("users", s.data.users)
	s.addTableAlarm("jobs", s.data.jobs, manifest.DueIndex)
	s.addAlarm(alarm{name: "concurrency", says: "More than 80 % of the region's concurrency is taken",
		metric: concurrencyTaken(), above: 80, times: 3})
	output(s.stack, "Alarms", "The topic that alarms go to", s.topic.TopicArn())
}

func (s *service) addFunctionAlarms(f *function) {
	s.addAlarm(alarm{name: f.Name + "-errors", says: f.Name + " failed", metric: errorsOf(f.lambda)})
	s.addAlarm(alarm{name: f.Name + "-throttles", says: f.Name + " was refused for want of concurrency",
		metric: f.lambda.MetricThrottles(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("Sum")}), times: 3})
	s.addAlarm(alarm{name: f.Name + "-late",
		says: fmt.Sprintf("%s took more than %s of its %s", f.Name, f.size.late, f.size.timeout),
		metric: f.lambda.MetricDuration(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("Maximum")}),
		above: float64(f.size.late.Milliseconds())})
	s.addAlarm(alarm{name: f.Name + "-refused", says: "AWS refused a call of " + f.Name,
		metric: s.callsRefused(f.Function)})
}

func (s *service) addQueueAlarms(name string, q workQueue) {
	s.addAlarm(alarm{name: name + "-dead", says: "A message of " + name + " was given up", metric: waitingIn(q.dead)})
	s.addAlarm(alarm{name: name + "-waiting", says: "A message of " + name + " waits longer than " + q.waits.String(),
		metric: oldestIn(q.queue), above: q.waits.Seconds(), times: 3})
	// Whoever polls asks several times a minute. Busy workers may all take a quarter of an hour, and no two in a row.
	s.addAlarm(alarm{name: name + "-unread", says: "Nobody asks for messages of " + name, metric: receivesOf(q.queue),
		atLeast: 1, times: 2})
}

// addScheduleAlarms watches what starts schedules. Ticks that were missed are over with the next one, whatever their
// dead letters tell, and that there are none any more shows in no error.
func (s *service) addScheduleAlarms() {
	s.addAlarm(alarm{name: "missed-ticks", says: "The schedule's rule could not start its function",
		metric: missedBy(s.tick)})
	s.addAlarm(alarm{name: "no-tick", says: "No schedule was looked at for a quarter of an hour",
		metric: s.functions[manifest.SyncSchedule().Name].lambda.MetricInvocations(&awscloudwatch.MetricOptions{
			Period: seconds(3 * tick), Statistic: jsii.String("Sum")}), atLeast: 1})
}

// addTableAlarm watches requests that a table, or one of its indexes, turned away. A table that grows does so for some
// minutes, and the functions try again.
func (s *service) addTableAlarm(name string, table awsdynamodb.ITable, indexes ...string) {
	s.addAlarm(alarm{name: name + "-throttled", says: "The table " + name + " turned requests away",
		metric: throttledBy(table, indexes...), times: 3})
}

// addSyncAlarms watches what became of syncs: the functions succeed where a sync fails.
func (s *service) addSyncAlarms() {
	limit := float64(s.settings.AlarmFailedSyncs - 1)
	s.addAlarm(alarm{name: "syncs-failed", says: "Syncs failed",
		metric: s.runsEnded(run.KindSync, run.Failed, time.Hour), above: limit})
	s.addAlarm(alarm{name: "syncs-blocked", says: "Syncs were blocked by the guard",
		metric: s.runsEnded(run.KindSync, run.Blocked, time.Hour), above: limit})
	s.addAlarm(alarm{name: "syncs-failing", above: float64(s.settings.AlarmFailedShare),
		says:   fmt.Sprintf("More than %d %% of an hour's syncs failed", s.settings.AlarmFailedShare),
		metric: s.shareOfFailedSyncs()})
	s.addAlarm(alarm{name: "connectors-offline", says: "Scheduled syncs waited in vain for their connector",
		metric: s.connectorsOffline(), above: limit})
}

func (s *service) addAPIAlarms() {
	s.addAlarm(alarm{name: "api-5xx", says: "The API failed",
		metric: s.api.MetricServerError(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("Sum")}), above: 4})
	s.addAlarm(alarm{name: "api-slow", says: "One request in ten took more than 5 s",
		metric: s.api.MetricLatency(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("p90")}), above: 5000, times: 3})
}

func (s *service) addAlarm(a alarm) {
	props := &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(s.settings.Name + "-" + a.name),
		AlarmDescription:   jsii.String(a.says),
		Metric:             a.metric,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		Threshold:          jsii.Number(a.above),
		EvaluationPeriods:  jsii.Number(max(a.times, 1)),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	}
	if a.atLeast > 0 {
		props.ComparisonOperator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
		props.Threshold, props.TreatMissingData = jsii.Number(a.atLeast), awscloudwatch.TreatMissingData_BREACHING
	}
	made := awscloudwatch.NewAlarm(s.stack, jsii.String(a.name+"-alarm"), props)
	tell := awscloudwatchactions.NewSnsAction(s.topic)
	made.AddAlarmAction(tell)
	made.AddOkAction(tell)
	s.alarms = append(s.alarms, made)
}
