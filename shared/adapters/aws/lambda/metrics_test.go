package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/run"
)

func TestMetricsAreALogLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	r := run.Run{ID: "01J", Kind: run.KindSync, State: run.Blocked, StartedAt: at,
		FinishedAt: at.Add(1500 * time.Millisecond)}
	r.Progress.Entries = 7
	r.Applied = &run.Applied{Create: 5, Update: 4, Delete: 3, Already: 2, Pending: 1}
	Metrics(&out, "Rollcall-sync-worker", slog.New(slog.DiscardHandler))(t.Context(), "acme", r)
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q is not one line", out.String())
	}
	var got, want map[string]any
	const line = `{"_aws":{"Timestamp":1795600801500,"CloudWatchMetrics":[
		{"Namespace":"Rollcall","Dimensions":[["Function","Kind","State"]],
			"Metrics":[{"Name":"RunsEnded","Unit":"Count"}]},
		{"Namespace":"Rollcall","Dimensions":[["Function","Kind"]],"Metrics":[
			{"Name":"RunsEnded","Unit":"Count"},{"Name":"RunDuration","Unit":"Milliseconds"},
			{"Name":"EntriesRead","Unit":"Count"},{"Name":"RowsApplied","Unit":"Count"}]}]},
		"Function":"Rollcall-sync-worker","Kind":"sync","State":"blocked","RunsEnded":1,"RunDuration":1500,
		"EntriesRead":7,"RowsApplied":12,
		"applied":{"create":5,"update":4,"delete":3,"already":2,"conflicts":0,"pending":1},
		"account":"acme","run":"01J"}`
	if err := errors.Join(json.Unmarshal(out.Bytes(), &got), json.Unmarshal([]byte(line), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestSchedulesThatWaitedForAConnectorAreCounted, and no other runs.
func TestSchedulesThatWaitedForAConnectorAreCounted(t *testing.T) {
	t.Parallel()
	offline := &run.Failure{Code: "connector_offline"}
	for name, test := range map[string]struct {
		run  run.Run
		want bool
	}{
		"a schedule's": {run.Run{Trigger: run.TriggerSchedule, State: run.Failed, Failure: offline}, true},
		"one by hand":  {run.Run{Trigger: run.TriggerManual, State: run.Failed, Failure: offline}, false},
		"another failure": {
			run.Run{Trigger: run.TriggerSchedule, Failure: &run.Failure{Code: "connector_lost"}}, false,
		},
		"one that is done": {run.Run{Trigger: run.TriggerSchedule, State: run.Done}, false},
	} {
		var out bytes.Buffer
		Metrics(&out, "f", slog.New(slog.DiscardHandler))(t.Context(), "acme", test.run)
		metric := strings.Contains(out.String(), `"Dimensions":[["Function"]],"Metrics":[{"Name":"ConnectorsOffline"`)
		if value := strings.Contains(out.String(), `"ConnectorsOffline":1`); metric != test.want || value != test.want {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestLogLinesNameTheirInvocation(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := newLog(&out, "warn")
	if err != nil {
		t.Fatal(err)
	}
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	log.With("function", "sync-worker").WarnContext(ctx, "slow", "run", "01J")
	log.InfoContext(ctx, "not shown")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"requestId": "r-1", "function": "sync-worker", "run": "01J",
		"msg": "slow", "level": "WARN"} {
		if line[name] != want {
			t.Errorf("%s is %v, want %s", name, line[name], want)
		}
	}
	if _, err := newLog(&out, "loud"); err == nil {
		t.Error("a log level that there is not was taken")
	}
}
