package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/objects"
)

// addBuckets makes the bucket of plans, CSVs, journals and recordings, and the one that keeps a record of who read it.
func (d *data) addBuckets() {
	d.logs = awss3.NewBucket(d.stack, jsii.String("access-logs"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		// S3 delivers access logs to no bucket with a customer managed key.
		Encryption: awss3.BucketEncryption_S3_MANAGED,
		// Earlier versions had CloudFront's log here, which came with an access control list: while a bucket has one,
		// S3 refuses to enforce its owner.
		ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_PREFERRED,
		LifecycleRules:  &[]*awss3.LifecycleRule{expire("", manifest.AccessLogDays*day)},
		RemovalPolicy:   awscdk.RemovalPolicy_RETAIN,
	})
	d.bucket = awss3.NewBucket(d.stack, jsii.String("objects"), &awss3.BucketProps{
		BlockPublicAccess:      awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:             jsii.Bool(true),
		MinimumTLSVersion:      jsii.Number(1.2),
		Encryption:             awss3.BucketEncryption_KMS,
		EncryptionKey:          d.dataKey,
		BucketKeyEnabled:       jsii.Bool(true),
		ObjectOwnership:        awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		ServerAccessLogsBucket: d.logs,
		ServerAccessLogsPrefix: jsii.String("objects/"),
		LifecycleRules: &[]*awss3.LifecycleRule{
			expire(objects.PlanPrefix, importer.PlanLifetime),
			expire(objects.CSVPrefix, importer.PlanLifetime),
			expire(objects.JournalPrefix, importer.RecordLifetime),
			// Read as soon as they are whole.
			expire(objects.RecordingPrefix, day),
			{Id: jsii.String("unfinished"), AbortIncompleteMultipartUploadAfter: seconds(day)},
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	output(d.stack, "Bucket", "Plans, CSVs and journals", d.bucket.BucketName())
	output(d.stack, "AccessLogs", "Who read the bucket", d.logs.BucketName())
}

// expire deletes what begins with a prefix once it is that old.
func expire(prefix string, after time.Duration) *awss3.LifecycleRule {
	rule := &awss3.LifecycleRule{Id: jsii.String("everything"), Expiration: seconds(after)}
	if prefix != "" {
		rule.Id, rule.Prefix = jsii.String(prefix), jsii.String(prefix)
	}
	return rule
}
