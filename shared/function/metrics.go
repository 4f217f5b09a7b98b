package function

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"rollcall/shared/deployment"
	"rollcall/shared/jobstore"
	"rollcall/shared/user"
)

// metricRecord is a log line that CloudWatch makes metrics of (embedded metric format specification). What is not named in it
// as a metric or a dimension can be searched for in the log, and costs no metric.
type metricRecord struct {
	AWS         metricMeta       `json:"_aws"`
	Function    string           `json:"Function"`
	Kind        jobstore.RunKind `json:"Kind"`
	State       jobstore.State   `json:"State"`
	RunsEnded   int              `json:"RunsEnded"`
	RunDuration int64            `json:"RunDuration"`
	EntriesRead int              `json:"EntriesRead"`
	RowsApplied int              `json:"RowsApplied"`
	Account     user.Account     `json:"account"`
	Run         string           `json:"run"`
}

type metricMeta struct {
	Timestamp         int64             `json:"Timestamp"`
	CloudWatchMetrics []metricDirective `json:"CloudWatchMetrics"`
}

type metricDirective struct {
	Namespace  string         `json:"Namespace"`
	Dimensions [][]string     `json:"Dimensions"`
	Metrics    []metricOfUnit `json:"Metrics"`
}

type metricOfUnit struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// directives say what of a record is a metric, and by what it can be told apart (package deployment).
func directives() []metricDirective {
	return []metricDirective{
		{
			Namespace: deployment.MetricNamespace, Dimensions: [][]string{{deployment.DimensionFunction, deployment.DimensionKind, deployment.DimensionState}},
			Metrics: []metricOfUnit{{deployment.RunsEnded, "Count"}},
		},
		{
			Namespace: deployment.MetricNamespace, Dimensions: [][]string{{deployment.DimensionFunction, deployment.DimensionKind}},
			Metrics: []metricOfUnit{{deployment.RunDuration, "Milliseconds"}, {deployment.EntriesRead, "Count"}, {deployment.RowsApplied, "Count"}},
		},
	}
}

// Metrics returns an importer's Ended that writes each run's metrics to a log, such as a function's standard output. name is the
// Lambda function's (AWS_LAMBDA_FUNCTION_NAME).
func Metrics(w io.Writer, name string, log *slog.Logger) func(context.Context, user.Account, jobstore.Run) {
	return func(ctx context.Context, account user.Account, run jobstore.Run) {
		var duration time.Duration
		if !run.StartedAt.IsZero() {
			duration = run.FinishedAt.Sub(run.StartedAt)
		}
		line, err := json.Marshal(metricRecord{
			AWS:      metricMeta{Timestamp: run.FinishedAt.UnixMilli(), CloudWatchMetrics: directives()},
			Function: name, Kind: run.Kind, State: run.State, RunsEnded: 1, RunDuration: duration.Milliseconds(),
			EntriesRead: run.Progress.Entries, RowsApplied: run.Progress.Applied, Account: account, Run: run.ID,
		})
		if err == nil {
			_, err = w.Write(append(line, '\n'))
		}
		if err != nil {
			log.ErrorContext(ctx, "metrics cannot be written", "run", run.ID, "error", err)
		}
	}
}
