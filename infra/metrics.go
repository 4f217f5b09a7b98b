package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/deployment"
	"rollcall/shared/jobstore"
)

// worker is the function that does the runs of a kind, and counts them.
func (s *service) worker(kind jobstore.RunKind) string {
	if kind == jobstore.KindSync {
		return s.functionName(deployment.SyncWorker().Name)
	}
	return s.functionName(deployment.PreviewWorker().Name)
}

// runsEnded counts the runs of a kind that ended in a state.
func (s *service) runsEnded(kind jobstore.RunKind, state jobstore.State, period time.Duration) awscloudwatch.Metric {
	return s.own(kind, deployment.RunsEnded, "Sum", string(kind)+" "+string(state), period, map[string]*string{deployment.DimensionState: jsii.String(string(state))})
}

// runMetric is one of the metrics that has a run's kind alone.
func (s *service) runMetric(kind jobstore.RunKind, name, statistic string) awscloudwatch.Metric {
	return s.own(kind, name, statistic, string(kind)+" "+name+" "+statistic, minutes5, map[string]*string{})
}

func (s *service) own(kind jobstore.RunKind, name, statistic, label string, period time.Duration, dimensions map[string]*string) awscloudwatch.Metric {
	dimensions[deployment.DimensionFunction] = jsii.String(s.worker(kind))
	dimensions[deployment.DimensionKind] = jsii.String(string(kind))
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(deployment.MetricNamespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Label: jsii.String(label), Period: span(period), DimensionsMap: &dimensions,
	})
}

// failures counts a function's errors.
func failures(f awslambda.Function) awscloudwatch.Metric {
	return f.MetricErrors(&awscloudwatch.MetricOptions{Period: span(minutes5), Statistic: jsii.String("Sum")})
}

// visible counts the messages of a queue that nobody works on.
func visible(q awssqs.Queue) awscloudwatch.Metric {
	return q.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Period: span(minutes5), Statistic: jsii.String("Maximum")})
}

// oldest is the age of a queue's oldest message, in seconds.
func oldest(q awssqs.Queue) awscloudwatch.Metric {
	return q.MetricApproximateAgeOfOldestMessage(&awscloudwatch.MetricOptions{Period: span(minutes5), Statistic: jsii.String("Maximum")})
}
