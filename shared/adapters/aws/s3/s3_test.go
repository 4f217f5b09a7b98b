package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/objects/objectstest"
	"rollcall/shared/user"
)

const (
	dataKey = "arn:aws:kms:us-east-1:111122223333:key/data"
	part    = 8 << 20
)

func TestConformance(t *testing.T) {
	t.Parallel()
	objectstest.Run(t, func(t *testing.T) (objects.Store, http.Handler) {
		s, _, _ := open(t, nil)
		return s, uploads(t, s)
	})
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func put(t testing.TB, o objects.Objects, key string, write func(io.Writer) error) {
	t.Helper()
	if err := o.Put(t.Context(), key, write); err != nil {
		t.Fatal(err)
	}
}

func TestKeysBeginWithTheKindAndTheAccount(t *testing.T) {
	t.Parallel()
	s, _, c := open(t, nil)
	var want []string
	for account, escaped := range map[user.Account]string{
		"acme-1": "acme-1", "": "_", "_": "_5f", "__": "_5f_5f", "..": "_2e_2e", "a/b": "a_2fb", "a_2fb": "a_5f2fb",
		"ä": "_c3_a4", "\xff*": "_ff_2a",
	} {
		put(t, s.For(account), "plans/01J", text(""))
		put(t, s.For(account), "csv/01J.csv", text(""))
		want = append(want, "plans/"+escaped+"/01J", "csv/"+escaped+"/01J.csv")
	}
	slices.Sort(want)
	got, _ := listed(t, c)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// noise writes n bytes that are the same each time.
func noise(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.CopyN(w, rand.NewChaCha8([32]byte{}), int64(n))
		return err
	}
}

func TestUploadsOfAnyLengthAreWhole(t *testing.T) {
	t.Parallel()
	s, w, c := open(t, nil)
	o := s.For("acme")
	for length, parts := range map[int]int{0: 0, 1: 0, part - 1: 0, part: 1, part + 1: 2, 3*part + 7: 4} {
		w.forget()
		put(t, o, "plans/a", noise(length))
		if got := len(w.sent("UploadPart")); got != parts {
			t.Errorf("%d bytes went in %d parts, want %d", length, got, parts)
		}
		var want, got bytes.Buffer
		object, err := o.Open(t.Context(), "plans/a")
		if err != nil {
			t.Fatal(err)
		}
		if err := noise(length)(&want); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&got, io.NewSectionReader(object, 0, object.Size())); err != nil ||
			!bytes.Equal(want.Bytes(), got.Bytes()) {
			t.Errorf("%d bytes came back as %d, error %v", want.Len(), got.Len(), err)
		}
		object.Close()
	}
	if _, unfinished := listed(t, c); unfinished != 0 {
		t.Errorf("%d uploads are unfinished", unfinished)
	}
}

func TestWhatIsNotFinishedIsAborted(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		length int
		// then ends the upload after length bytes.
		then  func(cancel context.CancelCauseFunc, w io.Writer) error
		abort int
	}{
		"write fails early": {10, func(context.CancelCauseFunc, io.Writer) error { return broken }, 0},
		"write fails":       {3*part + 1, func(context.CancelCauseFunc, io.Writer) error { return broken }, 1},
		"context ends early": {10, func(cancel context.CancelCauseFunc,
			w io.Writer) error {
			cancel(broken)
			return noise(part)(w)
		}, 0},
		"context ends": {3 * part, func(cancel context.CancelCauseFunc,
			w io.Writer) error {
			cancel(broken)
			return noise(9 * part)(w)
		}, 1},
		"context ends after the last byte": {3 * part, func(cancel context.CancelCauseFunc, _ io.Writer) error {
			cancel(broken)
			return nil
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w, c := open(t, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			err := s.For("acme").Put(ctx, "plans/a", func(out io.Writer) error {
				if err := noise(test.length)(out); err != nil {
					return err
				}
				return test.then(cancel, out)
			})
			if !errors.Is(err, broken) {
				t.Errorf("error %v, want %v", err, broken)
			}
			keys, unfinished := listed(t, c)
			if aborts := len(w.sent("AbortMultipartUpload")); aborts != test.abort || unfinished != 0 || keys != nil {
				t.Errorf("%d aborts, want %d; %d uploads are unfinished; objects %q", aborts, test.abort, unfinished,
					keys)
			}
		})
	}
}

func TestAWriteThatDoesNotReturnLeavesNothing(t *testing.T) {
	t.Parallel()
	s, _, c := open(t, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_ = s.For("acme").Put(t.Context(), "plans/a", func(w io.Writer) error {
			if err := noise(2 * part)(w); err != nil {
				return err
			}
			panic("a bug")
		})
	}()
	// Nobody waits for the upload's end any more.
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		keys, unfinished := listed(t, c)
		if keys == nil && unfinished == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("objects %q, %d uploads are unfinished", keys, unfinished)
		}
	}
}

func TestAnUploadThatS3RefusesEndsItsWriter(t *testing.T) {
	t.Parallel()
	s, w, c := open(t, nil)
	w.intercept = func(r *http.Request) (*http.Response, error) {
		if operationOf(r) == "UploadPart" {
			return refusal(r, http.StatusForbidden, "AccessDenied"), nil
		}
		return nil, nil
	}
	err := s.For("acme").Put(t.Context(), "plans/a", noise(20*part))
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v, want what S3 said", err)
	}
	if keys, unfinished := listed(t, c); keys != nil || unfinished != 0 {
		t.Errorf("objects %q, %d uploads are unfinished", keys, unfinished)
	}
}

