package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
	"rollcall/shared/run"
)

// worker is the function that does the runs of a kind, and counts them.
func (s *service) worker(kind run.Kind) string {
	if kind == run.KindSync {
		return s.functionName(manifest.SyncWorker().Name)
	}
	return s.functionName(manifest.PreviewWorker().Name)
}

// runsEnded counts the runs of a kind that ended in a state.
func (s *service) runsEnded(kind run.Kind, state run.State, period time.Duration) awscloudwatch.Metric {
	return s.runMetricBy(kind, manifest.RunsEnded, "Sum", string(kind)+" "+string(state), period,
		map[string]*string{manifest.DimensionState: jsii.String(string(state))})
}

// runMetric is one of the metrics that has a run's kind alone.
func (s *service) runMetric(kind run.Kind, name, statistic string) awscloudwatch.Metric {
	return s.runMetricBy(kind, name, statistic, string(kind)+" "+name+" "+statistic, minutes5, map[string]*string{})
}

// runMetricBy is a metric of runs of a kind, by further dimensions.
func (s *service) runMetricBy(
	kind run.Kind, name, statistic, label string, period time.Duration, dimensions map[string]*string,
) awscloudwatch.Metric {
	dimensions[manifest.DimensionFunction] = jsii.String(s.worker(kind))
	dimensions[manifest.DimensionKind] = jsii.String(string(kind))
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(manifest.MetricNamespace), MetricName: jsii.String(name),
		Statistic: jsii.String(statistic),
		Label:     jsii.String(label), Period: seconds(period), DimensionsMap: &dimensions,
	})
}

// errorsOf counts a function's errors.
func errorsOf(f awslambda.IFunction) awscloudwatch.Metric {
	return f.MetricErrors(&awscloudwatch.MetricOptions{Period: seconds(minutes5), Statistic: jsii.String("Sum")})
}

// waitingIn counts the messages of a queue that wait.
func waitingIn(q awssqs.Queue) awscloudwatch.Metric {
	return q.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
		Statistic: jsii.String("Maximum")})
}

// oldestIn is the age of a queue's oldest message, in seconds.
func oldestIn(q awssqs.Queue) awscloudwatch.Metric {
	return q.MetricApproximateAgeOfOldestMessage(&awscloudwatch.MetricOptions{Period: seconds(minutes5),
		Statistic: jsii.String("Maximum")})
}
