package s3_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakes3"
	"rollcall/shared/adapters/aws/s3"
)

// gateway is the process's S3 server.
type gateway struct {
	endpoint, accessKey, secretKey string
	buckets                        atomic.Int64
}

var server gateway

func TestMain(m *testing.M) { os.Exit(serve(m)) }

func serve(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bucket-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	var stop func() error
	server.endpoint, server.accessKey, server.secretKey, stop, err = fakes3.Start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// wire records the requests that a client sends, and may answer one by itself.
type wire struct {
	mu       sync.Mutex
	requests []*http.Request
	// intercept may return an error or an answer in place of the server's.
	intercept func(*http.Request) (*http.Response, error)
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests = append(w.requests, r)
	intercept := w.intercept
	w.mu.Unlock()
	if intercept != nil {
		if response, err := intercept(r); response != nil || err != nil {
			return response, err
		}
	}
	return http.DefaultClient.Do(r)
}

// sent returns the requests of an operation, as the SDK names it in the query, or all for "".
func (w *wire) sent(operation string) []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*http.Request
	for _, r := range w.requests {
		if operation == "" || operationOf(r) == operation {
			out = append(out, r)
		}
	}
	return out
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = nil
}

// operationOf tells the S3 operation of a request.
func operationOf(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case query.Has("uploads") && r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case query.Has("uploadId"):
		return map[string]string{http.MethodPut: "UploadPart", http.MethodPost: "CompleteMultipartUpload",
			http.MethodDelete: "AbortMultipartUpload"}[r.Method]
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	}
	return map[string]string{http.MethodPut: "PutObject", http.MethodGet: "GetObject", http.MethodHead: "HeadObject",
		http.MethodDelete: "DeleteObject", http.MethodPost: "DeleteObjects"}[r.Method]
}

// open makes a bucket of its own and a store on it. change may be nil.
func open(t testing.TB, change func(*s3.Config)) (*s3.Store, *wire, s3.Config) {
	t.Helper()
	w := &wire{}
	c := fake.Config(server.endpoint)
	c.Credentials, c.HTTPClient = fake.Credentials(server.accessKey, server.secretKey), w
	config := s3.Config{Client: s3.NewClient(c), Bucket: fmt.Sprintf("bucket-%d", server.buckets.Add(1))}
	if _, err := config.Client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &config.Bucket}); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&config)
	}
	w.forget()
	return s3.New(config), w, config
}

// listed returns the keys in the bucket, and how many uploads are unfinished.
func listed(t testing.TB, c s3.Config) (keys []string, unfinished int) {
	t.Helper()
	objects, err := c.Client.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &c.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	slices.Sort(keys)
	uploads, err := c.Client.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &c.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	return keys, len(uploads.Uploads)
}

// versioned turns the bucket's versioning on.
func versioned(t testing.TB, c s3.Config) {
	t.Helper()
	if _, err := c.Client.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{
		Bucket:                  &c.Bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
}

// below reports whether all keys begin with a prefix.
func below(keys []string, prefix string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) })
}
