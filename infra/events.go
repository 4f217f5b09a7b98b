package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
)

// tick is how often schedules that are due are started.
const tick = 5 * time.Minute

// addBus makes the bus that tells others what became of a sync, and what changed on the Users List. Its archive
// lets the mailer of Held Spam Reports and the mail filter catch up on what they missed.
func (s *service) addBus() {
	s.bus = awsevents.NewEventBus(s.stack, jsii.String("bus"), &awsevents.EventBusProps{
		EventBusName: jsii.String(s.settings.Name),
		Description:  jsii.String("What became of syncs, and changes of Users Lists"),
	})
	s.bus.Archive(jsii.String("archive"), &awsevents.BaseArchiveProps{
		Description:  jsii.String("The events of a month, to be replayed"),
		EventPattern: &awsevents.EventPattern{Source: jsii.Strings(manifest.EventSource)},
		Retention:    seconds(manifest.EventDays * day),
	})
	output(s.stack, "EventBus", "Users Imported, Sync Failed, Sync Blocked, rollcall.users.changed",
		s.bus.EventBusName())
}

// addSchedule has one rule start whatever is due: a rule for each account would end at 300 accounts.
func (s *service) addSchedule() {
	s.missed = awssqs.NewQueue(s.stack, jsii.String("missed-ticks"), &awssqs.QueueProps{
		RetentionPeriod: seconds(manifest.MessageDays * day), Encryption: awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL: jsii.Bool(true),
	})
	justify(s.missed, "AwsSolutions-SQS3", "This is a dead-letter queue itself, of the rule's.")
	schedule := s.functions[manifest.SyncSchedule().Name].lambda
	s.tick = awsevents.NewRule(s.stack, jsii.String("tick"), &awsevents.RuleProps{
		Description: jsii.String("Starts the schedules that are due, and looks after lost runs"),
		Schedule:    awsevents.Schedule_Rate(seconds(tick)),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(schedule,
			&awseventstargets.LambdaFunctionProps{
				// The next tick does what this one missed.
				MaxEventAge: seconds(tick), RetryAttempts: jsii.Number(2), DeadLetterQueue: s.missed,
			})},
	})
}
