package fakeeventbridge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakeeventbridge"
)

func entry(change func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{EventBusName: aws.String("b"), Source: aws.String("s"),
		DetailType: aws.String("d"), Detail: aws.String("{}")}
	change(&e)
	return e
}

func TestEntriesAreChecked(t *testing.T) {
	t.Parallel()
	service := fakeeventbridge.New("b")
	client := eventbridge.NewFromConfig(fake.Serve(t, service))
	for name, test := range map[string]struct {
		change func(*types.PutEventsRequestEntry)
		code   string
	}{
		"good": {func(*types.PutEventsRequestEntry) {}, ""},
		"another bus": {func(e *types.PutEventsRequestEntry) { e.EventBusName = nil },
			"ResourceNotFoundException"},
		"no source": {func(e *types.PutEventsRequestEntry) { e.Source = nil }, "InvalidArgument"},
		"AWS's own source": {func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.s3") },
			"NotAuthorizedForSourceException"},
		"no detail type": {func(e *types.PutEventsRequestEntry) { e.DetailType = nil }, "InvalidArgument"},
		"a long detail type": {func(e *types.PutEventsRequestEntry) {
			e.DetailType = aws.String(strings.Repeat("x", 129))
		}, "InvalidArgument"},
		"a detail that is no object": {func(e *types.PutEventsRequestEntry) { e.Detail = aws.String("[]") },
			"MalformedDetail"},
		"a detail that is no JSON": {func(e *types.PutEventsRequestEntry) { e.Detail = aws.String("{") },
			"MalformedDetail"},
	} {
		out, err := client.PutEvents(
			t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry(test.change)}},
		)
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(out.Entries[0].ErrorCode); got != test.code ||
			(out.FailedEntryCount == 1) != (test.code != "") {
			t.Errorf("%s: code %q, %d failed; want %q", name, got, out.FailedEntryCount, test.code)
		}
	}
	if got := len(service.Events()); got != 1 {
		t.Errorf("%d events were taken, want the good one", got)
	}
}

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	client := eventbridge.NewFromConfig(fake.Serve(t, fakeeventbridge.New("b")))
	good := entry(func(*types.PutEventsRequestEntry) {})
	for name, entries := range map[string][]types.PutEventsRequestEntry{
		"no entries": {},
		"too many":   slices.Repeat([]types.PutEventsRequestEntry{good}, 11),
		"too much": {entry(func(e *types.PutEventsRequestEntry) {
			e.Detail = aws.String(`{"x":"` + strings.Repeat("x", 256<<10) + `"}`)
		})},
		"not known yet": {entry(func(e *types.PutEventsRequestEntry) { e.TraceHeader = aws.String("x") })},
	} {
		_, err := client.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
		var api smithy.APIError
		if !errors.As(err, &api) {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
}
