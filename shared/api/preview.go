package api

import (
	"time"

	"rollcall/shared/importer"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Preview is a preview.
type Preview struct {
	ID         string       `json:"id"`
	State      run.State    `json:"state" enum:"queued,running,done,failed,blocked,cancelled"`
	UndoOf     string       `json:"undoOf,omitempty" doc:"The sync whose undoing this shows"`
	CreatedAt  time.Time    `json:"createdAt"`
	ExpiresAt  time.Time    `json:"expiresAt" doc:"When its rows are deleted"`
	Settings   ImportView   `json:"settings"`
	Progress   run.Progress `json:"progress"`
	Connection []run.Step   `json:"connection" doc:"The steps of reaching the directory, in order"`
	Notes      []string     `json:"notes" doc:"What was missing or unusual about the directory"`
	Summary    Summary      `json:"summary"`
	Guard      run.Guard    `json:"guard" doc:"The removal guard's verdict, as if Remove Accounts were chosen"`
	Error      *Failure     `json:"error"`
	Syncs      []string     `json:"syncs" doc:"The syncs that used it, the oldest first"`
	Outdated   bool         `json:"outdated" doc:"A later sync or edit changed the Users List"`
	Facets     *Facets      `json:"facets" doc:"null in lists, until the preview is done, and for previews of version 0.4"`
}

// Facets count the rows of a preview by what they can be filtered by.
type Facets struct {
	_      struct{}         `json:"-" nullable:"true"`
	Type   []planfile.Value `json:"type" doc:"The most frequent first"`
	Reason []planfile.Value `json:"reason" doc:"The 50 most frequent"`
	Domain []planfile.Value `json:"domain" doc:"The 50 most frequent. Of more than 20,000 domains the numbers may be a little too small"`
}

func facetsView(f *planfile.Facets) *Facets {
	if f == nil {
		return nil
	}
	return &Facets{Type: f.Types, Reason: f.Reasons, Domain: f.Domains}
}

// PreviewView shows a preview.
func PreviewView(r importer.ShownPreview) Preview {
	return Preview{
		Syncs: list(r.Syncs), Outdated: r.Outdated,
		ID: r.ID, State: r.State, UndoOf: r.UndoOf, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
		Settings: ImportView{Connection: connectionView(r.Import.Connection, r.SealedPassword),
			Advanced: r.Import.Advanced.Shown(), Options: r.Import.Options},
		Progress: r.Progress, Connection: list(r.Steps), Notes: list(r.Notes), Summary: summaryView(r.Run),
		Guard: r.Guard, Error: failureView(r.Failure), Facets: facetsView(r.Facets),
	}
}

// Row is a row of a preview.
type Row struct {
	Address        string      `json:"address"`
	Kind           user.Kind   `json:"kind" doc:"primary or alias; empty for a value that is neither"`
	PrimaryAddress string      `json:"primaryAddress"`
	Type           user.Type   `json:"type"`
	Change         plan.Change `json:"change" enum:"create,update,delete,unchanged,skipped"`
	Reason         string      `json:"reason"`
	DN             string      `json:"dn"`
	Source         user.Source `json:"source,omitempty" doc:"Who put the stored user on the list: directory or manual"`
	Notes          []string    `json:"notes"`
}

// RowView shows a row.
func RowView(r *plan.Row) Row {
	row := Row{
		Address: r.Address, Kind: r.Kind, PrimaryAddress: r.PrimaryAddress, Type: r.Type, Change: r.Change,
		Reason: string(r.Reason), DN: r.DN, Notes: list(r.Notes),
	}
	if r.Before != nil {
		row.Source = r.Before.Source
	}
	return row
}
