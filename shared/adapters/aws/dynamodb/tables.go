package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/manifest"
)

// createLimit is how long a new table may take until it can be used.
const createLimit = 2 * time.Minute

// UsersTable is the Users table as it is created, paid by request.
func UsersTable(name string) *awsdynamodb.CreateTableInput {
	return &awsdynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            keySchema(manifest.UsersPartition, manifest.UsersSort),
		AttributeDefinitions: attributes(types.ScalarAttributeTypeS, manifest.UsersPartition, manifest.UsersSort),
	}
}

// JobsTable is the Jobs table as it is created, paid by request. Its time to live is set afterwards, with JobsExpiry.
func JobsTable(name string) *awsdynamodb.CreateTableInput {
	keysOnly := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	return &awsdynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keySchema(manifest.JobsPartition, manifest.JobsSort),
		AttributeDefinitions: append(
			attributes(types.ScalarAttributeTypeS, manifest.JobsPartition, manifest.JobsSort, manifest.KindRun,
				manifest.DueShard),
			attributes(types.ScalarAttributeTypeN, manifest.DueAt)...),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String(manifest.RunsIndex), KeySchema: keySchema(manifest.JobsPartition, manifest.KindRun),
			Projection: keysOnly,
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(manifest.DueIndex), KeySchema: keySchema(manifest.DueShard, manifest.DueAt),
			Projection: keysOnly,
		}},
	}
}

// JobsExpiry turns the Jobs table's time to live on.
func JobsExpiry(name string) *awsdynamodb.UpdateTimeToLiveInput {
	return &awsdynamodb.UpdateTimeToLiveInput{
		TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(manifest.ExpiresAt), Enabled: aws.Bool(true),
		},
	}
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

func attributes(kind types.ScalarAttributeType, names ...string) []types.AttributeDefinition {
	var all []types.AttributeDefinition
	for _, name := range names {
		all = append(all, types.AttributeDefinition{AttributeName: &name, AttributeType: kind})
	}
	return all
}

// CreateTables makes both tables where they are missing and waits until they can be used. It is for tests and for
// trying things out: a deployment's tables are made by infra.
func CreateTables(ctx context.Context, client *awsdynamodb.Client, users, jobs string) error {
	for _, table := range []*awsdynamodb.CreateTableInput{UsersTable(users), JobsTable(jobs)} {
		_, err := client.CreateTable(ctx, table)
		var there *types.ResourceInUseException
		if err != nil && !errors.As(err, &there) {
			return fmt.Errorf("create table %s: %w", *table.TableName, err)
		}
		wait := awsdynamodb.NewTableExistsWaiter(client,
			func(o *awsdynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
		if err := wait.Wait(ctx, &awsdynamodb.DescribeTableInput{TableName: table.TableName}, createLimit); err != nil {
			return fmt.Errorf("wait for table %s: %w", *table.TableName, err)
		}
	}
	expiry, err := client.DescribeTimeToLive(ctx, &awsdynamodb.DescribeTimeToLiveInput{TableName: &jobs})
	if err == nil && expiry.TimeToLiveDescription.TimeToLiveStatus == types.TimeToLiveStatusDisabled {
		_, err = client.UpdateTimeToLive(ctx, JobsExpiry(jobs))
	}
	if err != nil {
		return fmt.Errorf("set the time to live of table %s: %w", jobs, err)
	}
	return nil
}
