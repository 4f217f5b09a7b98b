package aws_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakekms"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/lambda"
	"rollcall/shared/manifest"
	"rollcall/shared/settings/secret"
)

const key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"

// TestWhatAWSRefusesIsCounted makes a client as the functions do, and reads what CloudWatch would make a metric of.
//
//nolint:paralleltest // it sets the environment
func TestWhatAWSRefusesIsCounted(t *testing.T) {
	service, err := fakekms.New(key)
	if err != nil {
		t.Fatal(err)
	}
	fake.FromEnvironment(t, "AWS_ENDPOINT_URL_KMS", service)
	var out bytes.Buffer
	s := lambda.Setup{Name: "sync-worker", LambdaName: "staging-sync-worker", Out: &out,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	d, err := aws.Open(t.Context(), aws.Caller{Name: s.Name, Log: s.Log, Refused: s.Refused})
	if err != nil {
		t.Fatal(err)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	binding := secret.Binding{Account: "acme", Target: "t"}
	sealer := kms.New(kms.NewClient(d.SDK), key)
	for name, test := range map[string]struct {
		fault   error
		code    string
		refused bool
	}{
		"a grant that is missing": {fake.Refuse("AccessDeniedException", "not authorized"),
			"AccessDeniedException", true},
		"a disabled key": {fake.Refuse("DisabledException", "is disabled"), "DisabledException", true},
		"a key on its way out": {fake.Refuse("KMSInvalidStateException", "is pending deletion"),
			"KMSInvalidStateException", true},
		"too much at once": {fake.Refuse("ThrottlingException", "Rate exceeded"), "", false},
		"nothing":          {nil, "", false},
	} {
		out.Reset()
		if test.fault != nil {
			service.Fail("Encrypt", test.fault)
		}
		if _, err := sealer.Seal(ctx, secret.New("x"), binding); (err != nil) != test.refused {
			t.Errorf("%s: error %v", name, err)
		}
		want := map[string]float64{}
		if test.refused {
			want["staging-sync-worker"] = 1
		}
		if diff := cmp.Diff(want, counted(t, &out, manifest.CallsRefused)); diff != "" {
			t.Errorf("%s: the metric (-want +got):\n%s", name, diff)
		}
		var line map[string]any
		if !test.refused {
			continue
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for field, want := range map[string]any{"service": "KMS", "operation": "Encrypt", "code": test.code,
			"requestId": "r-1", "level": "ERROR", "msg": "AWS refused a call"} {
			if line[field] != want {
				t.Errorf("%s: %s is %v, want %v", name, field, line[field], want)
			}
		}
	}
}

// counted reads lines of the embedded metric format as CloudWatch does: the values of a metric, by function.
func counted(t *testing.T, lines *bytes.Buffer, metric string) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	for line := range bytes.Lines(lines.Bytes()) {
		var fields map[string]any
		var meta struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal(line, &meta); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		for _, directive := range meta.AWS.CloudWatchMetrics {
			if directive.Namespace != manifest.MetricNamespace || meta.AWS.Timestamp == 0 ||
				!cmp.Equal(directive.Dimensions, [][]string{{manifest.DimensionFunction}}) {
				t.Errorf("the directive %+v at %d", directive, meta.AWS.Timestamp)
			}
			for _, m := range directive.Metrics {
				if value, ok := fields[m.Name].(float64); ok && m.Name == metric && m.Unit == "Count" {
					values[fields[manifest.DimensionFunction].(string)] += value
				}
			}
		}
	}
	return values
}
