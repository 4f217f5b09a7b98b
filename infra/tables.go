package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/deployment"
)

// addTables makes the two tables. They have no names of their own, so that a restored one can take their place.
func (d *data) addTables() {
	d.users = d.newTable("users", deployment.UsersPartition, deployment.UsersSort, "")
	d.jobs = d.newTable("jobs", deployment.JobsPartition, deployment.JobsSort, deployment.ExpiresAt)
	d.jobs.AddLocalSecondaryIndex(&awsdynamodb.LocalSecondaryIndexProps{
		IndexName:      jsii.String(deployment.RunsIndex),
		SortKey:        attribute(deployment.KindRun, awsdynamodb.AttributeType_STRING),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	d.jobs.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(deployment.DueIndex),
		PartitionKey:   attribute(deployment.DueShard, awsdynamodb.AttributeType_STRING),
		SortKey:        attribute(deployment.DueAt, awsdynamodb.AttributeType_NUMBER),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	output(d.stack, "UsersTable", "The Users List", d.users.TableName())
	output(d.stack, "JobsTable", "Settings, runs and audit", d.jobs.TableName())
}

// newTable makes a table whose keys are text. Without a name in expires nothing in it expires.
func (d *data) newTable(name, partition, sort, expires string) awsdynamodb.Table {
	props := &awsdynamodb.TableProps{
		PartitionKey:       attribute(partition, awsdynamodb.AttributeType_STRING),
		SortKey:            attribute(sort, awsdynamodb.AttributeType_STRING),
		BillingMode:        awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Encryption:         awsdynamodb.TableEncryption_CUSTOMER_MANAGED,
		EncryptionKey:      d.dataKey,
		DeletionProtection: jsii.Bool(true),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	}
	if expires != "" {
		props.TimeToLiveAttribute = jsii.String(expires)
	}
	return awsdynamodb.NewTable(d.stack, jsii.String(name), props)
}

func attribute(name string, kind awsdynamodb.AttributeType) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: kind}
}
