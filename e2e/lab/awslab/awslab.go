// Package awslab starts what stands in for AWS on this machine, for tests, measurements and trying things out: AWS's
// own DynamoDB Local, an S3 server, and services in memory for SQS, KMS, EventBridge and STS that check what is sent to
// them. What only AWS can prove is left to the smoke test: policies, the authorizer, time to live and lifecycles.
package awslab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"rollcall/e2e/servers/dynamolocal"
	"rollcall/shared/adapters/aws/fake"
	"rollcall/shared/adapters/aws/fake/fakeeventbridge"
	"rollcall/shared/adapters/aws/fake/fakekms"
	"rollcall/shared/adapters/aws/fake/fakes3"
	"rollcall/shared/adapters/aws/fake/fakeses"
	"rollcall/shared/adapters/aws/fake/fakesqs"
	"rollcall/shared/adapters/aws/fake/fakests"
	"rollcall/shared/manifest"
)

// The names of what the lab has.
const (
	UsersTable     = "rollcall-users"
	JobsTable      = "rollcall-jobs"
	Bucket         = "rollcall-lab"
	PreviewsQueue  = "rollcall-previews.fifo"
	SyncsQueue     = "rollcall-syncs.fifo"
	Scheduled      = "rollcall-scheduled.fifo"
	Deliveries     = "rollcall-deliveries.fifo"
	DeadPreviews   = "rollcall-previews-dead.fifo"
	DeadSyncs      = "rollcall-syncs-dead.fifo"
	DeadScheduled  = "rollcall-scheduled-dead.fifo"
	DeadDeliveries = "rollcall-deliveries-dead.fifo"
	// MailFrom is the address that SES may send from.
	MailFrom    = "rollcall@example.com"
	EventBus    = "rollcall"
	PasswordKey = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000001"
	LinkRole    = "arn:aws:iam::123456789012:role/rollcall-links"
)

const (
	// visibility is how long a queue keeps a message from others unless a worker says otherwise: as long as a worker
	// may run.
	visibility = 15 * time.Minute
	// maxReceives is how often a message is handed out before it goes to the dead letters.
	maxReceives = 10
)

// Lab is what was started.
type Lab struct {
	// Environment says where everything is, to functions and to local -aws; Shared holds the SDK's own variables.
	Environment map[manifest.Variable]string
	Shared      map[string]string
	// Recorder counts the calls to DynamoDB and S3; the services count their own.
	Recorder *Recorder
	Queues   *fakesqs.Server
	Keys     *fakekms.Server
	Bus      *fakeeventbridge.Server
	Roles    *fakests.Server
	Mails    *fakeses.Server
	Clock    *Clock
	// Dir is where the objects are.
	Dir string

	stops []func() error
}

// Start starts a lab that keeps its objects in dir. The caller closes it. A process has one at a time, and its working
// directory changes.
func Start(ctx context.Context, dir string) (*Lab, error) {
	lab := &Lab{Recorder: new(Recorder), Clock: new(Clock), Dir: dir}
	if err := lab.start(ctx, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("start the lab: %w", err), lab.Close())
	}
	return lab, nil
}

