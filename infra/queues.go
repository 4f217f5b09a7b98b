package main

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
)

// workQueue is a queue of work with the queue that its dead letters go to.
type workQueue struct {
	queue awssqs.Queue
	dead  awssqs.Queue
	// waits is the age of a message from which an alarm tells the operator.
	waits time.Duration
}

// maxReceives is how often a message is delivered before it is put aside. It is more often than a run is taken up (five
// times), so that a run is given up in words, and the message only where even that failed.
const maxReceives = 10

// addQueues makes the queues of work. Syncs may take hours, each slice of one a quarter of an hour at most.
func (s *service) addQueues() {
	s.previews = s.newWorkQueue(string(queue.Previews), 30*time.Minute)
	s.syncs = s.newWorkQueue(string(queue.Syncs), 2*time.Hour)
	s.scheduled = s.newWorkQueue(string(queue.Scheduled), 2*time.Hour)
	s.deliveries = s.newWorkQueue(string(queue.Deliveries), 15*time.Minute)
	output(s.stack, "PreviewsDeadLetters", "Messages of previews and exports that were given up",
		s.previews.dead.QueueUrl())
	output(s.stack, "SyncsDeadLetters", "Messages of syncs that were given up", s.syncs.dead.QueueUrl())
	output(s.stack, "ScheduledDeadLetters", "Messages of scheduled syncs that were given up",
		s.scheduled.dead.QueueUrl())
	output(s.stack, "DeliveriesDeadLetters", "Messages of mails and webhooks that were given up",
		s.deliveries.dead.QueueUrl())
}

func (s *service) newWorkQueue(name string, waits time.Duration) workQueue {
	dead := awssqs.NewQueue(s.stack, jsii.String(name+"-dead"), &awssqs.QueueProps{
		Fifo: jsii.Bool(true), RetentionPeriod: seconds(manifest.MessageDays * day),
		Encryption: awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL: jsii.Bool(true),
	})
	return workQueue{dead: dead, waits: waits, queue: awssqs.NewQueue(s.stack, jsii.String(name), &awssqs.QueueProps{
		Fifo: jsii.Bool(true),
		// High throughput: each account is a message group with a limit of its own, in place of 300 messages a second
		// for all of them.
		DeduplicationScope:  awssqs.DeduplicationScope_MESSAGE_GROUP,
		FifoThroughputLimit: awssqs.FifoThroughputLimit_PER_MESSAGE_GROUP_ID,
		// The sender says what is the same message: a run and its slice.
		ContentBasedDeduplication: jsii.Bool(false),
		// At least a worker's timeout, or Lambda refuses the queue; a worker shortens it as it begins.
		VisibilityTimeout: seconds(sizeOf(manifest.HandlerWorker, s.settings).timeout),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: dead, MaxReceiveCount: jsii.Number(maxReceives)},
		// A message names an account and a run, and holds no secret: SQS's own key is enough.
		Encryption: awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL: jsii.Bool(true),
	})}
}

// consumeQueues starts a worker for each message. A limit here and not a reserved concurrency keeps a message that has
// to wait from counting as delivered.
func (s *service) consumeQueues() {
	previews, syncs := s.functions[manifest.PreviewWorker().Name], s.functions[manifest.SyncWorker().Name]
	notify := s.functions[manifest.NotifyWorker().Name]
	for _, source := range []struct {
		to   *function
		from workQueue
	}{{previews, s.previews}, {syncs, s.syncs}, {syncs, s.scheduled}, {notify, s.deliveries}} {
		source.to.lambda.AddEventSource(awslambdaeventsources.NewSqsEventSource(source.from.queue,
			&awslambdaeventsources.SqsEventSourceProps{
				BatchSize: jsii.Number(1), ReportBatchItemFailures: jsii.Bool(true),
				MaxConcurrency: jsii.Number(s.settings.WorkerConcurrency),
			}))
	}
}
