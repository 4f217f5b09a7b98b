package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"rollcall/shared/adapters/aws"
	"rollcall/shared/adapters/aws/eventbridge"
	"rollcall/shared/adapters/aws/kms"
	"rollcall/shared/adapters/aws/s3"
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
			manifest.DeliveriesQueue,
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
	uploads, err := d.UploadHandler(ctx)
	if err != nil {
		return nil, err
	}
	return &backend{
		ports: ports, uploads: uploads, uploadPath: s3.UploadPath,
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
	}, Takes: []manifest.Variable{manifest.LogDays}}
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
	err = d.Erase(ctx, account, func(deleted int, what string) {
		fmt.Fprintf(c.out, "%d %s deleted\n", deleted, what)
	})
	if err == nil {
		sayWhatStays(c.out, time.Now(), cmp.Or(env.LogDays, manifest.DefaultLogDays))
	}
	return err
}

// sayWhatStays lists what no command deletes, with the day on which it is gone.
func sayWhatStays(out io.Writer, now time.Time, logDays int) {
	fmt.Fprintln(out, "\nWhat cannot be deleted by account goes by itself (docs/operations.md):")
	for _, kept := range []struct {
		days int
		what string
	}{
		{manifest.MessageDays, "messages that were given up: the account and ids of runs"},
		{manifest.EventDays, "archived events: addresses of users that changed, why syncs failed"},
		{manifest.BackupDays, "backups of the tables: everything. Restore one before, and erase again"},
		{manifest.AccessLogDays, "S3's access log: the account and ids of runs"},
		// CloudWatch deletes within three days of the last.
		{logDays + 3, "logs: why runs failed, which may name a base DN, a user name or an address"},
	} {
		// The day after the last on which it may be there, in the operator's own time.
		fmt.Fprintf(out, "  gone by %s  %s\n", now.AddDate(0, 0, kept.days+1).Format(time.DateOnly), kept.what)
	}
}
