// Command preview is a handler with the Lambda library and the clients that functions/preview needs, and nothing
// else: what a cold start cannot go below.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	tables, objects := dynamodb.NewFromConfig(c), s3.NewFromConfig(c)
	queues, keys := sqs.NewFromConfig(c), kms.NewFromConfig(c)
	// The calls are never made; without them the linker would leave the clients out.
	lambda.Start(func(ctx context.Context) error {
		_, _ = tables.GetItem(ctx, nil)
		_, _ = tables.PutItem(ctx, nil)
		_, _ = tables.Query(ctx, nil)
		_, _ = objects.GetObject(ctx, nil)
		_, _ = objects.PutObject(ctx, nil)
		_, _ = queues.SendMessage(ctx, nil)
		_, _ = queues.ChangeMessageVisibility(ctx, nil)
		_, _ = keys.Encrypt(ctx, nil)
		_, err := keys.Decrypt(ctx, nil)
		return err
	})
}
