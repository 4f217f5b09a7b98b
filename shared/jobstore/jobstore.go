// Package jobstore is the port to what the system remembers of an account's work: the saved settings and the runs.
// Its adapters are in packages embedded and (on AWS) dynamo; package jobstoretest holds what both must do.
package jobstore

import (
	"context"
	"errors"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/plan"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// The errors of a job store.
var (
	// ErrNotFound means that the account has no such run, or no settings.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that the record changed since it was read.
	ErrConflict = errors.New("changed meanwhile")
	// ErrTooLarge means that a record is larger than the store takes. What makes one large is its list of exclusions.
	ErrTooLarge = errors.New("too large to be stored")
)

// Store holds the jobs of all accounts; For is the only way in.
type Store interface {
	For(account user.Account) Jobs
	// Due returns up to limit accounts whose schedule is due at now and not paused, the longest due first. What cannot
	// be read hides no other account: it is left out, and an error comes with the rest.
	Due(ctx context.Context, now time.Time, limit int) ([]user.Account, error)
	// Overdue returns up to limit runs whose NextLook is not after now, the longest overdue first. It may name a run that
	// changed a moment ago: read it before acting on it. What cannot be read is left out as in Due.
	Overdue(ctx context.Context, now time.Time, limit int) ([]RunRef, error)
}

// RunRef names a run of any account.
type RunRef struct {
	Account user.Account
	RunID   string
}

// Jobs is one account's settings, runs and records.
type Jobs interface {
	Audit
	Keys
	Leases
	// Settings returns the saved settings, or ErrNotFound.
	Settings(ctx context.Context) (Settings, error)
	// PutSettings saves s if the stored revision is still s.Revision (0: nothing is stored), else ErrConflict. It
	// returns them with their new revision.
	PutSettings(ctx context.Context, s Settings) (Settings, error)
	// DeleteSettings removes the settings with schedule and sealed password in one step and returns what they
	// were, or ErrNotFound.
	DeleteSettings(ctx context.Context) (Settings, error)
	// Claim stores s as PutSettings does and r as CreateRun does, both or neither. Of several that claim the same
	// slot of a schedule one succeeds, and the others get ErrConflict.
	Claim(ctx context.Context, s Settings, r Run) (Run, error)
	// Fits returns ErrTooLarge where a new run like r is too large for CreateRun or Claim, or nearly so: another of the
	// same settings has another id and other times. It asks nobody.
	Fits(r Run) error
	// CreateRun stores a new run with revision 1. A run with the same id is ErrConflict. As every write of a run it sets
	// UpdatedAt.
	CreateRun(ctx context.Context, r Run) (Run, error)
	// Run returns a run, or ErrNotFound.
	Run(ctx context.Context, id string) (Run, error)
	// UpdateRun reads the run, lets change alter it, and stores it if nobody stored it meanwhile, trying again if
	// somebody did; so change may be called more than once. What change returns ends the update without a write.
	UpdateRun(ctx context.Context, id string, change func(*Run) error) (Run, error)
	// Runs returns runs of one kind, the newest first.
	Runs(ctx context.Context, q RunQuery) (RunPage, error)
}

// RunQuery asks for a page of runs of one kind. After is the Next of the page before; Limit is 1 to 1000.
type RunQuery struct {
	Kind  RunKind
	After string
	Limit int
}

// RunPage is one page of runs. Next is empty at the end.
type RunPage struct {
	Runs []Run
	Next string
}

// Settings are the saved settings of an account.
type Settings struct {
	settings.Import
	// SealedPassword is nil where no password is stored.
	SealedPassword []byte    `json:"sealedPassword,omitempty"`
	Schedule       *Schedule `json:"schedule,omitempty"`
	// Version moves whenever somebody saves (it is the time in Unix milliseconds, or one more than before); unlike
	// Revision it stays when a run leaves its mark.
	Version int64 `json:"version"`
	// LastSyncID is the newest sync that these settings started; ConsecutiveFailures counts the scheduled ones
	// that failed in a row.
	LastSyncID string `json:"lastSyncId,omitempty"`
	// ScheduledRunID is the sync that the schedule started last.
	ScheduledRunID      string    `json:"scheduledRunId,omitempty"`
	ConsecutiveFailures int       `json:"consecutiveFailures"`
	UpdatedAt           time.Time `json:"updatedAt"`
	UpdatedBy           string    `json:"updatedBy"`
	// Revision is the store's, for optimistic concurrency.
	Revision int64 `json:"revision"`
}

// Schedule is a recurring sync.
type Schedule struct {
	// IntervalHours is 1 to 24.
	IntervalHours int       `json:"intervalHours"`
	NextRunAt     time.Time `json:"nextRunAt"`
	Paused        bool      `json:"paused"`
	PausedReason  string    `json:"pausedReason,omitempty"`
}

// RunKind says what a run does.
type RunKind string

// The kinds of run.
const (
	KindPreview RunKind = "preview"
	KindSync    RunKind = "sync"
	KindExport  RunKind = "export"
)

// State is where a run is.
type State string

// The states. A run ends in one of the last four.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Blocked   State = "blocked"
	Cancelled State = "cancelled"
)

