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
	ID         string       `json:"id" doc:"Names the preview" example:"01M852AJH242XXNWN3EKWSF2WF"`
	State      run.State    `json:"state" enum:"queued,running,done,failed,blocked,cancelled" doc:"How far it is" example:"done"`
	UndoOf     string       `json:"undoOf,omitempty" doc:"The sync whose undoing this shows"`
	CreatedAt  time.Time    `json:"createdAt" doc:"When it was asked for" example:"2026-11-26T08:00:00Z"`
	ExpiresAt  time.Time    `json:"expiresAt" doc:"When its rows are deleted" example:"2026-11-27T08:00:00Z"`
	Settings   ImportView   `json:"settings" doc:"What it was asked to do"`
	Progress   run.Progress `json:"progress" doc:"How far the work is"`
	Connection []run.Step   `json:"connection" doc:"The steps of reaching the directory, in order"`
	Notes      []string     `json:"notes" doc:"What was missing or unusual about the directory"`
	Summary    Summary      `json:"summary" doc:"What a sync of it would do, in numbers"`
	Guard      run.Guard    `json:"guard" doc:"The removal guard's verdict, as if Remove Accounts were chosen"`
	Error      *Failure     `json:"error" doc:"Why it failed; else null"`
	Syncs      []string     `json:"syncs" doc:"The syncs that used it, the oldest first"`
	Outdated   bool         `json:"outdated" doc:"A later sync or edit changed the Users List"`
	Facets     *Facets      `json:"facets" doc:"null in lists, until the preview is done, and for previews of version 0.4"`
}

// Facets count the rows of a preview by what they can be filtered by.
type Facets struct {
	Type   []planfile.Value `json:"type" doc:"The most frequent first"`
	Reason []planfile.Value `json:"reason" doc:"The 50 most frequent"`
	Domain []planfile.Value `json:"domain" doc:"The 50 most frequent. Of more than 20,000 domains the numbers may be a little too small"`
}

func facetsView(f *planfile.Facets) *Facets {
	if f == nil {
		return nil
	}
	return &Facets{Type: list(f.Types), Reason: list(f.Reasons), Domain: list(f.Domains)}
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
	Address        string      `json:"address" doc:"The address, or the value that is none" example:"anais.lefevre@example.com"`
	Kind           user.Kind   `json:"kind" enum:"primary,alias," doc:"Empty for a value that is neither"`
	PrimaryAddress string      `json:"primaryAddress" doc:"The address that the person is known by; of a primary itself" example:"anais.lefevre@example.com"`
	Type           user.Type   `json:"type" enum:"user,contact,group,publicFolder,resource,shared,unknown" doc:"The kind of directory object"`
	Change         plan.Change `json:"change" enum:"create,update,delete,unchanged,skipped" doc:"What a sync does with it"`
	Reason         string      `json:"reason" doc:"Why, where it is not plain" example:""`
	DN             string      `json:"dn" doc:"The entry that has it" example:"CN=Anaïs Lefèvre,OU=Osaka,DC=example,DC=com"`
	Source         user.Source `json:"source,omitempty" enum:"directory,manual" doc:"Who put the stored user on the list: an import, or somebody by hand"`
	Notes          []string    `json:"notes" doc:"What is unusual about it"`
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
