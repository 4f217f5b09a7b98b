package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
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
	data     *handed

	network   *network // nil where the workers are in no VPC
	previews  workQueue
	syncs     workQueue
	scheduled workQueue
	// deliveries are what is told by mail and webhook.
	deliveries workQueue

	bus       awsevents.EventBus
	missed    awssqs.Queue
	tick      awsevents.Rule
	functions map[string]*function
	linkRole  awsiam.Role
	// originKeys are the secrets that the API is told by CloudFront, the newest first.
	originKeys []*string
	api        awsapigatewayv2.HttpApi
	// signedRoutes are those whose requests have no token.
	signedRoutes []awsapigatewayv2.HttpRoute
	apiLogs      awslogs.LogGroup
	files        awss3.Bucket
	cdn          awscloudfront.Distribution
	client       awscognito.UserPoolClient // nil where an issuer was given
	machines     []awscognito.UserPoolClient
	topic        awssns.Topic
	alarms       []awscloudwatch.Alarm
}

// beginService makes the stack, with what it has from the data and the network that it is in.
func beginService(scope constructs.Construct, settings Settings, c appConfig, d *data) *service {
	s := &service{settings: settings, built: c.Built, page: c.Page,
		functions: make(map[string]*function)}
	s.stack = awscdk.NewStack(scope, jsii.String("service"), &awscdk.StackProps{
		StackName:   jsii.String(settings.Name),
		Tags:        settings.tags(),
		Description: jsii.String("Rollcall: functions, API, page, queues and alarms"),
	})
	// The values that are handed over have to be there, and be the new ones.
	s.stack.AddStackDependency(d.stack, nil)
	s.data = s.takeOver()
	if settings.VPC {
		s.addNetwork()
	}
	return s
}

func newService(scope constructs.Construct, settings Settings, c appConfig, d *data) *service {
	s := beginService(scope, settings, c, d)
	s.addQueues()
	s.addBus()
	s.addOriginKeys()
	s.addRoles()
	s.addLinkRole()
	s.addFunctions()
	s.grantAll()
	s.consumeQueues()
	s.addSchedule()
	s.addAPI()
	s.addDistribution()
	s.tellPage()
	if s.data.pool != nil {
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
