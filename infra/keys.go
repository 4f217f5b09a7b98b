package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// logPrefix and vendedLogPrefix begin the names of the log groups. The second is API Gateway's: groups with that
// beginning need no line each in the account's one resource policy of 5,120 characters.
const (
	logPrefix       = "/rollcall/"
	vendedLogPrefix = "/aws/vendedlogs/rollcall/"
)

// addKeys makes two keys, so that a right to read the tables is no right to read a password.
func (d *data) addKeys() {
	d.passwordKey = d.newKey("passwords", "Seals the passwords of customers' directories")
	d.dataKey = d.newKey("data", "Encrypts tables, files, logs and alarms")
	d.dataKey.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("Logs"),
		Principals: &[]awsiam.IPrincipal{
			awsiam.NewServicePrincipal(jsii.String("logs."+*d.stack.Region()+".amazonaws.com"), nil),
		},
		Actions: jsii.Strings("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey",
			"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
		Resources: jsii.Strings("*"), // In a key's own policy that is the key.
		Conditions: &map[string]any{"ArnLike": map[string]any{
			"kms:EncryptionContext:aws:logs:arn": []*string{d.logGroups(logPrefix), d.logGroups(vendedLogPrefix)},
		}},
	}), nil)
	d.dataKey.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Alarms"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    jsii.Strings("kms:Decrypt", "kms:GenerateDataKey"),
		Resources:  jsii.Strings("*"),
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": d.stack.Account()}},
	}), nil)
}

func (d *data) newKey(name, description string) awskms.Key {
	return awskms.NewKey(d.stack, jsii.String(name+"-key"), &awskms.KeyProps{
		Alias:             jsii.String("alias/" + d.settings.Name + "-" + name),
		Description:       jsii.String("Rollcall: " + description),
		EnableKeyRotation: jsii.Bool(true),
		PendingWindow:     awscdk.Duration_Days(jsii.Number(30)),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
}

func (d *data) logGroups(prefix string) *string {
	return d.stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("logs"), Resource: jsii.String("log-group"), ResourceName: jsii.String(prefix + "*"),
		ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}
