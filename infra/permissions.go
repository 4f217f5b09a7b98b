package main

import (
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// conditions are a statement's: what each operator holds against each key.
type conditions map[string]*map[string]any

// grant lets a role do actions to resources, under conditions if there are any.
func grant(role awsiam.Role, actions []string, under conditions, resources ...*string) {
	options := &awsiam.GrantOnPrincipalOptions{Grantee: role, Actions: jsii.Strings(actions...),
		ResourceArns: &resources}
	if under != nil {
		options.Conditions = (*map[string]*map[string]any)(&under)
	}
	awsiam.Grant_AddToPrincipal(options)
}

func (s *service) readUsers(role awsiam.Role) {
	grant(role, []string{"dynamodb:GetItem", "dynamodb:Query"}, nil, s.data.users.TableArn())
	s.useDataKey(role, "dynamodb")
}

func (s *service) writeUsers(role awsiam.Role) {
	grant(role, []string{"dynamodb:PutItem", "dynamodb:DeleteItem"}, nil, s.data.users.TableArn())
}

func (s *service) readJobs(role awsiam.Role) {
	table := s.data.jobs.TableArn()
	grant(role, []string{"dynamodb:GetItem"}, nil, table)
	grant(role, []string{"dynamodb:Query"}, nil, table, index(table, manifest.RunsIndex))
	s.useDataKey(role, "dynamodb")
}

// writeJobs allows transactions as well: they have no action of their own, and need those that they are made of.
func (s *service) writeJobs(role awsiam.Role) {
	grant(role, []string{"dynamodb:PutItem", "dynamodb:DeleteItem"}, nil, s.data.jobs.TableArn())
}

// countEdits lets a role change the number of users within a transaction.
func (s *service) countEdits(role awsiam.Role) {
	grant(role, []string{"dynamodb:UpdateItem"}, nil, s.data.jobs.TableArn())
}

// findDue lets a role read the index of what is due, over all accounts.
func (s *service) findDue(role awsiam.Role) {
	grant(role, []string{"dynamodb:Query"}, nil, index(s.data.jobs.TableArn(), manifest.DueIndex))
}

func index(table *string, name string) *string { return jsii.String(*table + "/index/" + name) }

// readObjects lets a role read what is named like one of the patterns. S3 says that a key does not exist only to whom
// it would list the key, and holds the prefix in the condition against the key: without it the answer is 403, and an
// expired plan would look like a fault.
func (s *service) readObjects(role awsiam.Role, patterns ...string) {
	grant(role, []string{"s3:GetObject"}, nil, s.objects(patterns)...)
	grant(role, []string{"s3:ListBucket"}, conditions{"StringLike": {"s3:prefix": patterns}}, s.data.bucket.BucketArn())
	s.useDataKey(role, "s3")
	s.justifyObjects(role, patterns)
}

// writeObjects lets a role write what is named like one of the patterns, and give up what it began to write.
func (s *service) writeObjects(role awsiam.Role, patterns ...string) {
	grant(role, []string{"s3:PutObject", "s3:AbortMultipartUpload"}, nil, s.objects(patterns)...)
	s.justifyObjects(role, patterns)
}

// putObjects lets a role, and the links that it signs, write what is named like the pattern.
func (s *service) putObjects(role awsiam.Role, pattern string) {
	grant(role, []string{"s3:PutObject"}, nil, s.objects([]string{pattern})...)
	s.justifyObjects(role, []string{pattern})
}

func (s *service) objects(patterns []string) []*string {
	var arns []*string
	for _, pattern := range patterns {
		arns = append(arns, s.data.bucket.ArnForObjects(jsii.String(pattern)))
	}
	return arns
}

func (s *service) justifyObjects(role awsiam.Role, patterns []string) {
	var findings []string
	for _, pattern := range patterns {
		findings = append(findings, "Resource::arn:<AWS::Partition>:s3:::"+taken(handedObjects)+"/"+pattern)
	}
	justify(role, "AwsSolutions-IAM5",
		"Objects are named after runs, which are not known yet: the pattern is as narrow as it can be.", findings...)
}

// useDataKey lets a role use the data key through one service, and not by itself.
func (s *service) useDataKey(role awsiam.Role, through string) {
	actions := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	if through == "dynamodb" {
		// What the DynamoDB guide asks of whoever uses a table with a customer managed key.
		actions = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
			"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
	}
	grant(role, actions, s.via(through), s.data.dataKey.KeyArn())
}

func (s *service) via(through string) conditions {
	return conditions{"StringEquals": {"kms:ViaService": through + "." + *s.stack.Region() + ".amazonaws.com"}}
}

// seal lets a role encrypt passwords, and unseal decrypt them. Both only with the encryption context that ties a
// password to its account and connection.
func (s *service) seal(role awsiam.Role)   { s.usePasswordKey(role, "kms:Encrypt") }
func (s *service) unseal(role awsiam.Role) { s.usePasswordKey(role, "kms:Decrypt") }

func (s *service) usePasswordKey(role awsiam.Role, action string) {
	keys := []string{manifest.SealedAccount, manifest.SealedTarget}
	present := make(map[string]any)
	for _, key := range keys {
		present["kms:EncryptionContext:"+key] = "false"
	}
	grant(role, []string{action}, conditions{
		"Null":                      &present,
		"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": keys},
	}, s.data.passwordKey.KeyArn())
}

func (s *service) send(role awsiam.Role, queues ...workQueue) {
	for _, q := range queues {
		q.queue.Grant(role, jsii.String("sqs:SendMessage"))
	}
}

// sendMail lets a role send mails from the one address that is configured. SES takes the address itself or its domain
// for an identity, whichever the operator has verified.
func (s *service) sendMail(role awsiam.Role) {
	from := s.settings.MailFrom
	if from == "" {
		return
	}
	identity := func(name string) *string {
		return s.stack.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("ses"), Resource: jsii.String("identity"), ResourceName: &name,
		})
	}
	_, domain, _ := strings.Cut(from, "@")
	grant(role, []string{"ses:SendEmail"}, conditions{"StringEquals": {"ses:FromAddress": from}}, identity(from),
		identity(domain))
}

// addLinkRole makes the role that download links are signed with. It can read CSVs and nothing else, so that a link
// that leaks is worth one CSV for an hour, whatever else export-api may do. A link ends with the credentials that
// signed it, and those of an assumed role live an hour at most.
func (s *service) addLinkRole() {
	export := s.functions[manifest.ExportAPI().Name].role
	s.linkRole = awsiam.NewRole(s.stack, jsii.String("link-role"), &awsiam.RoleProps{
		AssumedBy:          awsiam.NewArnPrincipal(export.RoleArn()),
		Description:        jsii.String("Rollcall: signs links to CSVs"),
		MaxSessionDuration: seconds(time.Hour),
	})
	grant(s.linkRole, []string{"s3:GetObject"}, nil, s.objects([]string{csvs})...)
	grant(s.linkRole, []string{"kms:Decrypt"}, s.via("s3"), s.data.dataKey.KeyArn())
	s.justifyObjects(s.linkRole, []string{csvs})
}
