package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rollcall/shared/deployment"
)

// createLimit is how long a new table may take until it can be used.
const createLimit = 2 * time.Minute

// UsersTable is the Users table as it is created, paid by request.
func UsersTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            keySchema(deployment.UsersPartition, deployment.UsersSort),
		AttributeDefinitions: attributes(types.ScalarAttributeTypeS, deployment.UsersPartition, deployment.UsersSort),
	}
}

// JobsTable is the Jobs table as it is created, paid by request. Its time to live is set afterwards, with JobsExpiry.
func JobsTable(name string) *dynamodb.CreateTableInput {
	keysOnly := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keySchema(deployment.JobsPartition, deployment.JobsSort),
		AttributeDefinitions: append(
			attributes(types.ScalarAttributeTypeS, deployment.JobsPartition, deployment.JobsSort, deployment.KindRun, deployment.DueShard),
			attributes(types.ScalarAttributeTypeN, deployment.DueAt)...),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String(deployment.RunsIndex), KeySchema: keySchema(deployment.JobsPartition, deployment.KindRun), Projection: keysOnly,
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(deployment.DueIndex), KeySchema: keySchema(deployment.DueShard, deployment.DueAt), Projection: keysOnly,
		}},
	}
}

// JobsExpiry turns the Jobs table's time to live on.
func JobsExpiry(name string) *dynamodb.UpdateTimeToLiveInput {
	return &dynamodb.UpdateTimeToLiveInput{
		TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(deployment.ExpiresAt), Enabled: aws.Bool(true)},
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

// CreateTables makes both tables where they are missing and waits until they can be used. It is for tests and for trying things
// out: a deployment's tables are made by infra.
func CreateTables(ctx context.Context, client *dynamodb.Client, users, jobs string) error {
	for _, table := range []*dynamodb.CreateTableInput{UsersTable(users), JobsTable(jobs)} {
		_, err := client.CreateTable(ctx, table)
		var there *types.ResourceInUseException
		if err != nil && !errors.As(err, &there) {
			return fmt.Errorf("create table %s: %w", *table.TableName, err)
		}
		wait := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second })
		if err := wait.Wait(ctx, &dynamodb.DescribeTableInput{TableName: table.TableName}, createLimit); err != nil {
			return fmt.Errorf("wait for table %s: %w", *table.TableName, err)
		}
	}
	expiry, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &jobs})
	if err == nil && expiry.TimeToLiveDescription.TimeToLiveStatus == types.TimeToLiveStatusDisabled {
		_, err = client.UpdateTimeToLive(ctx, JobsExpiry(jobs))
	}
	if err != nil {
		return fmt.Errorf("set the time to live of table %s: %w", jobs, err)
	}
	return nil
}
