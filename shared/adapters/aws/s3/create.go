package s3

import (
	"context"
	"errors"
	"fmt"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Create makes the bucket where it is missing. It is for tests and for trying things out: a deployment's bucket is made
// by infra, with its lifecycle and encryption.
func (c Config) Create(ctx context.Context) error {
	_, err := c.Client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: &c.Bucket})
	var own *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &own) {
		return fmt.Errorf("create bucket %s: %w", c.Bucket, err)
	}
	return nil
}
