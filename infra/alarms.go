package main

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
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
	s.addAlarm(alarm{name: "missed-ticks", says: "The schedule's rule could not start its function",
		metric: waitingIn(s.missed)})
	s.addSyncAlarms()
	s.addAPIAlarms()
	s.addTickAlarm()
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
}

func (s *service) addQueueAlarms(name string, q workQueue) {
	s.addAlarm(alarm{name: name + "-dead", says: "A message of " + name + " was given up", metric: waitingIn(q.dead)})
	s.addAlarm(alarm{name: name + "-waiting", says: "A message of " + name + " waits longer than " + q.waits.String(),
		metric: oldestIn(q.queue), above: q.waits.Seconds(), times: 3})
}

// addSyncAlarms watches what became of syncs: the functions succeed where a sync fails.
func (s *service) addSyncAlarms() {
	limit := float64(s.settings.AlarmFailedSyncs - 1)
	s.addAlarm(alarm{name: "syncs-failed", says: "Syncs failed",
		metric: s.runsEnded(run.KindSync, run.Failed, time.Hour), above: limit})
	s.addAlarm(alarm{name: "syncs-blocked", says: "Syncs were blocked by the guard",
		metric: s.runsEnded(run.KindSync, run.Blocked, time.Hour), above: limit})
}

func (s *service) addAPIAlarms() {
	s.addAlarm(alarm{name: "api-5xx", says: "The API failed",
		metric: s.api.MetricServerError(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("Sum")}), above: 4})
	s.addAlarm(alarm{name: "api-slow", says: "One request in ten took more than 5 s",
		metric: s.api.MetricLatency(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
			Statistic: jsii.String("p90")}), above: 5000, times: 3})
}

// addTickAlarm notices that nothing starts schedules any more, which no error shows.
func (s *service) addTickAlarm() {
	schedule := s.functions[manifest.SyncSchedule().Name].lambda
	s.add(awscloudwatch.NewAlarm(s.stack, jsii.String("no-tick-alarm"), &awscloudwatch.AlarmProps{
		AlarmName:        jsii.String(s.settings.Name + "-no-tick"),
		AlarmDescription: jsii.String("No schedule was looked at for a quarter of an hour"),
		Metric: schedule.MetricInvocations(&awscloudwatch.MetricOptions{Period: seconds(3 * tick),
			Statistic: jsii.String("Sum")}),
		ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
		Threshold:          jsii.Number(1), EvaluationPeriods: jsii.Number(1),
		TreatMissingData: awscloudwatch.TreatMissingData_BREACHING,
	}))
}

func (s *service) addAlarm(a alarm) {
	s.add(awscloudwatch.NewAlarm(s.stack, jsii.String(a.name+"-alarm"), &awscloudwatch.AlarmProps{
		AlarmName:          jsii.String(s.settings.Name + "-" + a.name),
		AlarmDescription:   jsii.String(a.says),
		Metric:             a.metric,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		Threshold:          jsii.Number(a.above),
		EvaluationPeriods:  jsii.Number(max(a.times, 1)),
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	}))
}

func (s *service) add(a awscloudwatch.Alarm) {
	tell := awscloudwatchactions.NewSnsAction(s.topic)
	a.AddAlarmAction(tell)
	a.AddOkAction(tell)
	s.alarms = append(s.alarms, a)
}
