package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"rollcall/shared/ports/objects"
)

// UploadPath is where CloudFront, or UploadHandler, expects uploads: the keys of recordings, below the portal's origin.
const UploadPath = "/" + objects.RecordingPrefix

// UploadLink signs a PUT with the client's own credentials. The bucket's own encryption holds for what is sent: a
// header for it would tell whoever sends it the key's ARN. The signature covers the bucket's host, which whoever passes
// the request on has to put in place of the portal's.
func (o accountObjects) UploadLink(
	ctx context.Context, key string, content objects.Content, ttl time.Duration,
) (string, map[string]string, error) {
	name, err := o.name(key)
	if err != nil {
		return "", nil, err
	}
	signed, err := o.signPut(ctx, name, content, ttl)
	if err != nil {
		return "", nil, fmt.Errorf("link for %s: %w", key, err)
	}
	headers := make(map[string]string)
	for header := range signed.SignedHeader {
		if header != "Host" && header != "Content-Length" {
			headers[http.CanonicalHeaderKey(header)] = signed.SignedHeader.Get(header)
		}
	}
	// Nothing in a name has to be escaped. Where the endpoint is another than AWS's, the bucket is in the path as well.
	_, query, _ := strings.Cut(signed.URL, "?")
	return "/" + name + "?" + query, headers, nil
}

func (s *Store) signPut(
	ctx context.Context, name string, content objects.Content, ttl time.Duration,
) (*v4.PresignedHTTPRequest, error) {
	return awss3.NewPresignClient(s.c.Client).PresignPutObject(ctx, &awss3.PutObjectInput{
		Bucket: &s.c.Bucket, Key: &name, ContentLength: &content.Size,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(content.SHA256)),
	}, awss3.WithPresignExpires(ttl))
}

// UploadHandler passes on to the bucket what comes to the links that UploadLink signed, as CloudFront does on AWS: all
// as it came, and the bucket's host in place of its own.
func (s *Store) UploadHandler(ctx context.Context) (*httputil.ReverseProxy, error) {
	// One link that nobody gets tells where the client reaches the bucket.
	const name = objects.RecordingPrefix + "none"
	signed, err := s.signPut(ctx, name, objects.Content{SHA256: make([]byte, sha256.Size)}, time.Second)
	if err != nil {
		return nil, fmt.Errorf("find where uploads go: %w", err)
	}
	address, _, _ := strings.Cut(signed.URL, "?")
	bucket, err := url.Parse(strings.TrimSuffix(address, name))
	if err != nil {
		return nil, fmt.Errorf("find where uploads go: %w", err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(bucket) }}, nil
}
