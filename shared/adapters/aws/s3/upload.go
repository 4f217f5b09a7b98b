package s3

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"rollcall/shared/ports/objects"
)

// UploadLink signs a PUT with the client's own credentials. The bucket's own encryption holds for what is sent: a
// header for it would tell whoever sends it the key's ARN.
func (o accountObjects) UploadLink(
	ctx context.Context, key string, content objects.Content, ttl time.Duration,
) (string, map[string]string, error) {
	name, err := o.name(key)
	if err != nil {
		return "", nil, err
	}
	request, err := awss3.NewPresignClient(o.c.Client).PresignPutObject(ctx, &awss3.PutObjectInput{
		Bucket: &o.c.Bucket, Key: &name, ContentLength: &content.Size,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(content.SHA256)),
	}, awss3.WithPresignExpires(ttl))
	if err != nil {
		return "", nil, fmt.Errorf("link for %s: %w", key, err)
	}
	headers := make(map[string]string)
	for header := range request.SignedHeader {
		if header != "Host" && header != "Content-Length" {
			headers[http.CanonicalHeaderKey(header)] = request.SignedHeader.Get(header)
		}
	}
	return request.URL, headers, nil
}
