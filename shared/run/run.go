// Package run holds the nouns of a run: a preview, sync or export from request to result, as it is stored and shown.
// It imports no package but other nouns.
package run

import (
	"time"

	"rollcall/shared/settings"
)

// Kind says what a run does.
type Kind string

// The kinds of run.
const (
	KindPreview Kind = "preview"
	KindSync    Kind = "sync"
	KindExport  Kind = "export"
	// KindExplanation says what a sync would make of one address.
	KindExplanation Kind = "explanation"
)

const (
	recordLifetime      = 90 * 24 * time.Hour
	explanationLifetime = 24 * time.Hour
)

// Lifetime is how long the record of a run is kept. An explanation's has its answer, which says what somebody's
// directory holds now.
func (k Kind) Lifetime() time.Duration {
	if k == KindExplanation {
		return explanationLifetime
	}
	return recordLifetime
}

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

// Ended reports whether a state is final.
func (s State) Ended() bool { return s != Queued && s != Running }

// Trigger says what started a sync.
type Trigger string

// The triggers.
const (
	TriggerManual   Trigger = "manual"
	TriggerSchedule Trigger = "schedule"
	TriggerUndo     Trigger = "undo"
	// TriggerQuick: a look between two full syncs found something.
	TriggerQuick Trigger = "quick"
)

// Phase is what a running run is doing.
type Phase string

// The phases, in their order.
const (
	// PhaseConnector: the run waits for a connector to take it up.
	PhaseConnector  Phase = "connector"
	PhaseConnecting Phase = "connecting"
	PhaseReading    Phase = "reading"
	PhasePlanning   Phase = "planning"
	PhaseApplying   Phase = "applying"
)

// Progress is how far a run is.
type Progress struct {
	Phase     Phase `json:"phase,omitempty" doc:"What is done now"`
	Entries   int   `json:"entries" doc:"Entries read so far" example:"243"`
	Addresses int   `json:"addresses" doc:"Addresses found so far" example:"452"`
	Applied   int   `json:"applied" doc:"Users written so far" example:"4"`
	ToApply   int   `json:"toApply" doc:"Users that the plan writes" example:"4"`
}

// Failure is why a run failed. Step is the step of the connection where it did, if it was one.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Step    string `json:"step,omitempty"`
	// Refused is set where the directory refused the username and password.
	Refused bool `json:"refused,omitempty"`
}

// Error returns the message with its code.
func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// Trouble is what keeps a run from going on although its worker lives: a store that cannot be reached.
type Trouble struct {
	// Since is when it began, Last when it was met last, and Error what the store said then.
	Since time.Time `json:"since"`
	Last  time.Time `json:"last,omitzero"`
	Error string    `json:"error"`
	// Behind is set where users were written that the checkpoint does not count yet.
	Behind bool `json:"behind,omitempty"`
}