func (l *Lab) start(ctx context.Context, dir string) error {
	// First, since it looks for the repository in the working directory.
	tables, err := dynamolocal.Start(ctx)
	if err != nil {
		return err
	}
	l.stops = append(l.stops, tables.Stop)
	objects, accessKey, secretKey, stop, err := fakes3.Start(dir)
	if err != nil {
		return err
	}
	l.stops = append(l.stops, stop)
	l.Queues = fakesqs.New(l.Clock.Now,
		fakesqs.Queue{Name: PreviewsQueue, Visibility: visibility, MaxReceives: maxReceives,
			DeadLetters: DeadPreviews},
		fakesqs.Queue{Name: SyncsQueue, Visibility: visibility, MaxReceives: maxReceives, DeadLetters: DeadSyncs},
		fakesqs.Queue{Name: Scheduled, Visibility: visibility, MaxReceives: maxReceives, DeadLetters: DeadScheduled},
		fakesqs.Queue{Name: Deliveries, Visibility: visibility, MaxReceives: maxReceives, DeadLetters: DeadDeliveries},
		fakesqs.Queue{Name: DeadPreviews}, fakesqs.Queue{Name: DeadSyncs}, fakesqs.Queue{Name: DeadScheduled},
		fakesqs.Queue{Name: DeadDeliveries})
	if l.Keys, err = fakekms.New(PasswordKey); err != nil {
		return err
	}
	l.Bus, l.Mails = fakeeventbridge.New(EventBus), fakeses.New(MailFrom)
	l.Roles = fakests.New(fakests.Role{ARN: LinkRole, AccessKey: accessKey, SecretKey: secretKey}, time.Now)
	l.Shared = map[string]string{
		"AWS_REGION": fake.Region, "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey,
		// Nothing of this machine's own configuration, and no look for a machine's role.
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	}
	if err := l.serveAll(tables.URL, objects); err != nil {
		return err
	}
	queues := l.Shared["AWS_ENDPOINT_URL_SQS"]
	l.Environment = map[manifest.Variable]string{
		manifest.UsersTable: UsersTable, manifest.JobsTable: JobsTable, manifest.Bucket: Bucket,
		manifest.DataKey:         manifest.None,
		manifest.PreviewsQueue:   fakesqs.URL(queues, PreviewsQueue),
		manifest.SyncsQueue:      fakesqs.URL(queues, SyncsQueue),
		manifest.ScheduledQueue:  fakesqs.URL(queues, Scheduled),
		manifest.DeliveriesQueue: fakesqs.URL(queues, Deliveries), manifest.MailFrom: MailFrom,
		manifest.PasswordKey: PasswordKey, manifest.EventBus: EventBus, manifest.LinkRole: LinkRole,
	}
	return l.createStores(ctx)
}

// serveAll gives each service a server of its own and names it in Shared.
func (l *Lab) serveAll(tables, objects string) error {
	countedTables, tablesErr := l.Recorder.dynamo(tables)
	countedObjects, objectsErr := l.Recorder.s3(objects)
	if err := errors.Join(tablesErr, objectsErr); err != nil {
		return err
	}
	for variable, handler := range map[string]http.Handler{
		"AWS_ENDPOINT_URL_DYNAMODB": countedTables, "AWS_ENDPOINT_URL_S3": countedObjects,
		"AWS_ENDPOINT_URL_SQS": l.Queues,
		"AWS_ENDPOINT_URL_KMS": l.Keys, "AWS_ENDPOINT_URL_EVENTBRIDGE": l.Bus, "AWS_ENDPOINT_URL_STS": l.Roles,
		"AWS_ENDPOINT_URL_SESV2": l.Mails,
	} {
		url, err := l.serve(handler)
		if err != nil {
			return err
		}
		l.Shared[variable] = url
	}
	return nil
}

// serve serves on a free loopback port until the lab is closed.
func (l *Lab) serve(handler http.Handler) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	l.stops = append(l.stops, server.Close)
	return "http://" + listener.Addr().String(), nil
}

// Variables are the environment of a program that uses the lab, as NAME=value.
func (l *Lab) Variables() []string {
	var all []string
	for name, text := range l.Shared {
		all = append(all, name+"="+text)
	}
	for name, text := range l.Environment {
		all = append(all, string(name)+"="+text)
	}
	return all
}

// ServiceCalls returns the calls to the services in memory, by the name that policies have for each.
func (l *Lab) ServiceCalls() map[string][]fake.Call {
	return map[string][]fake.Call{"sqs": l.Queues.Calls(), "kms": l.Keys.Calls(), "events": l.Bus.Calls(),
		"sts": l.Roles.Calls(), "ses": l.Mails.Calls()}
}

// Close stops everything, the last started first.
func (l *Lab) Close() error {
	var errs []error
	for i := len(l.stops) - 1; i >= 0; i-- {
		errs = append(errs, l.stops[i]())
	}
	l.stops = nil
	return errors.Join(errs...)
}

// Clock is the queues' clock: the time of day, and as much ahead as somebody moved it, to see what becomes of a message
// whose worker is gone.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now returns the queues' time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Advance moves the queues' time ahead.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
}
