// Package importer is the import itself: it takes requests (Service) and does the work they ask for (Worker). All
// else is behind ports, so that the same code runs in one process and as functions on AWS. A preview is a plan that
// is stored, a sync a plan that is applied, an undo the inverse of one.
package importer

import (
	"context"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"rollcall/shared/directory"
	"rollcall/shared/notify"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/events"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/ports/users"
	"rollcall/shared/run"
	"rollcall/shared/settings/secret"
	"rollcall/shared/user"
)

// How long things are kept and links work.
const (
	PlanLifetime   = 24 * time.Hour
	RecordLifetime = 90 * 24 * time.Hour
	LinkLifetime   = time.Hour
)

// Config is what a Service and a Worker are made of. Opener and Directory are only the Worker's, Sealer only the
// Service's: what takes requests can neither read a password nor reach a directory.
type Config struct {
	Users     users.Store
	Jobs      runs.Store
	Objects   objects.Store
	Queue     queue.Sender
	Sealer    secret.Sealer
	Opener    secret.Opener
	Directory Directory
	// Connectors are the programs that read directories which Directory cannot reach.
	Connectors connectors.Store
	// Bounds hold for what a connector read. They default to Directory's, where that is a directory.Reader.
	Bounds *directory.Reader
	// Events gets what others want to know of; nil tells nobody.
	Events events.Publisher
	// Notifier tells an account's people how its syncs fare; nil tells nobody.
	Notifier Notifier
	// Webhooks says where webhooks may be, and MailFrom where mails come from, empty where none can be sent.
	Webhooks notify.Rules
	MailFrom string
	// Failed is told of each account whose due sync could not be started or whose overdue run could not be looked
	// after, which the log names, too; nil tells nobody. It may be called by several goroutines at once.
	Failed func(ctx context.Context, account user.Account)
	// Ended is told of each run that a worker ended, after its end was stored; nil tells nobody.
	Ended func(ctx context.Context, account user.Account, r run.Run)
	// Hour is how long an hour of a schedule lasts: time.Hour, or less to try a schedule out.
	Hour time.Duration
	// Now defaults to time.Now, NewID to a new ULID, Log to slog.Default, Tick to half a second: how often a worker
	// stores its progress and looks whether it was cancelled.
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
	Tick  time.Duration
	// LeaseTime is how long a sync keeps its account's lease without a heartbeat. It defaults to a minute, and is
	// shorter than the time after which a queue hands out the message of a dead worker again, less that time's own
	// heartbeat.
	LeaseTime time.Duration
	// Sleep waits, or returns an error where ctx ends or nobody is to wait. It defaults to waiting.
	Sleep func(ctx context.Context, d time.Duration) error
}

// core is what Service and Worker have in common: the ports, with defaults for what was left out, and the plans that
// were opened last.
type core struct {
	Config
	plans *planfile.Opener
}

func newCore(c Config) core {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return ulid.Make().String() }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Hour == 0 {
		c.Hour = time.Hour
	}
	if c.Tick == 0 {
		c.Tick = 500 * time.Millisecond
	}
	if c.LeaseTime == 0 {
		c.LeaseTime = time.Minute
	}
	if c.Sleep == nil {
		c.Sleep = runs.Wait
	}
	if reader, ok := c.Directory.(*directory.Reader); ok && c.Bounds == nil {
		c.Bounds = reader
	}
	return core{c, new(planfile.Opener)}
}

func (c core) now() time.Time { return c.Now().UTC() }

// readPlan opens the plan at key for use.
func (c core) readPlan(ctx context.Context, account user.Account, key string, use func(*planfile.Reader) error) error {
	object, err := c.Objects.For(account).Open(ctx, key)
	if err != nil {
		return err
	}
	defer object.Close()
	reader, err := c.plans.Open(string(account)+"\x00"+key, object, object.Size())
	if err != nil {
		return err
	}
	return use(reader)
}
