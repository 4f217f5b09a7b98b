// Package runs is the port to what the system remembers of an account's work: the saved settings and the runs.
// Its adapters are in packages embedded and (on AWS) dynamodb; package runstest holds what both must do.
package runs

import (
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// The errors of a job store.
var (
	// ErrNotFound means that the account has no such run, or no settings.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that the record changed since it was read.
	ErrConflict = errors.New("changed meanwhile")
	// ErrUnchanged ends an update that has nothing to store.
	ErrUnchanged = errors.New("nothing to store")
	// ErrBusy means that others stored the record first, each time that it was tried.
	ErrBusy = errors.New("the record changes too often")
	// ErrTooLarge means that a record is larger than the store takes. What makes one large is its list of exclusions.
	ErrTooLarge = errors.New("too large to be stored")
)

// Store holds the jobs of all accounts; For is the only way in.
type Store interface {
	For(account user.Account) Jobs
	// Due returns up to limit accounts whose schedule is not paused and whose DueAt is not after now, or further ahead
	// than FarAhead: a wrong clock chose that. The longest due come first. It may return accounts besides whose next
	// run is further away than their own interval and an hour. What cannot be read hides no other account: it is left
	// out, and an error comes with the rest.
	Due(ctx context.Context, now time.Time, limit int) ([]user.Account, error)
	// DueLooks returns up to limit accounts whose NextAt of UpdateLooks is not zero and not after now, the longest due
	// first. What cannot be read is left out as in Due.
	DueLooks(ctx context.Context, now time.Time, limit int) ([]user.Account, error)
	// DueDeliveries returns up to limit deliveries whose NextAt is not zero and not after now, the longest due first.
	// It may name one that changed a moment ago. What cannot be read is left out as in Due.
	DueDeliveries(ctx context.Context, now time.Time, limit int) ([]Ref, error)
	// Overdue returns up to limit runs whose OverdueAt is not after now, the longest overdue first. It may name a run
	// that changed a moment ago: read it before acting on it. What cannot be read is left out as in Due.
	Overdue(ctx context.Context, now time.Time, limit int) ([]Ref, error)
}

// FarAhead is how long nobody waits for a schedule's next run: the longest interval, and an hour for the account's own
// minute.
const FarAhead = (settings.MaxInterval + 1) * time.Hour

// Ref names a run, or a delivery, of any account.
type Ref struct {
	Account user.Account
	RunID   string
}

// Jobs is one account's settings, runs and records.
type Jobs interface {
	Audit
	Counters
	Keys
	Leases
	ListRecords
	LookRecords
	NotificationRecords
	ToldRecords
	// Settings returns the saved settings, or ErrNotFound.
	Settings(ctx context.Context) (settings.Saved, error)
	// PutSettings saves s if the stored revision is still s.Revision (0: nothing is stored), else ErrConflict. It
	// returns them with their new revision. The audit entries are stored with them, all or nothing.
	PutSettings(ctx context.Context, s settings.Saved, entries ...AuditEntry) (settings.Saved, error)
	// DeleteSettings removes the settings that have s.Revision, with schedule and sealed password, and stores the audit
	// entries, all or nothing. Where others are stored it returns ErrConflict, where none are ErrNotFound.
	DeleteSettings(ctx context.Context, s settings.Saved, entries ...AuditEntry) error
	// TakeSlot stores s as PutSettings does and r as CreateRun does, both or neither. Of several that take the same
	// slot of a schedule one succeeds, and the others get ErrConflict.
	TakeSlot(ctx context.Context, s settings.Saved, r run.Run) (run.Run, error)
	// UsePreview stores preview, if the stored revision is still preview.Revision, and r and the audit entries as
	// CreateRun does, all or nothing; else ErrConflict. The preview's Import stays as it was stored.
	UsePreview(ctx context.Context, preview, r run.Run, entries ...AuditEntry) (run.Run, error)
	// Fits returns ErrTooLarge where a new run like r is too large for CreateRun or TakeSlot, or nearly so: another of
	// the same settings has another id and other times. It asks nobody.
	Fits(r run.Run) error
	// CreateRun stores a new run with revision 1, and the audit entries with it, all or nothing. A run with the same id
	// is ErrConflict. As every write of a run it sets UpdatedAt.
	CreateRun(ctx context.Context, r run.Run, entries ...AuditEntry) (run.Run, error)
	// Run returns a run with all of its Import, or ErrNotFound.
	Run(ctx context.Context, id string) (run.Run, error)
	// LeanRun returns a run as Runs does, or ErrNotFound.
	LeanRun(ctx context.Context, id string) (run.Run, error)
	// UpdateRun is EditRun for a change that leaves no audit entry.
	UpdateRun(ctx context.Context, id string, change func(*run.Run) error) (run.Run, error)
	// EditRun reads the run, lets change alter it, and stores it with the audit entries that change returns, all or
	// nothing. If somebody else stored it meanwhile it tries again, so change may be called more than once. What change
	// returns as an error ends the edit without a write. What is long of the run's Import (the CA certificate, the
	// advanced settings) is neither in what change gets nor in what is returned, and nothing of it can be changed.
	EditRun(ctx context.Context, id string, change func(*run.Run) ([]AuditEntry, error)) (run.Run, error)
	// Runs returns runs of one kind, the newest first, without what is long of their Import.
	Runs(ctx context.Context, q Query) (Page, error)
}

// Query asks for a page of runs of one kind. States and Triggers are those to show; empty shows all. After is the Next
// of the page before; Limit is 1 to 1000.
type Query struct {
	Kind     run.Kind
	States   []run.State
	Triggers []run.Trigger
	After    string
	Limit    int
}

// Wants reports whether the query chooses a run of its kind.
func (q *Query) Wants(r *run.Run) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
		(len(q.Triggers) == 0 || slices.Contains(q.Triggers, r.Trigger))
}

// MaxScan is how many runs one page looks at: a page may be short and still have Next.
const MaxScan = 1000

// Page is one page of runs. Next is empty at the end.
type Page struct {
	Runs []run.Run
	Next string
}
