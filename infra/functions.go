package main

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// function is one that is deployed.
type function struct {
	manifest.Function
	size   size
	lambda awslambda.Function
	role   awsiam.Role
	logs   awslogs.LogGroup
}

// size is what a function gets.
type size struct {
	timeout time.Duration
	// late is the duration that an invocation should never have: it is about to be cut off.
	late     time.Duration
	memory   int
	reserved int
}

// sizeOf follows the handler. An HTTP API gives up after 30 seconds; a worker stops by itself a minute before its time
// is up.
func sizeOf(handler string, s Settings) size {
	switch handler {
	case manifest.HandlerAPI:
		return size{timeout: 29 * time.Second, late: 25 * time.Second, memory: s.APIMemory, reserved: s.APIReserved}
	case manifest.HandlerWorker:
		return size{timeout: 15 * time.Minute, late: 14*time.Minute + 30*time.Second, memory: s.WorkerMemory,
			reserved: s.WorkerReserved}
	}
	return size{timeout: time.Minute, late: 45 * time.Second, memory: s.APIMemory, reserved: s.ScheduleReserved}
}

// addRoles makes a role for each function that package manifest names. It may write its own log, and nothing else yet.
func (s *service) addRoles() {
	for _, f := range manifest.Functions() {
		made := &function{Function: f, size: sizeOf(f.Handler, s.settings)}
		if f.Name == manifest.SyncWorker().Name {
			// It has two queues, each with the concurrency of a worker.
			made.size.reserved *= 2
		}
		if f.Name == manifest.NotifyWorker().Name {
			// It waits for others and keeps nothing in memory.
			made.size.memory, made.size.reserved = s.settings.APIMemory, 0
		}
		made.role, made.logs = newRole(s.stack, s.settings, s.data.dataKey, f.Name)
		s.functions[f.Name] = made
	}
}

// addFunctions makes the functions.
func (s *service) addFunctions() {
	for _, f := range manifest.Functions() {
		made := s.functions[f.Name]
		props := &awslambda.FunctionProps{
			FunctionName: jsii.String(s.functionName(f.Name)),
			Code:         awslambda.Code_FromAsset(jsii.String(filepath.Join(s.built, f.Binary)), nil),
			Handler:      jsii.String(f.Handler),
			Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
			Architecture: awslambda.Architecture_ARM_64(),
			MemorySize:   jsii.Number(made.size.memory),
			Timeout:      seconds(made.size.timeout),
			Role:         made.role,
			LogGroup:     made.logs,
			Environment:  s.environment(f),
		}
		if made.size.reserved > 0 {
			props.ReservedConcurrentExecutions = jsii.Number(made.size.reserved)
		}
		if s.settings.Tracing {
			props.Tracing = awslambda.Tracing_ACTIVE
			justify(made.role, "AwsSolutions-IAM5", "X-Ray's two write actions name no resource.", "Resource::*")
		}
		if f.Handler == manifest.HandlerWorker && s.network != nil {
			s.network.join(made, props)
		}
		made.lambda = awslambda.NewFunction(s.stack, jsii.String(f.Name), props)
	}
}

func (s *service) functionName(name string) string { return s.settings.Name + "-" + name }

// newRole makes the role that a function runs with and the log group that it may write to.
func newRole(stack awscdk.Stack, s Settings, key awskms.IKey, name string) (awsiam.Role, awslogs.LogGroup) {
	logs := newLogGroup(stack, s, key, name+"-logs", logPrefix+s.Name+"/"+name)
	role := awsiam.NewRole(stack, jsii.String(name+"-role"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("Rollcall: " + name),
	})
	logs.GrantWrite(role)
	return role, logs
}

func newLogGroup(scope constructs.Construct, s Settings, key awskms.IKey, id, name string) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, jsii.String(id), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String(name),
		Retention:     retentions()[s.LogDays],
		EncryptionKey: key,
		// The audit log is in the table: what is here is for operators, and goes with what it is about.
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// retentions are the days that CloudWatch Logs can keep logs for, up to two years.
func retentions() map[int]awslogs.RetentionDays {
	return map[int]awslogs.RetentionDays{
		1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
		7:  awslogs.RetentionDays_ONE_WEEK,
		14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH, 60: awslogs.RetentionDays_TWO_MONTHS,
		90: awslogs.RetentionDays_THREE_MONTHS, 120: awslogs.RetentionDays_FOUR_MONTHS,
		150: awslogs.RetentionDays_FIVE_MONTHS,
		180: awslogs.RetentionDays_SIX_MONTHS, 365: awslogs.RetentionDays_ONE_YEAR,
		400: awslogs.RetentionDays_THIRTEEN_MONTHS,
		545: awslogs.RetentionDays_EIGHTEEN_MONTHS, 731: awslogs.RetentionDays_TWO_YEARS,
	}
}

// environment gives a function the variables that it reads. One that it needs and that is not known here ends the
// synthesis.
func (s *service) environment(f manifest.Function) *map[string]*string {
	given := make(map[string]*string)
	values := s.variables()
	for _, v := range f.Needs {
		if values[v] == nil {
			panic("nothing is known to give to " + string(v) + ", which " + f.Name + " needs")
		}
		given[string(v)] = values[v]
	}
	for _, v := range f.Takes {
		if value := values[v]; value != nil && *value != "" {
			given[string(v)] = value
		}
	}
	return &given
}

func (s *service) variables() map[manifest.Variable]*string {
	allowPrivate := "false"
	if s.settings.AllowPrivate {
		allowPrivate = "true"
	}
	return map[manifest.Variable]*string{
		manifest.UsersTable:      s.data.users.TableName(),
		manifest.JobsTable:       s.data.jobs.TableName(),
		manifest.Bucket:          s.data.bucket.BucketName(),
		manifest.DataKey:         s.data.dataKey.KeyArn(),
		manifest.PasswordKey:     s.data.passwordKey.KeyArn(),
		manifest.PreviewsQueue:   s.previews.queue.QueueUrl(),
		manifest.SyncsQueue:      s.syncs.queue.QueueUrl(),
		manifest.ScheduledQueue:  s.scheduled.queue.QueueUrl(),
		manifest.DeliveriesQueue: s.deliveries.queue.QueueUrl(),
		manifest.MailFrom:        jsii.String(s.settings.MailFrom),
		manifest.EventBus:        s.bus.EventBusName(),
		manifest.LinkRole:        s.linkRole.RoleArn(),
		manifest.LogLevel:        jsii.String(s.settings.LogLevel),
		manifest.AccountClaim:    jsii.String(s.settings.AccountClaim),
		manifest.ScopePrefix:     jsii.String(s.settings.ScopePrefix),
		manifest.OriginKeys:      s.originKeyList(),
		manifest.AllowPrivate:    jsii.String(allowPrivate),
		manifest.DenyRanges:      jsii.String(strings.Join(s.denyRanges(), ",")),
		manifest.Ports:           jsii.String(strings.Join(s.settings.Ports, ",")),
	}
}

// denyRanges are the networks that no customer's directory is in: the deployment's own and those that the operator
// names.
func (s *service) denyRanges() []string {
	if !s.settings.VPC {
		return s.settings.DenyRanges
	}
	return append([]string{s.settings.VPCCIDR.String()}, s.settings.DenyRanges...)
}
