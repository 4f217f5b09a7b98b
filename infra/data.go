package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// data is the stack of everything that must not be lost: a failed deployment, a rename or a removal leaves all of it.
type data struct {
	stack    awscdk.Stack
	settings Settings
	built    string

	dataKey     awskms.Key
	passwordKey awskms.Key
	// tables are the stack's own, users and jobs those that are used: a restored table may have taken a place.
	tables []awsdynamodb.Table
	users  awsdynamodb.ITable
	jobs   awsdynamodb.ITable
	logs   awss3.Bucket
	bucket awss3.Bucket
	// pool, server and token are nil where an issuer was given, egress where there is no VPC.
	pool   awscognito.UserPool
	server awscognito.UserPoolResourceServer
	token  awslambda.Function
	egress []awsec2.CfnEIP
}

func newData(scope constructs.Construct, s Settings, c appConfig) *data {
	d := &data{settings: s, built: c.Built}
	d.stack = awscdk.NewStack(scope, jsii.String("data"), &awscdk.StackProps{
		StackName:             jsii.String(s.Name + "-data"),
		Tags:                  s.tags(),
		Description:           jsii.String("Rollcall: what must not be lost (tables, files, keys, people, addresses)"),
		TerminationProtection: jsii.Bool(true),
	})
	d.addKeys()
	d.addTables()
	d.addBuckets()
	if s.Issuer == "" {
		d.addUserPool()
	}
	if s.VPC {
		d.addEgressAddresses()
	}
	d.handOver()
	d.keepExports()
	return d
}

// output shows a value after a deployment.
func output(stack awscdk.Stack, name, description string, value *string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Description: jsii.String(description),
		Value: value})
}

// seconds is a time span as the CDK takes it.
func seconds(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}

const (
	// signInLasts is how long a token is good for.
	signInLasts = time.Hour
	day         = 24 * time.Hour
)
