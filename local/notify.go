package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"

	"rollcall/shared/adapters/smtp"
	"rollcall/shared/importer"
	"rollcall/shared/notify"
	"rollcall/shared/notify/delivery"
	"rollcall/shared/ports/mail"
	"rollcall/shared/ports/queue"
)

// The environment variables of the mail server's sign-in: a password on the command line can be read by others.
const (
	smtpUsername = "ROLLCALL_SMTP_USERNAME"
	smtpPassword = "ROLLCALL_SMTP_PASSWORD"
)

// mailFlags are the flags of the mail server.
func (c *config) mailFlags(flags *flag.FlagSet) {
	flags.StringVar(&c.smtp, "smtp", "", "the mail server, host:port, that notifications are sent through; "+
		smtpUsername+" and "+smtpPassword+" sign in there")
	flags.StringVar(&c.mailFrom, "mail-from", "rollcall@localhost", "the address that notifications come from")
}

// checkMail checks the flags of the mail server.
func (c config) checkMail() error {
	if c.smtp == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.smtp)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("-smtp %q is not host:port, such as mail.example.com:25", c.smtp)
	}
	if err := mail.CheckFrom(c.mailFrom); err != nil {
		return fmt.Errorf("-mail-from: %w", err)
	}
	return nil
}

// notifications completes the ports for what is told: local's webhooks may be anywhere, also on this machine.
func (c config) notifications(work importer.Config) importer.Config {
	work.Notifier, work.Webhooks = c.notifier(work), notify.Rules{Insecure: true}
	if c.smtp != "" {
		work.MailFrom = c.mailFrom
	}
	return work
}

func (c config) notifier(work importer.Config) delivery.Notifier {
	return delivery.Notifier{Jobs: work.Jobs, Queue: work.Queue, Now: c.clock, Log: c.log}
}

// handle gives each message to its worker.
func (c config) handle(work importer.Config, page string) queue.Handler {
	runs := importer.NewWorker(work)
	deliveries := &delivery.Worker{
		Notifier: c.notifier(work), Opener: work.Opener, Webhooks: &delivery.Webhooks{Rules: work.Webhooks},
		Page: page,
	}
	if c.smtp != "" {
		deliveries.Mail = smtp.Sender{
			Addr: c.smtp, From: c.mailFrom, Username: os.Getenv(smtpUsername), Password: os.Getenv(smtpPassword),
		}
	}
	return func(ctx context.Context, m queue.Message) error {
		if m.Queue() == queue.Deliveries {
			return deliveries.Work(ctx, m)
		}
		return runs.Work(ctx, m)
	}
}
