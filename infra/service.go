package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// service is the stack of everything that works on the data. It can be removed and deployed again at any time.
type service struct {
	stack    awscdk.Stack
	settings Settings
	built    string
	page     string
	data     *data

	network   *network // nil where the workers are in no VPC
	previews  workQueue
	syncs     workQueue
	scheduled workQueue
	bus       awsevents.EventBus
	missed    awssqs.Queue
	functions map[string]*function
	linkRole  awsiam.Role
	api       awsapigatewayv2.HttpApi
	files     awss3.Bucket
	cdn       awscloudfront.Distribution
	client    awscognito.UserPoolClient // nil where an issuer was given
	machines  []awscognito.UserPoolClient
	topic     awssns.Topic
	alarms    []awscloudwatch.Alarm
}

func newService(scope constructs.Construct, settings Settings, c appConfig, d *data) *service {
	s := &service{settings: settings, built: c.Built, page: c.Page, data: d, functions: make(map[string]*function)}
	s.stack = awscdk.NewStack(scope, jsii.String("service"), &awscdk.StackProps{
		StackName:   jsii.String(settings.Name),
		Description: jsii.String("Rollcall: functions, API, page, queues and alarms"),
	})
	if settings.VPC {
		s.addNetwork()
	}
	s.addQueues()
	s.addBus()
	s.addRoles()
	s.addLinkRole()
	s.addFunctions()
	s.grantAll()
	s.consumeQueues()
	s.addSchedule()
	s.addAPI()
	s.addDistribution()
	if d.pool != nil {
		s.addClient()
		s.addMachines()
	}
	s.addRoutes()
	s.addStage()
	s.publishPage()
	s.addAlarms()
	s.addDashboard()
	s.addQueries()
	return s
}
