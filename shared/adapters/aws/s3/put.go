package s3

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"rollcall/shared/ports/objects"
)

const (
	// partSize is the length of an upload's parts in bytes; what is shorter goes in one request. S3 takes 10,000 parts,
	// so 80 GB.
	partSize = 8 << 20
	// partsAtOnce is how many parts are sent at a time. One more is being filled.
	partsAtOnce = 2
	// buffer gathers small writes.
	buffer = 64 << 10
	// abortTime is how long there is to abort an upload after its context has ended.
	abortTime = 10 * time.Second
)

// errUnfinished is what an upload reads where write panicked.
var errUnfinished = errors.New("the object was not finished")

func newUploads(client *awss3.Client) *transfermanager.Client {
	return transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency, o.FailTimeout = partSize, partSize, partsAtOnce,
			abortTime
	})
}

// Put streams an object. It holds at most four parts in memory. Where write fails or ctx ends, what was sent is
// aborted; parts whose abortion fails are left to the bucket's lifecycle.
func (o accountObjects) Put(ctx context.Context, key string, write func(io.Writer) error) error {
	name, err := o.name(key)
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	// Of several ends the first one counts, for both sides.
	unblock := context.AfterFunc(ctx, func() { reader.CloseWithError(context.Cause(ctx)) })
	defer unblock()
	uploaded := make(chan error, 1)
	go func() {
		_, err := o.uploads.UploadObject(ctx, o.upload(key, name, reader))
		reader.CloseWithError(err)
		uploaded <- err
	}()
	err = fill(writer, write)
	uploadErr := <-uploaded
	switch {
	case err != nil:
		// What ended the upload, or ctx, came to write through the pipe.
		return fmt.Errorf("write %s: %w", key, err)
	case uploadErr != nil:
		return fmt.Errorf("write %s: %w", key, errors.Join(context.Cause(ctx), uploadErr))
	}
	return nil
}

// fill lets write write and says how it ended, also where it does not return.
func fill(to *io.PipeWriter, write func(io.Writer) error) error {
	defer to.CloseWithError(errUnfinished)
	buffered := bufio.NewWriterSize(to, buffer)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	to.CloseWithError(err)
	return err
}

func (o accountObjects) upload(key, name string, body io.Reader) *transfermanager.UploadObjectInput {
	in := &transfermanager.UploadObjectInput{Bucket: &o.c.Bucket, Key: &name, Body: body,
		ContentType: aws.String(objects.ContentType(key))}
	if o.c.KeyID != "" {
		in.ServerSideEncryption, in.SSEKMSKeyID, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &o.c.KeyID,
			aws.Bool(true)
	}
	return in
}
