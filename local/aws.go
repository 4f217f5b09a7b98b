package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"rollcall/shared/adapters/aws/dynamodb"
	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/adapters/aws/sqs"
	"rollcall/shared/importer"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
	"rollcall/shared/user"
)

// receivers is how many messages of each queue are handled at a time.
const receivers = 4

// onAWS names what local -aws needs: what all functions need together.
func onAWS() manifest.Function {
	return manifest.Function{Name: "local -aws", Needs: []manifest.Variable{
		manifest.UsersTable, manifest.JobsTable, manifest.Bucket, manifest.DataKey, manifest.PreviewsQueue, manifest.SyncsQueue,
		manifest.PasswordKey, manifest.EventBus, manifest.LinkRole,
	}}
}

// openAWS takes the stores, queues and keys that the environment names: the SDK's own variables say where AWS is and who asks,
// and the deployment's name the rest.
func openAWS(ctx context.Context, c config) (*backend, error) {
	env, err := manifest.Read(os.Getenv, onAWS())
	if err != nil {
		return nil, err
	}
	aws, err := loadAWS(ctx)
	if err != nil {
		return nil, err
	}
	tables := dynamodb.NewClient(aws)
	files := s3.Config{
		Client: s3.NewClient(aws), Bucket: env.Get(manifest.Bucket), KeyID: env.Optional(manifest.DataKey),
		LinkRole: env.Optional(manifest.LinkRole), Roles: s3.NewRoleClient(aws),
	}
	if c.create {
		err := errors.Join(dynamodb.CreateTables(ctx, tables, env.Get(manifest.UsersTable), env.Get(manifest.JobsTable)), files.Create(ctx))
		if err != nil {
			return nil, err
		}
	}
	users, jobs, objects := dynamodb.NewUsers(tables, env.Get(manifest.UsersTable)), dynamodb.NewJobs(tables, env.Get(manifest.JobsTable), time.Now), s3.New(files)
	queues := sqs.NewClient(aws)
	urls := sqs.URLs{queue.Previews: env.Get(manifest.PreviewsQueue), queue.Syncs: env.Get(manifest.SyncsQueue)}
	key := kms.New(kms.NewClient(aws), env.Get(manifest.PasswordKey))
	return &backend{
		ports: importer.Config{
			Users: users, Jobs: jobs, Objects: objects, Queue: sqs.NewSender(queues, urls), Sealer: key, Opener: key,
			Events: eventbridge.New(eventbridge.NewClient(aws), env.Get(manifest.EventBus)),
		},
		receive: func(ctx context.Context, handle queue.Handler) error {
			sqs.Consumer{Client: queues, Log: c.log}.Receive(ctx, urls, receivers, handle)
			return nil
		},
		// Others may be at work on the same tables.
		abandoned: time.Now(),
		close:     func() error { return nil },
	}, nil
}

// toErase names what erasing an account needs.
func toErase() manifest.Function {
	return manifest.Function{Name: "local -aws -erase", Needs: []manifest.Variable{manifest.UsersTable, manifest.JobsTable, manifest.Bucket}}
}

// eraseAWS deletes an account from tables and bucket, with the credentials of an operator. Its waiting messages name runs that are
// gone, and do nothing.
func eraseAWS(ctx context.Context, c config, account user.Account) error {
	env, err := manifest.Read(os.Getenv, toErase())
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
	tables := dynamodb.NewClient(aws)
	// Settings and runs go first: nothing can start any more.
	if _, err := dynamodb.NewJobs(tables, env.Get(manifest.JobsTable), time.Now).Erase(ctx, account, report("records")); err != nil {
		return err
	}
	if _, err := dynamodb.NewUsers(tables, env.Get(manifest.UsersTable)).Erase(ctx, account, report("users")); err != nil {
		return err
	}
	files, err := s3.New(s3.Config{Client: s3.NewClient(aws), Bucket: env.Get(manifest.Bucket)}).Erase(ctx, account)
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
