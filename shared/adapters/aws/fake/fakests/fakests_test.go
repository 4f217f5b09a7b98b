package fakests_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakests"
)

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	service := fakests.New(fakests.Role{ARN: "arn:aws:iam::111122223333:role/r", AccessKey: "A", SecretKey: "S"}, nil)
	client := sts.NewFromConfig(fake.Serve(t, service))
	for name, test := range map[string]struct {
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		"good": {func(*sts.AssumeRoleInput) {}, ""},
		"another role": {func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::111122223333:role/s") },
			"AccessDenied"},
		"a name with spaces": {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") },
			"ValidationError"},
		"a short name": {func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a") },
			"ValidationError"},
		"too short": {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) },
			"ValidationError"},
		"too long": {func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) },
			"ValidationError"},
		"no JSON": {func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") },
			"MalformedPolicyDocument"},
		"a long policy": {func(in *sts.AssumeRoleInput) {
			in.Policy = aws.String(`"` + strings.Repeat("x", 2047) + `"`)
		}, "PackedPolicyTooLarge"},
		"not known": {func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("x12") }, "ValidationError"},
	} {
		in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/r"),
			RoleSessionName: aws.String("name"), DurationSeconds: aws.Int32(900)}
		test.change(in)
		_, err := client.AssumeRole(t.Context(), in)
		var api smithy.APIError
		if err == nil && test.code == "" {
			continue
		}
		if !errors.As(err, &api) || api.ErrorCode() != test.code {
			t.Errorf("%s: error %v, want %q", name, err, test.code)
		}
	}
	if sessions := service.Sessions(); len(sessions) != 1 {
		t.Errorf("%d sessions were given, want the good one", len(sessions))
	}
	if calls := service.Calls(); len(calls) != 9 || calls[0].Operation != "AssumeRole" ||
		calls[0].AppID != "rollcall-test" {
		t.Errorf("calls %+v, want nine by rollcall-test", calls)
	}
}

func TestUnsignedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	c := fake.Serve(t, fakests.New(fakests.Role{ARN: "r"}, nil))
	response, err := http.PostForm(*c.BaseEndpoint,
		map[string][]string{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", response.StatusCode)
	}
}