// Ended tells whether a state is final.
func (s State) Ended() bool { return s != Queued && s != Running }

// Trigger says what started a sync.
type Trigger string

// The triggers.
const (
	TriggerManual   Trigger = "manual"
	TriggerSchedule Trigger = "schedule"
	TriggerUndo     Trigger = "undo"
)

// Phase is what a running run is doing.
type Phase string

// The phases, in their order.
const (
	PhaseConnecting Phase = "connecting"
	PhaseReading    Phase = "reading"
	PhasePlanning   Phase = "planning"
	PhaseApplying   Phase = "applying"
)

// Progress is how far a run is.
type Progress struct {
	Phase     Phase `json:"phase,omitempty"`
	Entries   int   `json:"entries"`
	Addresses int   `json:"addresses"`
	Applied   int   `json:"applied"`
	ToApply   int   `json:"toApply"`
}

// Failure is why a run failed. Step is the step of the connection where it did, if it was one.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Step    string `json:"step,omitempty"`
}

// Run is one preview, sync or export, from request to result.
type Run struct {
	ID        string  `json:"id"`
	Kind      RunKind `json:"kind"`
	State     State   `json:"state"`
	Trigger   Trigger `json:"trigger,omitempty"`
	StartedBy string  `json:"startedBy"`
	// PreviewID is the preview that a sync applies, or that an export prints. UndoOf is the sync that it reverses.
	PreviewID string `json:"previewId,omitempty"`
	UndoOf    string `json:"undoOf,omitempty"`

	Import         settings.Import `json:"import"`
	SealedPassword []byte          `json:"sealedPassword,omitempty"`
	// ConfirmRemovals is the number of removals that somebody confirmed, nil where nobody did.
	ConfirmRemovals *int `json:"confirmRemovals,omitempty"`

	CreatedAt  time.Time `json:"createdAt"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	// ExpiresAt is when what the run left (a plan, a CSV) is deleted.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`

	Progress  Progress         `json:"progress"`
	Steps     []directory.Step `json:"steps,omitempty"`
	Notes     []string         `json:"notes,omitempty"`
	Result    plan.Result      `json:"result"`
	Guard     plan.Guard       `json:"guard"`
	Failure   *Failure         `json:"failure,omitempty"`
	Cancelled bool             `json:"cancelRequested,omitempty"`

	// PlanKey is the object that holds the plan, empty until it is stored whole.
	PlanKey string `json:"planKey,omitempty"`
	// Checkpoint is how far the plan was applied for certain.
	Checkpoint Checkpoint `json:"checkpoint"`
	Attempts   int        `json:"attempts,omitempty"`
	// Slice counts how often a worker handed the run over to the next one because its time was up.
	Slice int `json:"slice,omitempty"`

	// Export is set on exports.
	Export *Export `json:"export,omitempty"`

	// UpdatedAt and Revision are the store's: when the run was written last, and for optimistic concurrency.
	UpdatedAt time.Time `json:"updatedAt"`
	Revision  int64     `json:"revision"`
}

// The times of looking after runs.
const (
	// patience is how long an unfinished run may give no sign of life. It is longer than any queue takes to deliver a message
	// again, and longer than a queue remembers which messages it had.
	patience = 15 * time.Minute
	// lookStep is what looks are rounded up to, so that a run that is at work need not move in an index with every write.
	lookStep = 5 * time.Minute
)

// NextLook is when somebody has to look after the run if nothing is heard of it until then: an unfinished one may have lost
// its message, and an ended one may keep a sealed password past its time. Zero means never.
func (r *Run) NextLook() time.Time {
	switch {
	case !r.State.Ended():
		return r.UpdatedAt.Truncate(lookStep).Add(patience + lookStep)
	case r.SealedPassword != nil: // An ended sync keeps none.
		return r.ExpiresAt
	}
	return time.Time{}
}

// Checkpoint counts the batches of a plan that were applied, and what became of their rows. What came after it may
// have been applied too.
type Checkpoint struct {
	// Begun is stored before the first row is written.
	Begun     bool `json:"begun,omitempty"`
	Batches   int  `json:"batches"`
	Applied   int  `json:"applied"`
	Conflicts int  `json:"conflicts"`
	// ConflictKeys are the objects that list the rows in conflict.
	ConflictKeys []string `json:"conflictKeys,omitempty"`
}

// Export is what an export wrote.
type Export struct {
	ObjectKey string `json:"objectKey"`
	FileName  string `json:"fileName"`
	Rows      int    `json:"rows"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
}
