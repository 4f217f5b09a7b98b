package s3_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakes3"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/objects/objectstest"
)

// uploads is the handler of a store's upload links.
func uploads(t *testing.T, s *s3.Store) *httputil.ReverseProxy {
	t.Helper()
	handler, err := s.UploadHandler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// TestUploadLinksOnThePortalsHost sends blocks as a connector does on AWS: to the portal, where CloudFront puts the
// bucket's own host in place of the portal's, and sends the rest on as it came.
func TestUploadLinksOnThePortalsHost(t *testing.T) {
	t.Parallel()
	_, _, c := open(t, nil)
	host := c.Bucket + "." + fakes3.Domain
	// The client takes this server for AWS: the bucket is in the host, and the connection would be TLS.
	toServer := &http.Transport{DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != host+":443" {
			t.Errorf("a request goes to %s, want %s", address, host)
		}
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server.endpoint, "http://"))
	}}
	s := s3.New(s3.Config{Bucket: c.Bucket, Client: s3.NewClient(aws.Config{
		Region: fakes3.Region, Credentials: fake.Credentials(server.accessKey, server.secretKey),
		HTTPClient: &http.Client{Transport: toServer},
	})})
	cloudFront := uploads(t, s)
	cloudFront.Transport = toServer
	objectstest.Uploads(t, s, cloudFront)

	link, headers, err := s.For("a/b").UploadLink(t.Context(), "recordings/a.1.0", objects.Content{
		Size: 1, SHA256: make([]byte, 32)}, time.Hour)
	if err != nil || !strings.HasPrefix(link, s3.UploadPath+"a_2fb/a.1.0?X-Amz-") {
		t.Errorf("the link is %s, error %v", link, err)
	}
	// CloudFront's policy has to send on what is signed.
	if signed := query(t, link).Get("X-Amz-SignedHeaders"); signed != "content-length;host;x-amz-checksum-sha256" ||
		len(headers) != 1 {
		t.Errorf("signed are the headers %s, and %v are to be sent", signed, headers)
	}
	asItCame := *cloudFront
	asItCame.Rewrite = func(r *httputil.ProxyRequest) {
		cloudFront.Rewrite(r)
		r.Out.Host = r.In.Host
	}
	for handler, want := range map[*httputil.ReverseProxy]string{cloudFront: "BadDigest", &asItCame: "Signature"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, link, strings.NewReader("x"))
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if answer, _ := io.ReadAll(w.Body); w.Code < 400 || !strings.Contains(string(answer), want) {
			t.Errorf("S3 answers %d: %s; want %s", w.Code, answer, want)
		}
	}
}

// TestWhereUploadsGo is about what infra makes the origin of CloudFront's requests.
func TestWhereUploadsGo(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"us-east-1":    "https://objects.s3.us-east-1.amazonaws.com/recordings/acme/a.1.0?x=1%2F2",
		"eu-central-1": "https://objects.s3.eu-central-1.amazonaws.com/recordings/acme/a.1.0?x=1%2F2",
		"cn-north-1":   "https://objects.s3.cn-north-1.amazonaws.com.cn/recordings/acme/a.1.0?x=1%2F2",
	} {
		s := s3.New(s3.Config{Bucket: "objects", Client: s3.NewClient(aws.Config{
			Region: region, Credentials: fake.Credentials("AKIAEXAMPLE", "secret")})})
		r := &httputil.ProxyRequest{
			In: httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/recordings/acme/a.1.0?x=1%2F2", nil)}
		r.Out = r.In.Clone(t.Context())
		uploads(t, s).Rewrite(r)
		if got := r.Out.URL.String(); got != want || r.Out.Host != "" {
			t.Errorf("%s: %s with the host %q, want %s", region, got, r.Out.Host, want)
		}
	}
}
