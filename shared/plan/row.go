package plan

import (
	"rollcall/shared/address"
	"rollcall/shared/user"
)

// Change is what a plan does with one address.
type Change string

// The changes, in the order in which a sync applies them; unchanged and skipped rows are only shown.
const (
	Create    Change = "create"
	Update    Change = "update"
	Delete    Change = "delete"
	Unchanged Change = "unchanged"
	Skipped   Change = "skipped"
)

// Changes lists every change.
func Changes() []Change { return []Change{Create, Update, Delete, Unchanged, Skipped} }

// The reasons that a plan gives besides those of package address.
const (
	ReasonProtected address.Reason = "protected"
	ReasonExcluded  address.Reason = "excluded by the settings"
	ReasonDuplicate address.Reason = "duplicate"
	ReasonNotFound  address.Reason = "not in the directory"
	// ReasonWaits is a claim of a partial read that may take something from another entry.
	ReasonWaits address.Reason = "waits for a full sync"
	// ReasonFormerKey is a user whom an earlier build stored under the key of another address.
	ReasonFormerKey address.Reason = "stored under another address by an earlier version"
	// ReasonPresent is an unchanged user whose address the directory shows without it being importable.
	ReasonPresent address.Reason = "in the directory, but skipped"
)

// Row is one line of a plan: one address and what happens to it.
type Row struct {
	// Key orders the rows: the canonical address, or what stands in for it where a value is no address.
	Key            string
	Address        string
	Kind           user.Kind
	PrimaryAddress string
	// PrimaryKey is the canonical form of PrimaryAddress, empty where that is no address.
	PrimaryKey string
	Type       user.Type
	DN         string
	Change     Change
	Reason     address.Reason
	Notes      []string
	// New marks a primary that no import has brought before, or brought as another entry's alias. Send HSRs concerns
	// only these rows.
	New bool
	// Before is the stored user that the plan was made against, nil where there was none. A created row has one where
	// the address was another entry's alias.
	Before *user.User
	// After is what applying the row stores, nil for a deletion and for rows that write nothing. Its Version,
	// LastRunID, CreatedAt and UpdatedAt are set by the run.
	After *user.User
}
