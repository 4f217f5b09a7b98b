// Package aws puts the adapters on AWS together as a deployment's environment names them, for the Lambda functions and
// for local -aws. It leaves the clients of KMS and EventBridge to those that call them: what a package imports is
// linked and set up even where nothing uses it, and made the export function 655 KB larger.
package aws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
	"rollcall/shared/user"
)

// receiveCount is the attribute of an SQS message that says how often it was received.
const receiveCount = "ApproximateReceiveCount"

// Deployment is what a deployment has on AWS.
type Deployment struct {
	manifest.Environment
	// SDK is the configuration of all clients.
	SDK sdk.Config
	Log *slog.Logger
}

// Caller is who uses a deployment.
type Caller struct {
	manifest.Environment
	// Name is what the SDK puts into the User-Agent of each call, so that whoever reads an access log knows who called.
	Name string
	Log  *slog.Logger
	// Refused, which may be nil, is told of each call that fails for want of a right or of a key that can be used.
	Refused func(ctx context.Context, service, operation, code string)
}

// Open finds the deployment that the caller's environment names, with the SDK's own variables for where AWS is and who
// asks.
func Open(ctx context.Context, c Caller) (Deployment, error) {
	options := []func(*config.LoadOptions) error{config.WithAppID(c.Name)}
	if c.Refused != nil {
		options = append(options, config.WithAPIOptions([]func(*middleware.Stack) error{tellRefusals(c.Refused)}))
	}
	sdk, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return Deployment{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return Deployment{Environment: c.Environment, SDK: sdk, Log: c.Log}, nil
}

// Stores returns the ports that all share: the tables, the bucket and the queues. Those that the environment does not
// name are left out.
func (d Deployment) Stores() importer.Config {
	tables := dynamodb.NewClient(d.SDK)
	jobs := d.Get(manifest.JobsTable)
	work := importer.Config{
		Jobs: dynamodb.NewJobs(tables, jobs, nil), Connectors: dynamodb.NewConnectors(tables, jobs, nil), Log: d.Log,
	}
	if name := d.Get(manifest.UsersTable); name != "" {
		work.Users = dynamodb.NewUsers(tables, name, jobs)
	}
	if d.Get(manifest.Bucket) != "" {
		work.Objects = s3.New(d.bucket())
	}
	work.Queue = sqs.NewSender(sqs.NewClient(d.SDK), d.queues())
	return work
}

// UploadHandler passes uploads below s3.UploadPath on to the bucket, where CloudFront does not.
func (d Deployment) UploadHandler(ctx context.Context) (http.Handler, error) {
	return s3.New(d.bucket()).UploadHandler(ctx)
}

func (d Deployment) bucket() s3.Config {
	b := s3.Config{
		Client: s3.NewClient(d.SDK), Bucket: d.Get(manifest.Bucket),
		KeyID: d.Optional(manifest.DataKey), LinkRole: d.Optional(manifest.LinkRole),
	}
	if b.LinkRole != "" {
		b.Roles = s3.NewRoleClient(d.SDK)
	}
	return b
}

func (d Deployment) queues() sqs.URLs {
	urls := make(sqs.URLs)
	for name, variable := range map[queue.Name]manifest.Variable{
		queue.Previews: manifest.PreviewsQueue, queue.Syncs: manifest.SyncsQueue,
		queue.Scheduled: manifest.ScheduledQueue, queue.Deliveries: manifest.DeliveriesQueue,
	} {
		if url := d.Get(variable); url != "" {
			urls[name] = url
		}
	}
	return urls
}

// Consume returns what handles a message that Lambda received from one of the deployment's queues, and keeps it from
// being handed out again meanwhile.
func (d Deployment) Consume(handle queue.Handler) func(context.Context, events.SQSMessage) error {
	consumer, urls := d.consumer(), make(map[string]string)
	for _, url := range d.queues() {
		urls[path.Base(url)] = url
	}
	return func(ctx context.Context, m events.SQSMessage) error {
		// Both an ARN and a URL end in the queue's name.
		name := m.EventSourceARN[strings.LastIndexByte(m.EventSourceARN, ':')+1:]
		url, ok := urls[name]
		if !ok {
			return fmt.Errorf("message %s comes from %q, which is no queue of this deployment", m.MessageId, name)
		}
		// A count that cannot be read is 0, and then the wait after a failure is the shortest.
		receives, _ := strconv.Atoi(m.Attributes[receiveCount])
		delivery := sqs.Delivery{
			QueueURL: url, ReceiptHandle: m.ReceiptHandle, MessageID: m.MessageId, Body: m.Body, Receives: receives,
		}
		return consumer.Handle(ctx, delivery, handle)
	}
}

// Receive handles the messages of the queues until ctx ends, so many of each at a time, and then waits for the
// handlers at work.
func (d Deployment) Receive(ctx context.Context, workers int, handle queue.Handler) {
	d.consumer().Receive(ctx, d.queues(), workers, handle)
}

func (d Deployment) consumer() sqs.Consumer {
	return sqs.Consumer{Client: sqs.NewClient(d.SDK), Log: d.Log}
}

// Create makes the tables and the bucket where they are missing, on an emulator.
func (d Deployment) Create(ctx context.Context) error {
	tables := dynamodb.NewClient(d.SDK)
	return errors.Join(
		dynamodb.CreateTables(ctx, tables, d.Get(manifest.UsersTable), d.Get(manifest.JobsTable)),
		d.bucket().Create(ctx))
}

// Erase deletes an account from the tables and the bucket, with the credentials of an operator. Its waiting messages
// name runs that are gone, and do nothing. report is told how much of each kind is deleted.
func (d Deployment) Erase(ctx context.Context, account user.Account, report func(deleted int, what string)) error {
	tables := dynamodb.NewClient(d.SDK)
	progress := func(what string) func(int) { return func(deleted int) { report(deleted, what) } }
	// Settings and runs go first: nothing can start any more.
	jobs := dynamodb.NewJobs(tables, d.Get(manifest.JobsTable), time.Now)
	if _, err := jobs.Erase(ctx, account, progress("records")); err != nil {
		return err
	}
	users := dynamodb.NewUsers(tables, d.Get(manifest.UsersTable), d.Get(manifest.JobsTable))
	if _, err := users.Erase(ctx, account, progress("users")); err != nil {
		return err
	}
	files, err := s3.New(d.bucket()).Erase(ctx, account)
	report(files, "files")
	return err
}
