package function

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"rollcall/shared/api"
	"rollcall/shared/bucket"
	"rollcall/shared/deployment"
	"rollcall/shared/directory"
	"rollcall/shared/dynamo"
	"rollcall/shared/fifo"
	"rollcall/shared/importer"
	"rollcall/shared/queue"
)

// tick is how often a worker stores its progress and looks whether it was cancelled: each time costs a read and a write.
const tick = 2 * time.Second

// Stores returns the ports that functions share: the tables and the bucket that the function was told of, and the queues.
func (s Setup) Stores(c aws.Config) importer.Config {
	tables := dynamo.NewClient(c)
	work := importer.Config{Jobs: dynamo.NewJobs(tables, s.Get(deployment.JobsTable), time.Now), Log: s.Log}
	if name := s.Get(deployment.UsersTable); name != "" {
		work.Users = dynamo.NewUsers(tables, name)
	}
	if name := s.Get(deployment.Bucket); name != "" {
		work.Objects = s.objects(c, name)
	}
	urls := make(fifo.URLs)
	for name, variable := range map[queue.Name]deployment.Variable{queue.Previews: deployment.PreviewsQueue, queue.Syncs: deployment.SyncsQueue} {
		if url := s.Get(variable); url != "" {
			urls[name] = url
		}
	}
	work.Queue = fifo.NewSender(fifo.NewClient(c), urls)
	return work
}

func (s Setup) objects(c aws.Config, name string) *bucket.Store {
	b := bucket.Config{Client: bucket.NewClient(c), Bucket: name, KeyID: s.Optional(deployment.DataKey), LinkRole: s.Optional(deployment.LinkRole)}
	if b.LinkRole != "" {
		b.Roles = bucket.NewRoleClient(c)
	}
	return bucket.New(b)
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
func (s Setup) Consumer(c aws.Config) fifo.Consumer {
	return fifo.Consumer{Client: fifo.NewClient(c), Log: s.Log}
}

// API returns an API without routes, whose callers the authorizer has let in. document describes the whole of it where a
// function is the one that answers with it.
func (s Setup) API(document []byte) *api.API {
	return api.New(api.Config{Identify: Identify(s.Environment), Log: s.Log, Document: document})
}
