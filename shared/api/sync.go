package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Sync is a sync.
type Sync struct {
	ID         string           `json:"id" doc:"Names the sync" example:"01M852AJH242XXNWN3EKWSF2WF"`
	State      run.State        `json:"state" enum:"queued,running,done,failed,blocked,cancelled" doc:"How far it is" example:"done"`
	Trigger    run.Trigger      `json:"trigger" enum:"manual,schedule,undo,quick" doc:"What started it"`
	StartedBy  string           `json:"startedBy" doc:"Who started it; schedule, where nobody did" example:"ann@example.com"`
	PreviewID  string           `json:"previewId,omitempty" doc:"The preview whose rows it writes"`
	UndoOf     string           `json:"undoOf,omitempty" doc:"The sync that this one reverses"`
	Host       string           `json:"host" doc:"The servers that its settings name" example:"dc1.example.com"`
	Options    settings.Options `json:"options" doc:"What it may do"`
	CreatedAt  time.Time        `json:"createdAt" doc:"When it was asked for" example:"2026-11-26T08:00:00Z"`
	StartedAt  *time.Time       `json:"startedAt" doc:"When the work began; null before" example:"2026-11-26T08:00:01Z"`
	FinishedAt *time.Time       `json:"finishedAt" doc:"When it ended; null before" example:"2026-11-26T08:00:04Z"`
	DurationMS int64            `json:"durationMs" doc:"From start to end, or to now, in milliseconds" example:"3000"`
	Progress   run.Progress     `json:"progress" doc:"How far the work is"`
	Connection []run.Step       `json:"connection" doc:"The steps of reaching the directory, in order"`
	Notes      []string         `json:"notes" doc:"What was missing or unusual about the directory"`
	Summary    Summary          `json:"summary" doc:"The plan"`
	Applied    *Applied         `json:"applied" doc:"What was done; null until the end, and for syncs of version 0.4"`
	Guard      run.Guard        `json:"guard" doc:"The removal guard's verdict"`
	Error      *Failure         `json:"error" doc:"Why it failed; else null"`

	ConnectorID string `json:"connectorId,omitempty" doc:"The connector that reads the directory for it, which may be revoked since" example:"01M852AJH242XXNWN3EKWSF2WF"`
	// ConfirmRemovals links a blocked sync and the one that somebody confirmed.
	ConfirmRemovals *int `json:"confirmRemovals" doc:"How many removals somebody confirmed; null where nobody did"`
}

// Applied is what a sync did. The six numbers add up to progress.toApply.
type Applied struct {
	Create    int `json:"create" doc:"Users that were added" example:"3"`
	Update    int `json:"update" doc:"Users that were changed" example:"1"`
	Delete    int `json:"delete" doc:"Users that were removed" example:"0"`
	Already   int `json:"already" doc:"Users that were in the wanted state before the sync wrote" example:"0"`
	Conflicts int `json:"conflicts" doc:"Users that somebody changed meanwhile: they were left as they are" example:"0"`
	Pending   int `json:"pending" doc:"Not written: cancelled, failed, or held by the removal guard" example:"0"`
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
	if r.UndoOf == "" {
		view.ConnectorID = r.Import.Connection.ConnectorID
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
	Before  *User  `json:"before" doc:"The user before the sync; null where there was none"`
	After   *User  `json:"after" doc:"The user that the plan wants; null for a removal"`
	Outcome string `json:"outcome" enum:"applied,already,conflict,pending" doc:"pending is not written; applied of the sync explains the rest"`
}

// ChangeView shows a line of a journal.
func ChangeView(c importer.Change) Change {
	return Change{
		Row: RowView(&c.Row), Before: UserView(c.Before), After: UserView(c.After), Outcome: string(c.Outcome),
	}
}
