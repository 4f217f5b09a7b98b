package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Sync is a sync.
type Sync struct {
	_          struct{}         `json:"-" nullable:"true"`
	ID         string           `json:"id"`
	State      run.State        `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
	Trigger    run.Trigger      `json:"trigger" enum:"manual,schedule,undo,quick"`
	StartedBy  string           `json:"startedBy"`
	PreviewID  string           `json:"previewId,omitempty"`
	UndoOf     string           `json:"undoOf,omitempty" doc:"The sync that this one reverses"`
	Host       string           `json:"host" doc:"The servers that its settings name"`
	Options    settings.Options `json:"options"`
	CreatedAt  time.Time        `json:"createdAt"`
	StartedAt  *time.Time       `json:"startedAt"`
	FinishedAt *time.Time       `json:"finishedAt"`
	DurationMS int64            `json:"durationMs" doc:"From start to end, or to now"`
	Progress   run.Progress     `json:"progress"`
	Connection []run.Step       `json:"connection"`
	Notes      []string         `json:"notes"`
	Summary    Summary          `json:"summary" doc:"The plan"`
	Applied    *Applied         `json:"applied" doc:"What was done; null until the end, and for syncs of version 0.4"`
	Guard      run.Guard        `json:"guard"`
	Error      *Failure         `json:"error"`

	// ConfirmRemovals links a blocked sync and the one that somebody confirmed.
	ConfirmRemovals *int `json:"confirmRemovals" doc:"How many removals somebody confirmed; null where nobody did"`
}

// Applied is what a sync did. The six numbers add up to progress.toApply.
type Applied struct {
	_         struct{} `json:"-" nullable:"true"`
	Create    int      `json:"create"`
	Update    int      `json:"update"`
	Delete    int      `json:"delete"`
	Already   int      `json:"already" doc:"Users that were in the wanted state before the sync wrote"`
	Conflicts int      `json:"conflicts" doc:"Users that somebody changed meanwhile: they were left as they are"`
	Pending   int      `json:"pending" doc:"Not written: cancelled, failed, or held by the removal guard"`
}

func appliedView(a *run.Applied) *Applied {
	if a == nil {
		return nil
	}
	return &Applied{
		Create: a.Create, Update: a.Update, Delete: a.Delete, Already: a.Already, Conflicts: a.Conflicts,
		Pending: a.Pending,
	}
}

// SyncView shows a sync as it is at a time.
func SyncView(r run.Run, now time.Time) Sync {
	view := Sync{
		ID: r.ID, State: r.State, Trigger: r.Trigger, StartedBy: r.StartedBy, PreviewID: r.PreviewID, UndoOf: r.UndoOf,
		Host: r.Import.Connection.Host, Options: r.Import.Options, ConfirmRemovals: r.ConfirmRemovals,
		CreatedAt: r.CreatedAt, StartedAt: moment(r.StartedAt), FinishedAt: moment(r.FinishedAt), Progress: r.Progress,
		Connection: list(r.Steps), Notes: list(r.Notes), Summary: summaryView(r), Guard: r.Guard,
		Applied: appliedView(r.Applied), Error: failureView(r.Failure),
	}
	switch {
	case r.StartedAt.IsZero():
	case r.FinishedAt.IsZero():
		view.DurationMS = now.Sub(r.StartedAt).Milliseconds()
	default:
		view.DurationMS = r.FinishedAt.Sub(r.StartedAt).Milliseconds()
	}
	return view
}

// Change is a line of a sync's journal.
type Change struct {
	Row
	Before  *User  `json:"before"`
	After   *User  `json:"after"`
	Outcome string `json:"outcome" enum:"applied,already,conflict,pending" doc:"pending is not written; applied of the sync explains the rest"`
}

// ChangeView shows a line of a journal.
func ChangeView(c importer.Change) Change {
	return Change{
		Row: RowView(&c.Row), Before: UserView(c.Before), After: UserView(c.After), Outcome: string(c.Outcome),
	}
}
