package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
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

// leastSyncs is how many syncs have to end in an hour for their share to say something.
const leastSyncs = 10

// shareOfFailedSyncs is how many of an hour's syncs failed, in percent. Those that ended are a metric of their own: a
// state in which none ended has no values, and would leave the sum without one.
func (s *service) shareOfFailedSyncs() awscloudwatch.IMetric {
	return formula("syncs that failed (%)", fmt.Sprintf("IF(ended >= %d, 100 * failed / ended, 0)", leastSyncs),
		time.Hour, map[string]awscloudwatch.IMetric{
			"failed": s.runsEnded(run.KindSync, run.Failed, time.Hour),
			"ended":  s.runMetricBy(run.KindSync, manifest.RunsEnded, "Sum", "sync", time.Hour, map[string]*string{}),
		})
}

// callsRefused counts the calls that AWS refused a function.
func (s *service) callsRefused(f manifest.Function) awscloudwatch.Metric {
	return s.countedBy(f, manifest.CallsRefused, minutes5)
}

// connectorsOffline counts the scheduled syncs that failed since their connector was not there.
func (s *service) connectorsOffline() awscloudwatch.Metric {
	return s.countedBy(manifest.SyncWorker(), manifest.ConnectorsOffline, time.Hour)
}

// countedBy is a metric that a function writes by its own name alone.
func (s *service) countedBy(f manifest.Function, name string, period time.Duration) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(manifest.MetricNamespace), MetricName: jsii.String(name),
		Statistic: jsii.String("Sum"), Label: jsii.String(f.Name), Period: seconds(period),
		DimensionsMap: &map[string]*string{manifest.DimensionFunction: jsii.String(s.functionName(f.Name))},
	})
}

// formula is a metric that is reckoned from others.
func formula(
	label, expression string, period time.Duration, of map[string]awscloudwatch.IMetric,
) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Label: jsii.String(label), Expression: jsii.String(expression), Period: seconds(period), UsingMetrics: &of,
	})
}

// plainMetric is one of AWS's own.
func plainMetric(
	namespace, name, statistic string, period time.Duration, dimensions map[string]*string,
) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic),
		Period: seconds(period), DimensionsMap: &dimensions,
	})
}

// concurrencyTaken is how much of what all functions of the account may have at once in this region is used or set
// aside, in percent.
func concurrencyTaken() awscloudwatch.IMetric {
	const namespace = "AWS/Lambda"
	return formula("concurrency that is taken (%)", "100 * taken / SERVICE_QUOTA(used)", minutes5,
		map[string]awscloudwatch.IMetric{
			"taken": plainMetric(namespace, "ClaimedAccountConcurrency", "Maximum", minutes5, nil),
			"used":  plainMetric(namespace, "ConcurrentExecutions", "Maximum", minutes5, nil),
		})
}

// throttledBy counts the requests that a table or one of its indexes turned away.
func throttledBy(table awsdynamodb.ITable, indexes ...string) awscloudwatch.IMetric {
	metrics := make(map[string]awscloudwatch.IMetric)
	var names []string
	for i, index := range append([]string{""}, indexes...) {
		for _, what := range []string{"Read", "Write"} {
			dimensions := map[string]*string{"TableName": table.TableName()}
			if index != "" {
				dimensions["GlobalSecondaryIndexName"] = jsii.String(index)
			}
			name := strings.ToLower(what) + strconv.Itoa(i)
			metrics[name] = plainMetric("AWS/DynamoDB", what+"ThrottleEvents", "Sum", minutes5, dimensions)
			names = append(names, name)
		}
	}
	// A list, since what turned nothing away has no value: with a plus the sum would have none either.
	return formula("throttled", "SUM(["+strings.Join(names, ", ")+"])", minutes5, metrics)
}

// receivesOf counts how often somebody asked for messages of a queue.
func receivesOf(q awssqs.Queue) awscloudwatch.IMetric {
	const period = 15 * time.Minute
	options := &awscloudwatch.MetricOptions{Period: seconds(period), Statistic: jsii.String("Sum")}
	return formula("asked for messages", "SUM([got, empty])", period, map[string]awscloudwatch.IMetric{
		"got": q.MetricNumberOfMessagesReceived(options), "empty": q.MetricNumberOfEmptyReceives(options),
	})
}

// missedBy counts the invocations that a rule gave up.
func missedBy(rule awsevents.Rule) awscloudwatch.IMetric {
	return plainMetric("AWS/Events", "InvocationsSentToDlq", "Sum", minutes5,
		map[string]*string{"RuleName": rule.RuleName()})
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
