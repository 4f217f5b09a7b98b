package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/manifest"
)

func TestWhatMustNotBeLostIsKept(t *testing.T) {
	kept := map[string][]string{}
	for name, a := range map[string]assembly{"plain": plain(t), "full": full(t)} {
		for id, r := range a.data.Resources {
			switch r.Type {
			case "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::EC2::EIP":
				kept[name] = append(kept[name], generated.ReplaceAllString(id, ""))
				if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
					t.Errorf("%s: %s %s would be deleted", name, r.Type, id)
				}
			}
		}
		slices.Sort(kept[name])
	}
	want := map[string][]string{
		"plain": {"accesslogs", "datakey", "jobs", "objects", "passwordskey", "people", "users"},
		"full":  {"accesslogs", "datakey", "egress1", "egress2", "egress3", "jobs", "objects", "passwordskey", "users"},
	}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Error(diff)
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ TerminationProtection bool }
		}
	}
	if err := readJSON(plain(t).out+"/manifest.json", &manifest); err != nil {
		t.Fatal(err)
	}
	if !manifest.Artifacts["data"].Properties.TerminationProtection {
		t.Error("the stack of data can be deleted by mistake")
	}
	for kind := range plain(t).service.Resources {
		if strings.HasPrefix(kind, "AWS::DynamoDB") {
			t.Errorf("the stack that may go has a %s", kind)
		}
	}
}

func TestTables(t *testing.T) {
	tables := plain(t).data
	for _, name := range []string{"users", "jobs"} {
		expect(t, tables.the(t, "AWS::DynamoDB::Table", name), map[string]string{
			"BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": "true",
			"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": "true",
			"PointInTimeRecoverySpecification.RecoveryPeriodInDays":       strconv.Itoa(manifest.BackupDays),
			"SSESpecification.SSEEnabled":                                 "true",
			"SSESpecification.KMSMasterKeyId":                             "datakey", "TableName": "<nil>",
		})
	}
	expect(t, tables.the(t, "AWS::DynamoDB::Table", "users"), map[string]string{
		"KeySchema.0.AttributeName": "accountShard", "KeySchema.0.KeyType": "HASH",
		"KeySchema.1.AttributeName": "address", "KeySchema.1.KeyType": "RANGE",
		"TimeToLiveSpecification": "<nil>",
	})
	expect(t, tables.the(t, "AWS::DynamoDB::Table", "jobs"), map[string]string{
		"KeySchema.0.AttributeName": "account", "KeySchema.1.AttributeName": "record",
		"TimeToLiveSpecification.AttributeName": "expiresAt", "TimeToLiveSpecification.Enabled": "true",
		"LocalSecondaryIndexes.0.IndexName": "runs", "LocalSecondaryIndexes.0.KeySchema.0.AttributeName": "account",
		"LocalSecondaryIndexes.0.KeySchema.1.AttributeName":  "kindRun",
		"LocalSecondaryIndexes.0.Projection.ProjectionType":  "KEYS_ONLY",
		"GlobalSecondaryIndexes.0.IndexName":                 "due",
		"GlobalSecondaryIndexes.0.KeySchema.0.AttributeName": "dueShard",
		"GlobalSecondaryIndexes.0.KeySchema.1.AttributeName": "dueAt",
		"GlobalSecondaryIndexes.0.Projection.ProjectionType": "KEYS_ONLY",
	})
}

func TestBuckets(t *testing.T) {
	data, service := plain(t).data, plain(t).service
	buckets := data.of("AWS::S3::Bucket")
	maps.Copy(buckets, service.of("AWS::S3::Bucket"))
	for name, bucket := range buckets {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
				"RestrictPublicBuckets"} {
				expect(t, bucket, map[string]string{"PublicAccessBlockConfiguration." + way: "true"})
			}
			policies := data.of("AWS::S3::BucketPolicy")
			maps.Copy(policies, service.of("AWS::S3::BucketPolicy"))
			deny := at(policies[name+"Policy"].Properties, "PolicyDocument.Statement.0")
			if show(at(deny, "Effect")) != "Deny" || show(at(deny, "Condition.Bool.aws:SecureTransport")) != "false" {
				t.Errorf("it can be read without TLS: %v", deny)
			}
		})
	}
	objects := data.the(t, "AWS::S3::Bucket", "objects")
	const encryption = "BucketEncryption.ServerSideEncryptionConfiguration.0."
	expect(t, objects, map[string]string{
		encryption + "BucketKeyEnabled":                             "true",
		encryption + "ServerSideEncryptionByDefault.SSEAlgorithm":   "aws:kms",
		encryption + "ServerSideEncryptionByDefault.KMSMasterKeyID": "datakey",
		"OwnershipControls.Rules.0.ObjectOwnership":                 "BucketOwnerEnforced",
		"LoggingConfiguration.DestinationBucketName":                "accesslogs",
	})
	var rules []string
	for _, rule := range list(at(objects.Properties, "LifecycleConfiguration.Rules")) {
		rules = append(rules, show(at(rule, "Prefix"))+" "+show(at(rule, "ExpirationInDays"))+" "+
			show(at(rule, "AbortIncompleteMultipartUpload.DaysAfterInitiation")))
	}
	if diff := cmp.Diff([]string{"plans/ 1 <nil>", "csv/ 1 <nil>", "journals/ 90 <nil>", "recordings/ 1 <nil>",
		"<nil> <nil> 1"},
		rules); diff != "" {
		t.Error(diff)
	}
}