// Run is one preview, sync, export or explanation, from request to result.
type Run struct {
	ID        string  `json:"id"`
	Kind      Kind    `json:"kind"`
	State     State   `json:"state"`
	Trigger   Trigger `json:"trigger,omitempty"`
	StartedBy string  `json:"startedBy"`
	// PreviewID is the preview that a sync applies, or that an export prints. SyncID is the sync whose changes an
	// export prints. UndoOf is the sync that it reverses.
	PreviewID string `json:"previewId,omitempty"`
	SyncID    string `json:"syncId,omitempty"`
	UndoOf    string `json:"undoOf,omitempty"`
	// Syncs are the syncs that used a preview, the oldest first; of many only the last ones.
	Syncs []string `json:"syncs,omitempty"`
	// ListWrittenAt is when the Users List had been written last, as a preview found it just before it read the list.
	ListWrittenAt time.Time `json:"listWrittenAt,omitzero"`

	Import settings.Import `json:"import"`
	// ImportFingerprint is Import's, where a store left out what is long of it.
	ImportFingerprint string `json:"-"`
	SealedPassword    []byte `json:"sealedPassword,omitempty"`
	// ConfirmRemovals is the number of removals that somebody confirmed, nil where nobody did.
	ConfirmRemovals *int `json:"confirmRemovals,omitempty"`

	CreatedAt  time.Time `json:"createdAt"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	// ExpiresAt is when the run's plan or CSV is deleted.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`

	Progress Progress `json:"progress"`
	Steps    []Step   `json:"steps,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Result   Result   `json:"result"`
	Guard    Guard    `json:"guard"`
	// Tracking is where the look after this read of the directory begins.
	Tracking Tracking `json:"tracking,omitzero"`
	Failure  *Failure `json:"failure,omitempty"`
	// CancelRequested asks the worker to stop.
	CancelRequested bool `json:"cancelRequested,omitempty"`
	// Applied is what a sync did, nil until it has ended, and for those that ended before this was counted.
	Applied *Applied `json:"appliedRows,omitempty"`

	// PlanKey is the object that holds the plan, empty until it is stored whole.
	PlanKey string `json:"planKey,omitempty"`
	// Checkpoint is how far the plan was applied for certain.
	Checkpoint Checkpoint `json:"checkpoint"`
	// Attempts counts how often a worker took the run up. It is the fencing token: what is stored for the run names its
	// attempt, and only the newest one may write.
	Attempts int `json:"attempts,omitempty"`
	// Deaths counts the attempts that ended without saying so, and the one at work.
	Deaths int `json:"deaths,omitempty"`
	// Trouble is nil while the run's stores can be reached.
	Trouble *Trouble `json:"trouble,omitempty"`
	// Parked names the read that the run waits for, which a connector does: meanwhile no worker has the run.
	// ParkedUntil is when the wait is over, unless the connector is heard of.
	Parked      string    `json:"parked,omitempty"`
	ParkedUntil time.Time `json:"parkedUntil,omitzero"`
	// Slice counts how often a worker handed the run over to the next one because its time was up.
	Slice int `json:"slice,omitempty"`

	// Export is set on exports. Filter is what one was asked to print; nil is everything.
	Export *Export `json:"export,omitempty"`
	Filter *Filter `json:"filter,omitempty"`
	// Asked and Explanation are those of explanations.
	Asked       *Asked       `json:"asked,omitempty"`
	Explanation *Explanation `json:"explanation,omitempty"`

	// UpdatedAt and Revision are the store's: when the run was written last, and for optimistic concurrency.
	UpdatedAt time.Time `json:"updatedAt"`
	Revision  int64     `json:"revision"`
}

// Full reports whether a sync reads all of the directory, and not only what changed, or a journal.
func (r *Run) Full() bool { return r.Trigger != TriggerUndo && r.Trigger != TriggerQuick }

// Fingerprint is that of the run's Import, also where what is long of it was left out.
func (r *Run) Fingerprint() string {
	if r.ImportFingerprint != "" {
		return r.ImportFingerprint
	}
	return r.Import.Fingerprint()
}

// When an unfinished run counts as overdue.
const (
	// patience is how long an unfinished run may give no sign of life. It is longer than any queue takes to deliver a
	// message again, and longer than a queue remembers which messages it had.
	patience = 15 * time.Minute
	// overdueStep is what the time is rounded up to, so that a run at work does not move in an index with every write.
	overdueStep = 5 * time.Minute
)

// OverdueAt is when somebody has to look after the run if it is not written until then: an unfinished one may have
// lost its message, and an ended one may keep a sealed password past its time. Zero means never.
func (r *Run) OverdueAt() time.Time {
	switch {
	case !r.State.Ended() && r.Parked != "" && r.UpdatedAt.Before(r.ParkedUntil):
		return r.ParkedUntil
	case !r.State.Ended():
		return r.UpdatedAt.Truncate(overdueStep).Add(patience + overdueStep)
	case r.SealedPassword != nil: // An ended sync keeps none.
		return r.ExpiresAt
	}
	return time.Time{}
}

// Checkpoint counts the batches of a plan that were applied, and what became of their rows. What came after it may
// have been applied too.
type Checkpoint struct {
	// Begun is stored before the first row is written.
	Begun   bool `json:"begun,omitempty"`
	Batches int  `json:"batches"`
	// Rows counts what became of the rows; Pending is not used here.
	Rows Applied `json:"rows,omitzero"`
	// ConflictKeys are the objects that list the rows in conflict, AlreadyKeys those that list the rows whose users
	// were in the wanted state already.
	ConflictKeys []string `json:"conflictKeys,omitempty"`
	AlreadyKeys  []string `json:"alreadyKeys,omitempty"`
	// PendingKeys are the objects that list rows of applied batches that were not written: the run's worker died there,
	// and the run did not go on.
	PendingKeys []string `json:"pendingKeys,omitempty"`

	// OldApplied and OldConflicts are what version 0.4 counted in place of Rows.
	OldApplied   int `json:"applied,omitempty"`
	OldConflicts int `json:"conflicts,omitempty"`
}

// Export is what an export wrote.
type Export struct {
	ObjectKey string `json:"objectKey"`
	FileName  string `json:"fileName"`
	Rows      int    `json:"rows"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
}
