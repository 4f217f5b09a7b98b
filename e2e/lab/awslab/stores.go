package awslab

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/awstest"
	"rollcall/shared/bucket"
	"rollcall/shared/dynamo"
)

// Config is the configuration of a client of the lab's service with a name, such as DYNAMODB.
func (l *Lab) Config(service string) aws.Config {
	c := awstest.Config(l.Shared["AWS_ENDPOINT_URL_"+service])
	c.Credentials = awstest.Credentials(l.Shared["AWS_ACCESS_KEY_ID"], l.Shared["AWS_SECRET_ACCESS_KEY"])
	return c
}

// createStores makes the tables and the bucket.
func (l *Lab) createStores(ctx context.Context) error {
	files := bucket.Config{Client: bucket.NewClient(l.Config("S3")), Bucket: Bucket}
	return errors.Join(dynamo.CreateTables(ctx, dynamo.NewClient(l.Config("DYNAMODB")), UsersTable, JobsTable),
		files.Create(ctx))
}
