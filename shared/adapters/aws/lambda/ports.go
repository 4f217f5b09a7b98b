package lambda

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/api"
	"rollcall/shared/directory"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
)

// tick is how often a worker stores its progress and looks whether it was cancelled: each time costs a read and a write.
const tick = 2 * time.Second

// Stores returns the ports that functions share: the tables and the bucket that the function was told of, and the queues.
func (s Setup) Stores(c aws.Config) importer.Config {
	tables := dynamodb.NewClient(c)
	work := importer.Config{Jobs: dynamodb.NewJobs(tables, s.Get(manifest.JobsTable), time.Now), Log: s.Log}
	if name := s.Get(manifest.UsersTable); name != "" {
		work.Users = dynamodb.NewUsers(tables, name)
	}
	if name := s.Get(manifest.Bucket); name != "" {
		work.Objects = s.objects(c, name)
	}
	urls := make(sqs.URLs)
	for name, variable := range map[queue.Name]manifest.Variable{queue.Previews: manifest.PreviewsQueue, queue.Syncs: manifest.SyncsQueue} {
		if url := s.Get(variable); url != "" {
			urls[name] = url
		}
	}
	work.Queue = sqs.NewSender(sqs.NewClient(c), urls)
	return work
}

func (s Setup) objects(c aws.Config, name string) *s3.Store {
	b := s3.Config{Client: s3.NewClient(c), Bucket: name, KeyID: s.Optional(manifest.DataKey), LinkRole: s.Optional(manifest.LinkRole)}
	if b.LinkRole != "" {
		b.Roles = s3.NewRoleClient(c)
	}
	return s3.New(b)
}

// Work returns the ports of a worker, which reaches directories within the deployment's policy and reports metrics.
func (s Setup) Work(c aws.Config) importer.Config {
	policy := directory.Policy{AllowPrivate: s.AllowPrivate, AllowRanges: s.AllowRanges, Deny: s.DenyRanges, Ports: s.Ports}
	work := s.Stores(c)
	work.Directory = directory.New(directory.Config{Allow: policy.Allow, AllowPort: policy.AllowPort})
	work.Ended = Metrics(s.Out, s.LambdaName, s.Log)
	work.Tick = tick
	return work
}

// Consumer keeps a worker's message while it is handled.
func (s Setup) Consumer(c aws.Config) sqs.Consumer {
	return sqs.Consumer{Client: sqs.NewClient(c), Log: s.Log}
}

// API returns an API without routes, whose callers the authorizer has let in. document describes the whole of it where a
// function is the one that answers with it.
func (s Setup) API(document []byte) *api.API {
	return api.New(api.Config{Identify: Identify(s.Environment), Log: s.Log, Document: document})
}
