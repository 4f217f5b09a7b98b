package awslab

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/s3"
)

// Config is the configuration of a client of the lab's service with a name, such as DYNAMODB.
func (l *Lab) Config(service string) aws.Config {
	c := fake.Config(l.Shared["AWS_ENDPOINT_URL_"+service])
	c.Credentials = fake.Credentials(l.Shared["AWS_ACCESS_KEY_ID"], l.Shared["AWS_SECRET_ACCESS_KEY"])
	return c
}

func (l *Lab) files() s3.Config {
	return s3.Config{Client: s3.NewClient(l.Config("S3")), Bucket: Bucket}
}

// UploadHandler does what CloudFront does with uploads below s3.UploadPath.
func (l *Lab) UploadHandler(ctx context.Context) (http.Handler, error) {
	return s3.New(l.files()).UploadHandler(ctx)
}

// createStores makes the tables and the bucket.
func (l *Lab) createStores(ctx context.Context) error {
	files := l.files()
	return errors.Join(dynamodb.CreateTables(ctx, dynamodb.NewClient(l.Config("DYNAMODB")), UsersTable, JobsTable),
		files.Create(ctx))
}
