package fakekms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakekms"
)

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	service, err := fakekms.New("k")
	if err != nil {
		t.Fatal(err)
	}
	client := kms.NewFromConfig(fake.Serve(t, service))
	for name, test := range map[string]struct {
		in   kms.EncryptInput
		code string
	}{
		"good":        {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x")}, ""},
		"another key": {kms.EncryptInput{KeyId: aws.String("l"), Plaintext: []byte("x")}, "NotFoundException"},
		"nothing":     {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte{}}, "ValidationException"},
		"too much": {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: make([]byte, 4097)},
			"ValidationException"},
		"a reserved name": {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x"),
			EncryptionContext: map[string]string{"aws:x": ""}}, "ValidationException"},
		"a long context": {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x"),
			EncryptionContext: map[string]string{"x": strings.Repeat("x", 8192)}}, "ValidationException"},
		"what the fake lacks": {kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x"),
			GrantTokens: []string{"t"}}, "SerializationException"},
	} {
		_, err := client.Encrypt(t.Context(), &test.in)
		var api smithy.APIError
		if err == nil && test.code == "" {
			continue
		}
		if !errors.As(err, &api) || api.ErrorCode() != test.code {
			t.Errorf("%s: error %v, want %q", name, err, test.code)
		}
	}
	if uses := service.Uses(); len(uses) != 1 {
		t.Errorf("%d uses are recorded, want the good one", len(uses))
	}
}