func TestKeys(t *testing.T) {
	for name, key := range plain(t).data.of("AWS::KMS::Key") {
		expect(t, key, map[string]string{"EnableKeyRotation": "true", "PendingWindowInDays": "30"})
		for _, statement := range list(at(key.Properties, "KeyPolicy.Statement")) {
			owner := strings.HasSuffix(show(at(statement, "Principal.AWS")), ":root")
			if !owner && name == "passwordskey" {
				t.Errorf("somebody but the account's own policies opens passwords: %v", statement)
			}
			if !owner && at(statement, "Condition") == nil {
				t.Errorf("%s: an unconditional %v", name, statement)
			}
		}
	}
}

func TestPeopleCannotWriteWhatTheyAreTrustedFor(t *testing.T) {
	data, service := plain(t).data, plain(t).service
	expect(t, data.the(t, "AWS::Cognito::UserPool", "people"), map[string]string{
		"AdminCreateUserConfig.AllowAdminCreateUserOnly": "true", "DeletionProtection": "ACTIVE",
		"MfaConfiguration": "ON", "EnabledMfas": "[SOFTWARE_TOKEN_MFA]",
		"Policies.PasswordPolicy.MinimumLength": "12", "LambdaConfig.PreTokenGenerationConfig.LambdaVersion": "V3_0",
		"LambdaConfig.PreTokenGenerationConfig.LambdaArn": "token", "Schema.1.Name": "account",
		"UserPoolTier": "ESSENTIALS",
	})
	expect(t, service.the(t, "AWS::Cognito::UserPoolClient", "pageclient"), map[string]string{
		"WriteAttributes": "[email]", "GenerateSecret": "false", "AllowedOAuthFlows": "[code]",
		"ExplicitAuthFlows": "[ALLOW_REFRESH_TOKEN_AUTH]",
		"CallbackURLs.0":    "https://cdn/", "LogoutURLs.0": "https://cdn/", "PreventUserExistenceErrors": "ENABLED",
	})
	scopes := shown(at(service.the(t, "AWS::Cognito::UserPoolClient", "pageclient").Properties, "AllowedOAuthScopes"))
	if len(scopes) != 3 || scopes[0] != "openid" || !strings.HasSuffix(scopes[1], "/read") ||
		!strings.HasSuffix(scopes[2], "/admin") {
		t.Errorf("the page may ask for %v", scopes)
	}
	if pools := full(t).data.of("AWS::Cognito::UserPool"); len(pools) != 0 {
		t.Error("a user pool beside an issuer that was given")
	}
}

// tableShape is what a table's users depend on, as text: keys, indexes, billing, time to live.
type tableShape struct {
	Keys, Attributes []string
	Indexes          map[string]string
	Billing, Expires string
}

// shapeOf is the shape of a table that package dynamodb makes for tests.
func shapeOf(in *awsdynamodb.CreateTableInput, expires string) tableShape {
	shape := tableShape{Keys: keysOf(in.KeySchema), Indexes: map[string]string{}, Billing: string(in.BillingMode),
		Expires: expires}
	for _, a := range in.AttributeDefinitions {
		shape.Attributes = append(shape.Attributes, aws.ToString(a.AttributeName)+" "+string(a.AttributeType))
	}
	for _, i := range in.LocalSecondaryIndexes {
		shape.Indexes["local "+aws.ToString(i.IndexName)] = strings.Join(keysOf(i.KeySchema), ", ") + ": " +
			string(i.Projection.ProjectionType)
	}
	for _, i := range in.GlobalSecondaryIndexes {
		shape.Indexes["global "+aws.ToString(i.IndexName)] = strings.Join(keysOf(i.KeySchema), ", ") + ": " +
			string(i.Projection.ProjectionType)
	}
	slices.Sort(shape.Attributes)
	return shape
}

func keysOf(schema []types.KeySchemaElement) []string {
	var keys []string
	for _, k := range schema {
		keys = append(keys, aws.ToString(k.AttributeName)+" "+string(k.KeyType))
	}
	return keys
}

// deployedShape is the shape of a table in a template.
func deployedShape(r resource) tableShape {
	shape := tableShape{
		Keys: deployedKeys(r.Properties["KeySchema"]), Indexes: map[string]string{},
		Billing: show(r.Properties["BillingMode"]),
	}
	if expires := at(r.Properties, "TimeToLiveSpecification.AttributeName"); expires != nil {
		shape.Expires = show(expires)
	}
	for _, a := range list(r.Properties["AttributeDefinitions"]) {
		shape.Attributes = append(shape.Attributes, show(at(a, "AttributeName"))+" "+show(at(a, "AttributeType")))
	}
	for kind, property := range map[string]string{"local ": "LocalSecondaryIndexes",
		"global ": "GlobalSecondaryIndexes"} {
		for _, i := range list(r.Properties[property]) {
			shape.Indexes[kind+show(at(i, "IndexName"))] = strings.Join(deployedKeys(at(i, "KeySchema")), ", ") + ": " +
				show(at(i, "Projection.ProjectionType"))
		}
	}
	slices.Sort(shape.Attributes)
	return shape
}

func deployedKeys(schema any) []string {
	var keys []string
	for _, k := range list(schema) {
		keys = append(keys, show(at(k, "AttributeName"))+" "+show(at(k, "KeyType")))
	}
	return keys
}

// The adapters are tested on tables that package dynamodb makes: those of a deployment must be the same.
func TestTablesAreThoseThatTheAdaptersAreTestedOn(t *testing.T) {
	for name, want := range map[string]tableShape{
		"users": shapeOf(dynamodb.UsersTable("users"), ""),
		"jobs": shapeOf(dynamodb.JobsTable("jobs"),
			aws.ToString(dynamodb.JobsExpiry("jobs").TimeToLiveSpecification.AttributeName)),
	} {
		if diff := cmp.Diff(want, deployedShape(plain(t).data.the(t, "AWS::DynamoDB::Table", name))); diff != "" {
			t.Errorf("%s (-tested +deployed):\n%s", name, diff)
		}
	}
}