// refusal is an answer of S3's that says no.
func refusal(r *http.Request, status int, code string) *http.Response {
	if r.Method == http.MethodHead {
		return reply(r, status, "")
	}
	return reply(r, status, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}, "Etag": {`"e"`}},
		Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func TestEncryptionIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", dataKey} {
		s, w, _ := open(t, func(c *s3.Config) { c.KeyID = key })
		o := s.For("acme")
		put(t, o, "plans/small", text("x"))
		put(t, o, "plans/large", noise(part))
		if err := o.Copy(t.Context(), "plans/small", "journals/small"); err != nil {
			t.Fatal(err)
		}
		for _, operation := range []string{"PutObject", "CreateMultipartUpload", "CopyObject"} {
			requests := w.sent(operation)
			if len(requests) != 1 {
				t.Fatalf("%d requests for %s, want 1", len(requests), operation)
			}
			header := requests[0].Header
			got := []string{
				header.Get("X-Amz-Server-Side-Encryption"), header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"),
				header.Get("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"),
			}
			want := []string{"", "", ""}
			if key != "" {
				want = []string{"aws:kms", key, "true"}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s with key %q: %s", operation, key, diff)
			}
		}
	}
}

func TestAMissingGrantIsNotAMissingObject(t *testing.T) {
	t.Parallel()
	s, w, _ := open(t, nil)
	o := s.For("acme")
	w.intercept = func(r *http.Request) (*http.Response, error) {
		return refusal(r, http.StatusForbidden, "AccessDenied"), nil
	}
	_, openErr := o.Open(t.Context(), "plans/a")
	_, _, linkErr := o.Link(t.Context(), "csv/a.csv", "a.csv", time.Hour)
	for name, err := range map[string]error{"open": openErr, "link": linkErr,
		"copy": o.Copy(t.Context(), "plans/a", "plans/b")} {
		if err == nil || errors.Is(err, objects.ErrNotFound) {
			t.Errorf("%s: error %v, want another than %v", name, err, objects.ErrNotFound)
		}
	}
	w.intercept = func(r *http.Request) (*http.Response, error) {
		return refusal(r, http.StatusNotFound, "NoSuchBucket"), nil
	}
	if _, err := o.Open(t.Context(), "plans/a"); err == nil || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("no bucket: error %v, want another than %v", err, objects.ErrNotFound)
	}
}

func TestEraseLeavesOtherAccountsAlone(t *testing.T) {
	t.Parallel()
	s, _, c := open(t, nil)
	versioned(t, c)
	for _, account := range []user.Account{"acme", "acme2", "ac"} {
		o := s.For(account)
		for i := range 3 {
			put(t, o, fmt.Sprintf("plans/%d", i), text("x"))
		}
		put(t, o, "plans/0", text("a second version"))
		put(t, o, "csv/a.csv", text("x"))
		put(t, o, "journals/a", text("x"))
		if err := o.Delete(t.Context(), "journals/a"); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{6, 0} {
		if n, err := s.Erase(t.Context(), "acme"); err != nil || n != want {
			t.Errorf("%d versions were erased, error %v; want %d", n, err, want)
		}
	}
	if n, err := s.Erase(t.Context(), "acme2"); err != nil || n != 6 {
		t.Errorf("%d versions of the other account were left, error %v; want 6", n, err)
	}
	if keys, _ := listed(t, c); len(keys) != 4 || !below(keys[:1], "csv/ac/") || !below(keys[1:], "plans/ac/") {
		t.Errorf("left are %q", keys)
	}
}

//nolint:paralleltest // it sets the environment
func TestTheEndpointComesFromTheEnvironment(t *testing.T) {
	var paths []string
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	})
	client := s3.NewClient(fake.FromEnvironment(t, "AWS_ENDPOINT_URL_S3", service))
	if err := s3.New(s3.Config{Client: client, Bucket: "b"}).For("acme").Delete(t.Context(), "plans/a"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"DELETE /b/plans/acme/a"}, paths); diff != "" {
		t.Error(diff)
	}
	if aws.ToString(client.Options().BaseEndpoint) == "" || !client.Options().UsePathStyle {
		t.Error("the bucket is not named in the path")
	}
}

//nolint:paralleltest // it measures the process's memory
func TestAnUploadTakesLittleMemory(t *testing.T) {
	s, w, _ := open(t, nil)
	w.intercept = func(r *http.Request) (*http.Response, error) {
		switch operationOf(r) {
		case "CreateMultipartUpload":
			return reply(r, http.StatusOK,
				"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"), nil
		case "CompleteMultipartUpload":
			return reply(
				r, http.StatusOK, "<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>",
			), nil
		}
		_, err := io.Copy(io.Discard, r.Body)
		return reply(r, http.StatusOK, ""), err
	}
	const length = 200 << 20
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	put(t, s.For("acme"), "plans/a", func(out io.Writer) error {
		for range length >> 20 {
			if err := noise(1 << 20)(out); err != nil {
				return err
			}
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse-min(before.HeapInuse, now.HeapInuse))
		}
		return nil
	})
	if t.Logf("%d MiB in use at most", most>>20); most > 64<<20 {
		t.Errorf("an upload of %d MiB took %d MiB of memory", length>>20, most>>20)
	}
}
