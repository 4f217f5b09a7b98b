// Package s3 is the object store on AWS: one S3 bucket for all accounts. An object is at kind/account/rest, so that
// lifecycle rules work by kind, and everything of an account is below three prefixes. docs/adr/0010-bucket.md says why
// it reads, signs and fails as it does.
package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"rollcall/shared/ports/objects"
	"rollcall/shared/user"
)

// ErrReplaced means that an object was written again while it was read.
var ErrReplaced = errors.New("the object was replaced while it was read")

// Config is what a store works with.
type Config struct {
	Client *awss3.Client
	Bucket string
	// KeyID is the ARN of the KMS key that objects are encrypted with. Where it is empty, that is left to the bucket.
	KeyID string
	// LinkRole is the ARN of the role that links are signed for, and Roles the client that assumes it. Where LinkRole
	// is empty, links are signed with the client's own credentials, and Roles is not used.
	LinkRole string
	Roles    *sts.Client
	// Now defaults to time.Now.
	Now func() time.Time
}

// NewClient returns a client that slows down where S3 throttles it. Its endpoint may come from AWS_ENDPOINT_URL_S3, and
// then the bucket is named in the path, since its name need not resolve.
func NewClient(c aws.Config) *awss3.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return awss3.NewFromConfig(c, func(o *awss3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		// A part of an object has no checksum of its own to be checked; TLS and the readers' own checksums stay.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

// NewRoleClient returns a client for Config.Roles. Its endpoint may come from AWS_ENDPOINT_URL_STS.
func NewRoleClient(c aws.Config) *sts.Client {
	c.RetryMode = aws.RetryModeAdaptive
	return sts.NewFromConfig(c)
}

// Store is an objects.Store on a bucket.
type Store struct {
	c       Config
	uploads *transfermanager.Client
}

// New returns a store.
func New(c Config) *Store {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Store{c: c, uploads: newUploads(c.Client)}
}

// For returns the objects of an account.
func (s *Store) For(account user.Account) objects.Objects {
	return accountObjects{s, escape(account)}
}

type accountObjects struct {
	*Store
	account string
}

// escape writes an account's name with letters, digits and dashes; any other byte becomes an underscore and two
// hexadecimal digits. No two names give the same text, and none gives one that means something in a path, a URL or a
// policy.
func escape(account user.Account) string {
	var b strings.Builder
	for _, c := range []byte(account) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// name returns an object's key in the bucket.
func (o accountObjects) name(key string) (string, error) {
	if err := objects.CheckKey(key); err != nil {
		return "", err
	}
	kind, rest, _ := strings.Cut(key, "/")
	return kind + "/" + o.account + "/" + rest, nil
}

// Copy copies one object within the bucket, which S3 does by itself. Its limit is 5 GB: a plan of that length has tens
// of millions of rows.
func (o accountObjects) Copy(ctx context.Context, from, to string) error {
	source, err := o.name(from)
	if err != nil {
		return err
	}
	target, err := o.name(to)
	if err != nil {
		return err
	}
	// Neither bucket nor key holds anything that a URL would have to escape.
	in := &awss3.CopyObjectInput{Bucket: &o.c.Bucket, Key: &target, CopySource: aws.String(o.c.Bucket + "/" + source)}
	if o.c.KeyID != "" {
		// A copy does not take its encryption along.
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &o.c.KeyID,
			aws.Bool(true)
	}
	_, err = o.c.Client.CopyObject(ctx, in)
	return explain(err, "copy "+from)
}

// Delete removes an object; one that does not exist is no error.
func (o accountObjects) Delete(ctx context.Context, key string) error {
	name, err := o.name(key)
	if err != nil {
		return err
	}
	_, err = o.c.Client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &o.c.Bucket, Key: &name})
	return explain(err, "delete "+key)
}

// explain says what failed, in the port's errors where they fit. An object that is not there is a 404 only to callers
// with s3:ListBucket, which functions therefore have: to others S3 answers 403, and that stays an error of its own,
// since a missing grant must not look like a plan that expired.
func explain(err error, what string) error {
	if err == nil {
		return nil
	}
	var answer smithy.APIError
	if errors.As(err, &answer) {
		switch answer.ErrorCode() {
		// The answer to a HEAD has no body and no other code.
		case "NoSuchKey", "NotFound":
			return fmt.Errorf("%s: %w", what, objects.ErrNotFound)
		case "PreconditionFailed":
			return fmt.Errorf("%s: %w", what, ErrReplaced)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
