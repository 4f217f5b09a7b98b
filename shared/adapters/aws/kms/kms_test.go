package kms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakekms"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/settings/secret"
	"rollcall/shared/settings/secret/secrettest"
)

const (
	arn   = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
	other = "arn:aws:kms:us-east-1:111122223333:key/5678efab"
)

var here = secret.Binding{Account: "acme", Target: "t"}

func start(t *testing.T) (*fakekms.Server, func(arn string) kms.Key) {
	t.Helper()
	service, err := fakekms.New(arn, other)
	if err != nil {
		t.Fatal(err)
	}
	client := kms.NewClient(fake.Serve(t, service))
	return service, func(arn string) kms.Key { return kms.New(client, arn) }
}

func TestConformance(t *testing.T) {
	t.Parallel()
	_, key := start(t)
	secrettest.Run(t, key(arn), key(arn))
}

func TestTheContextIsTheBinding(t *testing.T) {
	t.Parallel()
	fake, key := start(t)
	to := secret.Binding{Account: "a\xff/ä b", Target: "5f"}
	sealed, err := key(arn).Seal(t.Context(), secret.New("x"), to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key(arn).Open(t.Context(), sealed, to); err != nil {
		t.Fatal(err)
	}
	other := secret.Binding{Account: "a\xfe/ä b", Target: "5f"}
	if _, err := key(arn).Open(t.Context(), sealed, other); !errors.Is(err, secret.ErrUnsealable) {
		t.Errorf("another account that is no UTF-8: error %v", err)
	}
	bound := map[string]string{"account": "a%FF%2F%C3%A4+b", "target": "5f"}
	if diff := cmp.Diff([]fakekms.Use{{Operation: "Encrypt", KeyID: arn, Context: bound},
		{Operation: "Decrypt", KeyID: arn, Context: bound}}, fake.Uses()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhatIsLostIsUnsealable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare    func(*fakekms.Server)
		arn        string
		change     func([]byte) []byte
		unsealable bool
	}{
		"another version":  {arn: arn, change: func(b []byte) []byte { b[0] = 2; return b }, unsealable: true},
		"only the version": {arn: arn, change: func(b []byte) []byte { return b[:1] }, unsealable: true},
		"another key":      {arn: other, unsealable: true},
		"no such key":      {arn: arn + "x"},
		"a disabled key":   {arn: arn, prepare: func(s *fakekms.Server) { s.Disable(arn) }},
		"not granted": {arn: arn, prepare: func(s *fakekms.Server) {
			s.Fail("Decrypt", fake.Refuse("AccessDeniedException", "User is not authorized to perform: kms:Decrypt"))
		}},
		"pending deletion": {arn: arn, prepare: func(s *fakekms.Server) {
			s.Fail("Decrypt", fake.Refuse("KMSInvalidStateException", "is pending deletion."))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, key := start(t)
			sealed, err := key(arn).Seal(t.Context(), secret.New("x"), here)
			if err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				sealed = test.change(sealed)
			}
			if test.prepare != nil {
				test.prepare(service)
			}
			if _, err := key(test.arn).Open(t.Context(), sealed, here); err == nil ||
				errors.Is(err, secret.ErrUnsealable) != test.unsealable {
				t.Errorf("error %v; unsealable should be %t", err, test.unsealable)
			}
		})
	}
}

func TestLengthsOfPasswords(t *testing.T) {
	t.Parallel()
	_, key := start(t)
	for length, good := range map[int]bool{1: true, 1024: true, 4096: true, 4097: false} {
		if _, err := key(arn).Seal(t.Context(), secret.New(strings.Repeat("x", length)), here); (err == nil) != good {
			t.Errorf("%d bytes: error %v", length, err)
		}
	}
}

func TestThrottlingIsWaitedFor(t *testing.T) {
	t.Parallel()
	service, key := start(t)
	service.Fail("Encrypt", fake.Refuse("ThrottlingException", "Rate exceeded"))
	if _, err := key(arn).Seal(t.Context(), secret.New("x"), here); err != nil {
		t.Error(err)
	}
	if calls := service.Calls(); len(calls) != 2 || calls[0].Code != "ThrottlingException" ||
		calls[1].AppID != "rollcall-test" {
		t.Errorf("calls %+v, want one that was throttled and one that was not, by rollcall-test", calls)
	}
}

//nolint:paralleltest // it sets the environment
func TestTheEndpointComesFromTheEnvironment(t *testing.T) {
	service, _ := start(t)
	key := kms.New(kms.NewClient(fake.FromEnvironment(t, "AWS_ENDPOINT_URL_KMS", service)), arn)
	if _, err := key.Seal(t.Context(), secret.New("x"), here); err != nil {
		t.Error(err)
	}
}
