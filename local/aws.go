package main

import (
	"context"
	"fmt"
	"os"

	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/manifest"
	"rollcall/shared/ports/queue"
	"rollcall/shared/user"
)

// receivers is how many messages of each queue are handled at a time.
const receivers = 4

// appID is what AWS's access logs say of local.
const appID = "rollcall-local"

// onAWS names what local -aws needs: what all functions need together.
func onAWS() manifest.Function {
	return manifest.Function{
		Name: "local -aws", Takes: []manifest.Variable{manifest.LeaseTime},
		Needs: []manifest.Variable{
			manifest.UsersTable, manifest.JobsTable, manifest.Bucket, manifest.DataKey,
			manifest.PreviewsQueue, manifest.SyncsQueue, manifest.ScheduledQueue,
			manifest.PasswordKey, manifest.EventBus, manifest.LinkRole,
		},
	}
}

// openAWS takes the stores, queues and keys that the environment names: the SDK's own variables say where AWS is and
// who asks, and the deployment's name the rest.
func openAWS(ctx context.Context, c config) (*backend, error) {
	env, err := manifest.Read(os.Getenv, onAWS())
	if err != nil {
		return nil, err
	}
	d, err := aws.Open(ctx, aws.Caller{Environment: env, Name: appID, Log: c.log})
	if err != nil {
		return nil, err
	}
	if c.create {
		if err := d.Create(ctx); err != nil {
			return nil, err
		}
	}
	ports, key := d.Stores(), kms.New(kms.NewClient(d.SDK), d.Get(manifest.PasswordKey))
	ports.Sealer, ports.Opener, ports.LeaseTime = key, key, env.LeaseTime
	ports.Events = eventbridge.New(eventbridge.NewClient(d.SDK), d.Get(manifest.EventBus))
	return &backend{
		ports: ports,
		receive: func(ctx context.Context, handle queue.Handler) error {
			d.Receive(ctx, receivers, handle)
			return nil
		},
		// Others may be at work on the same tables.
		abandoned: c.clock,
		close:     func() error { return nil },
	}, nil
}

// toErase names what erasing an account needs.
func toErase() manifest.Function {
	return manifest.Function{Name: "local -aws -erase", Needs: []manifest.Variable{
		manifest.UsersTable, manifest.JobsTable, manifest.Bucket,
	}}
}

// eraseAWS deletes an account from tables and bucket, with the credentials of an operator.
func eraseAWS(ctx context.Context, c config, account user.Account) error {
	env, err := manifest.Read(os.Getenv, toErase())
	if err != nil {
		return err
	}
	d, err := aws.Open(ctx, aws.Caller{Environment: env, Name: appID, Log: c.log})
	if err != nil {
		return err
	}
	return d.Erase(ctx, account, func(deleted int, what string) {
		fmt.Fprintf(c.out, "%d %s deleted\n", deleted, what)
	})
}
