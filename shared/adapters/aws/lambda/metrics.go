package lambda

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// metricRecord is a log line that CloudWatch makes metrics of (embedded metric format specification). What is not named
// in it as a metric or a dimension can be searched for in the log, and costs no metric.
type metricRecord struct {
	AWS         metricMeta `json:"_aws"`
	Function    string     `json:"Function"`
	Kind        run.Kind   `json:"Kind"`
	State       run.State  `json:"State"`
	RunsEnded   int        `json:"RunsEnded"`
	RunDuration int64      `json:"RunDuration"`
	EntriesRead int        `json:"EntriesRead"`
	RowsApplied int        `json:"RowsApplied"`
	// ConnectorsOffline is 1 or left out, so that it costs no metric where nobody has a connector.
	ConnectorsOffline int `json:"ConnectorsOffline,omitempty"`
	// Applied is what a sync did, nil for other runs.
	Applied *run.Applied `json:"applied,omitempty"`
	Account user.Account `json:"account"`
	Run     string       `json:"run"`
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

// directives say what of a record is a metric, and by what it can be told apart (package manifest).
func directives() []metricDirective {
	return []metricDirective{
		{
			Namespace: manifest.MetricNamespace, Dimensions: [][]string{{manifest.DimensionFunction,
				manifest.DimensionKind, manifest.DimensionState}},
			Metrics: []metricOfUnit{{manifest.RunsEnded, "Count"}},
		},
		{
			Namespace: manifest.MetricNamespace, Dimensions: [][]string{{manifest.DimensionFunction,
				manifest.DimensionKind}},
			Metrics: []metricOfUnit{{manifest.RunsEnded, "Count"}, {manifest.RunDuration, "Milliseconds"},
				{manifest.EntriesRead, "Count"}, {manifest.RowsApplied, "Count"}},
		},
	}
}

// refusalRecord is a log line and a metric as well: what AWS refused.
type refusalRecord struct {
	AWS          metricMeta `json:"_aws"`
	Time         time.Time  `json:"time"`
	Level        slog.Level `json:"level"`
	Message      string     `json:"msg"`
	Function     string     `json:"Function"`
	CallsRefused int        `json:"CallsRefused"`
	Service      string     `json:"service"`
	Operation    string     `json:"operation"`
	Code         string     `json:"code"`
	RequestID    string     `json:"requestId,omitempty"`
}

// Refused writes a call that AWS refused to the function's log, where it counts for an alarm.
func (s Setup) Refused(ctx context.Context, service, operation, code string) {
	now := time.Now()
	record := refusalRecord{
		AWS: metricMeta{Timestamp: now.UnixMilli(), CloudWatchMetrics: []metricDirective{{
			Namespace: manifest.MetricNamespace, Dimensions: [][]string{{manifest.DimensionFunction}},
			Metrics: []metricOfUnit{{manifest.CallsRefused, "Count"}},
		}}},
		Time: now, Level: slog.LevelError, Message: "AWS refused a call", Function: s.LambdaName, CallsRefused: 1,
		Service: service, Operation: operation, Code: code,
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		record.RequestID = lc.AwsRequestID
	}
	if err := writeMetrics(s.Out, record); err != nil {
		s.Log.ErrorContext(ctx, "metrics cannot be written", "error", err)
	}
}

// writeMetrics writes a record as one line.
func writeMetrics(w io.Writer, record any) error {
	line, err := json.Marshal(record)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}

// Metrics returns an importer's Ended that writes each run's metrics to a log, such as a function's standard output.
// name is the Lambda function's (AWS_LAMBDA_FUNCTION_NAME).
func Metrics(w io.Writer, name string, log *slog.Logger) func(context.Context, user.Account, run.Run) {
	return func(ctx context.Context, account user.Account, r run.Run) {
		var applied int
		if r.Applied != nil {
			applied = r.Applied.Written()
		}
		var duration time.Duration
		if !r.StartedAt.IsZero() {
			duration = r.FinishedAt.Sub(r.StartedAt)
		}
		metrics, offline := directives(), 0
		if waitedInVain(&r) {
			offline = 1
			metrics = append(metrics, metricDirective{
				Namespace: manifest.MetricNamespace, Dimensions: [][]string{{manifest.DimensionFunction}},
				Metrics: []metricOfUnit{{manifest.ConnectorsOffline, "Count"}},
			})
		}
		err := writeMetrics(w, metricRecord{
			AWS:      metricMeta{Timestamp: r.FinishedAt.UnixMilli(), CloudWatchMetrics: metrics},
			Function: name, Kind: r.Kind, State: r.State, RunsEnded: 1, RunDuration: duration.Milliseconds(),
			EntriesRead: r.Progress.Entries, RowsApplied: applied, Applied: r.Applied, Account: account, Run: r.ID,
			ConnectorsOffline: offline,
		})
		if err != nil {
			log.ErrorContext(ctx, "metrics cannot be written", "run", r.ID, "error", err)
		}
	}
}

// waitedInVain reports whether a run of a schedule failed since its connector was not there. Who starts one by hand
// sees it.
func waitedInVain(r *run.Run) bool {
	return r.Trigger == run.TriggerSchedule && r.Failure != nil && r.Failure.Code == importer.CodeConnectorOffline
}
