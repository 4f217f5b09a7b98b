package s3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"rollcall/shared/ports/objects"
)

// bodyAttempts is how often a part of an object is asked for where the connection breaks within its body, which the
// client does not try again by itself.
const bodyAttempts = 3

// Open opens an object with one request, which brings its end along: all of a small plan, the footer of a large one.
// Reads go on with ctx. They fetch what is read, and more and more ahead where it is read in order, and keep at most 8
// MiB.
func (o accountObjects) Open(ctx context.Context, key string) (objects.Object, error) {
	name, err := o.name(key)
	if err != nil {
		return nil, err
	}
	tail, err := o.get(ctx, &awss3.GetObjectInput{Bucket: &o.c.Bucket, Key: &name,
		Range: aws.String(fmt.Sprintf("bytes=-%d", tailSize))})
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode() == "InvalidRange":
		// An empty object has no end.
		return newWindow(0, part{}, nil), nil
	case err != nil:
		return nil, explain(err, "open "+key)
	}
	return newWindow(tail.size, tail.part, func(from, to int64) ([]byte, error) {
		got, err := o.get(ctx, &awss3.GetObjectInput{
			Bucket: &o.c.Bucket, Key: &name, IfMatch: tail.etag,
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
		})
		if err != nil {
			return nil, explain(err, "read "+key)
		}
		if got.offset != from || int64(len(got.data)) != to-from {
			return nil, fmt.Errorf("read %s: asked for bytes %d to %d, got %d from %d", key, from, to, len(got.data),
				got.offset)
		}
		return got.data, nil
	}), nil
}

// answer is a part of an object and what S3 says of the whole.
type answer struct {
	part
	size int64
	etag *string
}

// get asks for a part of an object and reads it.
func (o accountObjects) get(ctx context.Context, in *awss3.GetObjectInput) (answer, error) {
	var broken error
	for range bodyAttempts {
		out, err := o.c.Client.GetObject(ctx, in)
		if err != nil {
			return answer{}, err
		}
		a := answer{size: aws.ToInt64(out.ContentLength), etag: out.ETag}
		a.data = make([]byte, a.size)
		if text := aws.ToString(out.ContentRange); text != "" {
			var last int64
			if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &a.offset, &last, &a.size); err != nil {
				return answer{}, errors.Join(fmt.Errorf("content range %q: %w", text, err), out.Body.Close())
			}
		}
		_, err = io.ReadFull(out.Body, a.data)
		if broken = errors.Join(err, out.Body.Close()); broken == nil || ctx.Err() != nil {
			return a, broken
		}
	}
	return answer{}, broken
}
