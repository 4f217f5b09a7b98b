package fakesqs_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakesqs"
)

var url = aws.String(fakesqs.URL("http://sqs", "q.fifo"))

func letter(change func(*sqs.SendMessageInput)) *sqs.SendMessageInput {
	in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("body"), MessageGroupId: aws.String("g"),
		MessageDeduplicationId: aws.String("d")}
	change(in)
	return in
}

// codeOf returns the code of an API's error, and "" for nil.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	if err != nil && !errors.As(err, &api) {
		t.Fatalf("error %v is none of the service's", err)
	}
	if api == nil {
		return ""
	}
	return api.ErrorCode()
}

func TestSendIsChecked(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(fake.Serve(t, fakesqs.New(nil, fakesqs.Queue{Name: "q.fifo"})))
	for name, test := range map[string]struct {
		change func(*sqs.SendMessageInput)
		code   string
	}{
		"good": {func(*sqs.SendMessageInput) {}, ""},
		"all punctuation": {
			func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") }, "",
		},
		"no group": {func(in *sqs.SendMessageInput) { in.MessageGroupId = nil }, "MissingParameter"},
		"a space in the group": {func(in *sqs.SendMessageInput) { in.MessageGroupId = aws.String("a b") },
			"InvalidParameterValue"},
		"a long group": {func(in *sqs.SendMessageInput) {
			in.MessageGroupId = aws.String(strings.Repeat("x", 129))
		}, "InvalidParameterValue"},
		"a letter beyond ASCII": {func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = aws.String("ä") },
			"InvalidParameterValue"},
		"no deduplication id": {func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = nil },
			"InvalidParameterValue"},
		"a long deduplication id": {func(in *sqs.SendMessageInput) {
			in.MessageDeduplicationId = aws.String(strings.Repeat("x", 129))
		}, "InvalidParameterValue"},
		"an empty body": {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String("") },
			"MissingParameter"},
		"a long body": {func(in *sqs.SendMessageInput) {
			in.MessageBody = aws.String(strings.Repeat("x", 256<<10+1))
		}, "InvalidParameterValue"},
		"a control character": {func(in *sqs.SendMessageInput) { in.MessageBody = aws.String("\x01") },
			"InvalidMessageContents"},
		"another queue": {func(in *sqs.SendMessageInput) { in.QueueUrl = aws.String("http://sqs/1/r.fifo") },
			"AWS.SimpleQueueService.NonExistentQueue"},
		"a delay, which fifo lack": {func(in *sqs.SendMessageInput) { in.DelaySeconds = 5 }, "SerializationException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.SendMessage(t.Context(), letter(test.change))
			if got := codeOf(t, err); got != test.code {
				t.Errorf("code %q, want %q; error %v", got, test.code, err)
			}
		})
	}
}

func TestReceiptHandlesAreChecked(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	client := sqs.NewFromConfig(fake.Serve(t, fakesqs.New(func() time.Time { return now },
		fakesqs.Queue{Name: "q.fifo"})))
	if _, err := client.SendMessage(t.Context(), letter(func(*sqs.SendMessageInput) {})); err != nil {
		t.Fatal(err)
	}
	receive := func() *string {
		t.Helper()
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("received %+v, error %v", out, err)
		}
		return out.Messages[0].ReceiptHandle
	}
	expect := func(what, code string, err error) {
		t.Helper()
		if got := codeOf(t, err); got != code {
			t.Errorf("%s: code %q, want %q", what, got, code)
		}
	}
	change := func(handle *string, seconds int32) error {
		_, err := client.ChangeMessageVisibility(t.Context(),
			&sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	remove := func(handle *string) error {
		_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: handle})
		return err
	}
	first := receive()
	expect("longer than 12 hours", "InvalidParameterValue", change(first, 43201))
	expect("no handle of ours", "ReceiptHandleIsInvalid", change(aws.String("x"), 1))
	now = now.Add(30 * time.Second)
	expect("change when visible again", "AWS.SimpleQueueService.MessageNotInflight", change(first, 1))
	expect("delete when visible again", "InvalidParameterValue", remove(first))
	second := receive()
	expect("change by the former consumer", "InvalidParameterValue", change(first, 1))
	expect("delete by the former consumer", "InvalidParameterValue", remove(first))
	expect("delete", "", remove(second))
	expect("delete again", "", remove(second))
	expect("change when deleted", "AWS.SimpleQueueService.MessageNotInflight", change(second, 1))
}

func TestReceiveIsChecked(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(fake.Serve(t, fakesqs.New(nil, fakesqs.Queue{Name: "q.fifo"})))
	for name, in := range map[string]*sqs.ReceiveMessageInput{
		"too many":          {MaxNumberOfMessages: 11},
		"too long a wait":   {WaitTimeSeconds: 21},
		"too long unseen":   {VisibilityTimeout: 43201},
		"unknown attribute": {MessageSystemAttributeNames: []types.MessageSystemAttributeName{"Colour"}},
	} {
		in.QueueUrl = url
		if _, err := client.ReceiveMessage(t.Context(), in); codeOf(t, err) == "" {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAGroupWaitsForItsMessageInFlight(t *testing.T) {
	t.Parallel()
	client := sqs.NewFromConfig(fake.Serve(t, fakesqs.New(nil, fakesqs.Queue{Name: "q.fifo"})))
	for _, id := range []string{"a1", "a2", "b1"} {
		if _, err := client.SendMessage(t.Context(), letter(func(in *sqs.SendMessageInput) {
			in.MessageBody, in.MessageDeduplicationId, in.MessageGroupId = &id, &id, aws.String(id[:1])
		})); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"a1", "b1", ""} {
		out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range out.Messages {
			got += *m.Body
		}
		if got != want {
			t.Errorf("received %q, want %q", got, want)
		}
	}
}

func TestWhatIsNotSQSIsRefused(t *testing.T) {
	t.Parallel()
	endpoint := aws.ToString(fake.Serve(t, fakesqs.New(nil)).BaseEndpoint)
	for name, header := range map[string]http.Header{
		"no target": {},
		"another service": {"X-Amz-Target": {"TrentService.Encrypt"},
			"Content-Type": {"application/x-amz-json-1.0"}},
		"another protocol": {"X-Amz-Target": {"AmazonSQS.SendMessage"},
			"Content-Type": {"application/x-amz-json-1.1"}},
		"not signed": {"X-Amz-Target": {"AmazonSQS.SendMessage"},
			"Content-Type": {"application/x-amz-json-1.0"}},
		"no such operation": {"X-Amz-Target": {"AmazonSQS.Nothing"}, "Content-Type": {"application/x-amz-json-1.0"}},
		"signed for another": {"X-Amz-Target": {"AmazonSQS.SendMessage"},
			"Content-Type": {"application/x-amz-json-1.0"},
			"Authorization": {"AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/kms/aws4_request, " +
				"SignedHeaders=host, Signature=" + strings.Repeat("0", 64)}},
	} {
		request, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode/100 != 4 {
			t.Errorf("%s: status %d, want 4xx", name, response.StatusCode)
		}
	}
}
