package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
	"rollcall/shared/run"
)

// addDashboard shows, from the top: is something wrong and with whom, what became of the runs, do they wait, is the API
// well, are the functions, are the tables.
func (s *service) addDashboard() {
	board := awscloudwatch.NewDashboard(s.stack, jsii.String("dashboard"),
		&awscloudwatch.DashboardProps{DashboardName: jsii.String(s.settings.Name + "-" + *s.stack.Region())})
	var alarms []interfacesawscloudwatch.IAlarmRef
	for _, a := range s.alarms {
		alarms = append(alarms, a)
	}
	board.AddWidgets(awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
		Title: jsii.String("Alarms: docs/operations.md says what to do about each"), Alarms: &alarms,
		Width: jsii.Number(24), Height: jsii.Number(5),
	}))
	board.AddWidgets(s.failingAccountsTable())
	board.AddWidgets(s.runGraphs()...)
	board.AddWidgets(s.queueGraphs()...)
	board.AddWidgets(s.apiGraphs()...)
	board.AddWidgets(s.functionGraphs()...)
	board.AddWidgets(tableGraph("Users List", s.data.users),
		tableGraph("Settings and runs", s.data.jobs, manifest.DueIndex))
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Left: &metrics, Width: jsii.Number(8), Height: jsii.Number(6),
	})
}

func (s *service) runGraphs() []awscloudwatch.IWidget {
	var syncs, previews []awscloudwatch.IMetric
	for _, state := range []run.State{run.Done, run.Blocked, run.Failed, run.Cancelled} {
		syncs = append(syncs, s.runsEnded(run.KindSync, state, minutes5))
		if state != run.Blocked {
			previews = append(previews, s.runsEnded(run.KindPreview, state, minutes5))
		}
	}
	return []awscloudwatch.IWidget{
		graph("Syncs that ended", syncs...),
		graph("Previews that ended", previews...),
		graph("How long runs took (ms)", s.runMetric(run.KindSync, manifest.RunDuration, "p50"),
			s.runMetric(run.KindSync, manifest.RunDuration, "Maximum"),
			s.runMetric(run.KindPreview, manifest.RunDuration, "p50"),
			s.runMetric(run.KindPreview, manifest.RunDuration, "Maximum")),
		graph("Entries read from directories", s.runMetric(run.KindSync, manifest.EntriesRead, "Sum"),
			s.runMetric(run.KindPreview, manifest.EntriesRead, "Sum")),
		graph("Users written", s.runMetric(run.KindSync, manifest.RowsApplied, "Sum")),
		graph("Scheduled syncs whose connector was not there", s.connectorsOffline()),
	}
}

func (s *service) queueGraphs() []awscloudwatch.IWidget {
	return []awscloudwatch.IWidget{
		graph("Messages that wait", waitingIn(s.previews.queue), waitingIn(s.syncs.queue),
			waitingIn(s.scheduled.queue), waitingIn(s.deliveries.queue)),
		graph("Age of the oldest message (s)", oldestIn(s.previews.queue), oldestIn(s.syncs.queue),
			oldestIn(s.scheduled.queue), oldestIn(s.deliveries.queue)),
		graph("Dead letters", waitingIn(s.previews.dead), waitingIn(s.syncs.dead), waitingIn(s.scheduled.dead),
			waitingIn(s.deliveries.dead), waitingIn(s.missed)),
	}
}

func (s *service) apiGraphs() []awscloudwatch.IWidget {
	options := func(statistic string) *awscloudwatch.MetricOptions {
		return &awscloudwatch.MetricOptions{Period: seconds(minutes5), Statistic: jsii.String(statistic)}
	}
	return []awscloudwatch.IWidget{
		graph("Requests", s.api.MetricCount(options("Sum"))),
		graph("Requests that failed", s.api.MetricClientError(options("Sum")), s.api.MetricServerError(options("Sum"))),
		graph("How long requests took (ms)", s.api.MetricLatency(options("p50")), s.api.MetricLatency(options("p90")),
			s.api.MetricLatency(options("p99"))),
	}
}

func (s *service) functionGraphs() []awscloudwatch.IWidget {
	var errors, throttles, durations, refused []awscloudwatch.IMetric
	for _, f := range manifest.Functions() {
		options := func(statistic string) *awscloudwatch.MetricOptions {
			return &awscloudwatch.MetricOptions{Period: seconds(minutes5), Statistic: jsii.String(statistic),
				Label: jsii.String(f.Name)}
		}
		lambda := s.functions[f.Name].lambda
		errors = append(errors, lambda.MetricErrors(options("Sum")))
		throttles = append(throttles, lambda.MetricThrottles(options("Sum")))
		refused = append(refused, s.callsRefused(f))
		durations = append(durations, lambda.MetricDuration(options("Maximum")))
	}
	return []awscloudwatch.IWidget{graph("Functions: errors", errors...), graph("Functions: throttles", throttles...),
		graph("Functions: longest (ms)", durations...), graph("Functions: calls that AWS refused", refused...),
		graph("Concurrency of the region that is taken (%)", concurrencyTaken())}
}

func tableGraph(title string, table awsdynamodb.ITable, indexes ...string) awscloudwatch.IWidget {
	options := &awscloudwatch.MetricOptions{Period: seconds(minutes5), Statistic: jsii.String("Sum")}
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title + ": units used, requests throttled"), Width: jsii.Number(12), Height: jsii.Number(6),
		Left: &[]awscloudwatch.IMetric{table.MetricConsumedReadCapacityUnits(options),
			table.MetricConsumedWriteCapacityUnits(options)},
		Right: &[]awscloudwatch.IMetric{throttledBy(table, indexes...)},
	})
}
