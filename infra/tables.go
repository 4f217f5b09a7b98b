package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// addTables makes the two tables. A table that was restored from one of them can take its place.
func (d *data) addTables() {
	users := d.newTable("users", manifest.UsersPartition, manifest.UsersSort, "")
	jobs := d.newTable("jobs", manifest.JobsPartition, manifest.JobsSort, manifest.ExpiresAt)
	jobs.AddLocalSecondaryIndex(&awsdynamodb.LocalSecondaryIndexProps{
		IndexName:      jsii.String(manifest.RunsIndex),
		SortKey:        attribute(manifest.KindRun, awsdynamodb.AttributeType_STRING),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	jobs.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(manifest.DueIndex),
		PartitionKey:   attribute(manifest.DueShard, awsdynamodb.AttributeType_STRING),
		SortKey:        attribute(manifest.DueAt, awsdynamodb.AttributeType_NUMBER),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	d.tables = []awsdynamodb.Table{users, jobs}
	d.users, d.jobs = d.orRestored("users", users, d.settings.UsersTable),
		d.orRestored("jobs", jobs, d.settings.JobsTable)
	output(d.stack, "UsersTable", "The Users List", d.users.TableName())
	output(d.stack, "JobsTable", "Settings, runs and audit", d.jobs.TableName())
}

func (d *data) orRestored(name string, made awsdynamodb.Table, restored string) awsdynamodb.ITable {
	if restored == "" {
		return made
	}
	return awsdynamodb.Table_FromTableName(d.stack, jsii.String("restored-"+name), jsii.String(restored))
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
			PointInTimeRecoveryEnabled: jsii.Bool(true), RecoveryPeriodInDays: jsii.Number(manifest.BackupDays),
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
