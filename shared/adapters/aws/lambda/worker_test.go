package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakesqs"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
)

// A batch answers with the message that failed and all behind it: whoever came after it in its group must wait for it.
func TestAFailureHoldsBackWhatIsBehindIt(t *testing.T) {
	t.Parallel()
	const name = "work.fifo"
	c := fake.Serve(t, fakesqs.New(nil, fakesqs.Queue{Name: name}))
	url := func(string) string { return fakesqs.URL(*c.BaseEndpoint, name) }
	env, err := manifest.Read(url, manifest.Function{Needs: []manifest.Variable{manifest.SyncsQueue}})
	if err != nil {
		t.Fatal(err)
	}
	d := aws.Deployment{Environment: env, SDK: c, Log: slog.New(slog.DiscardHandler)}
	for failing, want := range map[int][]string{0: {"m0", "m1", "m2"}, 1: {"m1", "m2"}, 2: {"m2"}, 3: nil} {
		var event events.SQSEvent
		for i := range 3 {
			body, err := json.Marshal(queue.Message{Task: queue.TaskSync, Account: "acme", RunID: strconv.Itoa(i)})
			if err != nil {
				t.Fatal(err)
			}
			event.Records = append(event.Records, events.SQSMessage{
				MessageId: "m" + strconv.Itoa(i), ReceiptHandle: "r", Body: string(body),
				Attributes:     map[string]string{"ApproximateReceiveCount": "1"},
				EventSourceARN: "arn:aws:sqs:us-east-1:123456789012:" + name,
			})
		}
		payload, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		handled := 0
		answer, err := Worker(d.Consume(func(_ context.Context, m queue.Message) error {
			if m.RunID == strconv.Itoa(failing) {
				return errors.New("the table is away")
			}
			handled++
			return nil
		})).Invoke(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var response events.SQSEventResponse
		if err := json.Unmarshal(answer, &response); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range response.BatchItemFailures {
			got = append(got, f.ItemIdentifier)
		}
		if diff := cmp.Diff(want, got); diff != "" || handled != failing {
			t.Errorf("message %d fails: %d were handled before it, failures (-want +got):\n%s", failing, handled, diff)
		}
	}
}
