package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"rollcall/shared/bucket"
	"rollcall/shared/bus"
	"rollcall/shared/deployment"
	"rollcall/shared/dynamo"
	"rollcall/shared/fifo"
	"rollcall/shared/importer"
	"rollcall/shared/passwordkey"
	"rollcall/shared/queue"
	"rollcall/shared/user"
)

// receivers is how many messages of each queue are handled at a time.
const receivers = 4

// onAWS names what local -aws needs: what all functions need together.
func onAWS() deployment.Function {
	return deployment.Function{Name: "local -aws", Needs: []deployment.Variable{
		deployment.UsersTable, deployment.JobsTable, deployment.Bucket, deployment.DataKey, deployment.PreviewsQueue, deployment.SyncsQueue,
		deployment.PasswordKey, deployment.EventBus, deployment.LinkRole,
	}}
}

// openAWS takes the stores, queues and keys that the environment names: the SDK's own variables say where AWS is and who asks,
// and the deployment's name the rest.
func openAWS(ctx context.Context, c config) (*backend, error) {
	env, err := deployment.Read(os.Getenv, onAWS())
	if err != nil {
		return nil, err
	}
	aws, err := loadAWS(ctx)
	if err != nil {
		return nil, err
	}
	tables := dynamo.NewClient(aws)
	files := bucket.Config{
		Client: bucket.NewClient(aws), Bucket: env.Get(deployment.Bucket), KeyID: env.Optional(deployment.DataKey),
		LinkRole: env.Optional(deployment.LinkRole), Roles: bucket.NewRoleClient(aws),
	}
	if c.create {
		err := errors.Join(dynamo.CreateTables(ctx, tables, env.Get(deployment.UsersTable), env.Get(deployment.JobsTable)), files.Create(ctx))
		if err != nil {
			return nil, err
		}
	}
	users, jobs, objects := dynamo.NewUsers(tables, env.Get(deployment.UsersTable)), dynamo.NewJobs(tables, env.Get(deployment.JobsTable), time.Now), bucket.New(files)
	queues := fifo.NewClient(aws)
	urls := fifo.URLs{queue.Previews: env.Get(deployment.PreviewsQueue), queue.Syncs: env.Get(deployment.SyncsQueue)}
	key := passwordkey.New(passwordkey.NewClient(aws), env.Get(deployment.PasswordKey))
	return &backend{
		ports: importer.Config{
			Users: users, Jobs: jobs, Objects: objects, Queue: fifo.NewSender(queues, urls), Sealer: key, Opener: key,
			Events: bus.New(bus.NewClient(aws), env.Get(deployment.EventBus)),
		},
		receive: func(ctx context.Context, handle queue.Handler) error {
			fifo.Consumer{Client: queues, Log: c.log}.Receive(ctx, urls, receivers, handle)
			return nil
		},
		// Others may be at work on the same tables.
		abandoned: time.Now(),
		close:     func() error { return nil },
	}, nil
}

// toErase names what erasing an account needs.
func toErase() deployment.Function {
	return deployment.Function{Name: "local -aws -erase", Needs: []deployment.Variable{deployment.UsersTable, deployment.JobsTable, deployment.Bucket}}
}

// eraseAWS deletes an account from tables and bucket, with the credentials of an operator. Its waiting messages name runs that are
// gone, and do nothing.
func eraseAWS(ctx context.Context, c config, account user.Account) error {
	env, err := deployment.Read(os.Getenv, toErase())
	if err != nil {
		return err
	}
	aws, err := loadAWS(ctx)
	if err != nil {
		return err
	}
	report := func(what string) func(int) {
		return func(deleted int) { fmt.Fprintf(c.out, "%d %s deleted\n", deleted, what) }
	}
	tables := dynamo.NewClient(aws)
	// Settings and runs go first: nothing can start any more.
	if _, err := dynamo.NewJobs(tables, env.Get(deployment.JobsTable), time.Now).Erase(ctx, account, report("records")); err != nil {
		return err
	}
	if _, err := dynamo.NewUsers(tables, env.Get(deployment.UsersTable)).Erase(ctx, account, report("users")); err != nil {
		return err
	}
	files, err := bucket.New(bucket.Config{Client: bucket.NewClient(aws), Bucket: env.Get(deployment.Bucket)}).Erase(ctx, account)
	report("files")(files)
	return err
}

func loadAWS(ctx context.Context) (aws.Config, error) {
	c, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithAppID("rollcall-local"))
	if err != nil {
		return c, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return c, nil
}
