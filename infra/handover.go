package main

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// The values that the service has from the data are handed over by SSM parameters. An export that a stack imports can
// be neither changed nor removed, and then no restored table could take its place (docs/adr/0055-handover.md).
const (
	handedUsers       = "users"
	handedJobs        = "jobs"
	handedObjects     = "objects"
	handedDataKey     = "data-key"
	handedPasswordKey = "passwords-key"
	handedPeople      = "people"
)

func handedEgress(zone int) string { return "egress-" + strconv.Itoa(zone+1) }

// handedName is the SSM parameter of a value. It must not change: an update keeps the name that a stack was made with.
func (s Settings) handedName(value string) *string {
	return jsii.String("/rollcall/" + s.Name + "/data/" + value)
}

// handOver writes what the service needs, for its next deployment: what is deployed keeps what it had.
func (d *data) handOver() {
	d.hand(handedUsers, d.users.TableName())
	d.hand(handedJobs, d.jobs.TableName())
	d.hand(handedObjects, d.bucket.BucketName())
	d.hand(handedDataKey, d.dataKey.KeyArn())
	d.hand(handedPasswordKey, d.passwordKey.KeyArn())
	if d.pool != nil {
		d.hand(handedPeople, d.pool.UserPoolId())
	}
	for zone, address := range d.egress {
		d.hand(handedEgress(zone), address.AttrAllocationId())
	}
}

func (d *data) hand(name string, value *string) {
	awsssm.NewStringParameter(d.stack, jsii.String("handed-"+name), &awsssm.StringParameterProps{
		ParameterName: d.settings.handedName(name), StringValue: value,
		Description: jsii.String("What the stack " + d.settings.Name + " works with"),
	})
}

// handed is the data as the service knows it.
type handed struct {
	dataKey     awskms.IKey
	passwordKey awskms.IKey
	users       awsdynamodb.ITable
	jobs        awsdynamodb.ITable
	bucket      awss3.IBucket
	// pool, its issuer, token and signInHost are nil and empty where an issuer was given, egress where there is no VPC.
	pool       awscognito.IUserPool
	issuer     string
	token      awslambda.IFunction
	scopes     []awscognito.OAuthScope
	signInHost string
	egress     []*string
}

// takeOver reads what the stack of data hands over. The values are those of the moment at which a deployment of this
// stack begins, also where its template is the same.
func (s *service) takeOver() *handed {
	h := &handed{
		dataKey:     awskms.Key_FromKeyArn(s.stack, jsii.String("data-key"), s.take(handedDataKey)),
		passwordKey: awskms.Key_FromKeyArn(s.stack, jsii.String("passwords-key"), s.take(handedPasswordKey)),
		users:       awsdynamodb.Table_FromTableName(s.stack, jsii.String("users"), s.take(handedUsers)),
		jobs:        awsdynamodb.Table_FromTableName(s.stack, jsii.String("jobs"), s.take(handedJobs)),
		bucket:      awss3.Bucket_FromBucketName(s.stack, jsii.String("objects"), s.take(handedObjects)),
	}
	if s.settings.Issuer == "" {
		h.pool = awscognito.UserPool_FromUserPoolId(s.stack, jsii.String("people"), s.take(handedPeople))
		h.issuer = "https://" + *h.pool.UserPoolProviderName()
		h.token = awslambda.Function_FromFunctionName(s.stack, jsii.String("token"),
			jsii.String(s.functionName(manifest.TokenBinary)))
		h.signInHost = s.settings.signInHost(s.stack)
		h.scopes = []awscognito.OAuthScope{awscognito.OAuthScope_OPENID()}
		for _, scope := range []string{manifest.ReadScope, manifest.AdminScope} {
			h.scopes = append(h.scopes, awscognito.OAuthScope_Custom(jsii.String(manifest.ScopeServer+"/"+scope)))
		}
	}
	if s.settings.VPC {
		for zone := range s.settings.VPCZones {
			h.egress = append(h.egress, s.take(handedEgress(zone)))
		}
	}
	return h
}

// takenPrefix begins the names of the service's CloudFormation parameters.
const takenPrefix = "from-data-"

func (s *service) take(name string) *string {
	made := awscdk.NewCfnParameter(s.stack, jsii.String(takenPrefix+name), &awscdk.CfnParameterProps{
		Type: jsii.String("AWS::SSM::Parameter::Value<String>"), Default: s.settings.handedName(name),
		Description: jsii.String("Handed over by the stack " + s.settings.Name + "-data"),
	})
	return made.ValueAsString()
}

// taken is how a policy's finding of cdk-nag names a value that was taken over.
func taken(name string) string { return "<" + strings.ReplaceAll(takenPrefix+name, "-", "") + ">" }

// keepExports keeps what the service's stack of version 0.4 and before imports, until it is deployed with this one:
// CloudFormation refuses to remove or change them earlier. A restored table changes none of them. The release after
// this one drops this function, and then those who come from 0.4 have to go through this one.
func (d *data) keepExports() {
	values := []*string{
		d.dataKey.KeyArn(), d.passwordKey.KeyArn(), d.bucket.BucketArn(), d.bucket.BucketName(),
		d.logs.BucketRegionalDomainName(),
	}
	for _, table := range d.tables {
		values = append(values, table.TableArn(), table.TableName())
	}
	if d.pool != nil {
		values = append(values, d.pool.UserPoolId(), d.pool.UserPoolProviderUrl(), d.token.FunctionName(),
			d.server.UserPoolResourceServerId())
	}
	for _, address := range d.egress {
		values = append(values, address.AttrAllocationId())
	}
	for _, value := range values {
		d.stack.ExportValue(value, nil)
	}
}
