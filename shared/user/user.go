// Package user holds the nouns of the Users List: a user is one address that the mail-security portal
// filters mail for. The package imports nothing of this project, so every other package may import it.
package user

import "time"

// Account names one tenant of the portal. Every read and write is bound to exactly one.
type Account string

// Kind says whether an address is the one a person is known by, or another name for it.
type Kind string

// The two kinds of address.
const (
	Primary Kind = "primary"
	Alias   Kind = "alias"
)

// Kinds lists every kind, in the order in which they are shown.
func Kinds() []Kind { return []Kind{Primary, Alias} }

// Type says what sort of directory object an address belongs to.
type Type string

// The object types, as the API and the CSV spell them.
const (
	TypeUser         Type = "user"
	TypeContact      Type = "contact"
	TypeGroup        Type = "group"
	TypePublicFolder Type = "publicFolder"
	TypeResource     Type = "resource"
	TypeShared       Type = "shared"
	TypeUnknown      Type = "unknown"
)

// Types lists every object type, in the order in which they are shown.
func Types() []Type {
	return []Type{TypeUser, TypeContact, TypeGroup, TypePublicFolder, TypeResource, TypeShared, TypeUnknown}
}

// Source says who put a user on the list first: an import, or somebody by hand. An import that meets a user
// added by hand adopts it and leaves its source alone.
type Source string

// The two sources.
const (
	FromDirectory Source = "directory"
	Manual        Source = "manual"
)

// HeldSpamReport says how often a user is mailed the list of what was held for them. Only primaries get one.
type HeldSpamReport string

// The report's frequencies.
const (
	ReportDaily HeldSpamReport = "daily"
	ReportOff   HeldSpamReport = "off"
)

// HeldSpamReports lists every frequency.
func HeldSpamReports() []HeldSpamReport { return []HeldSpamReport{ReportDaily, ReportOff} }

// User is one row of the Users List.
type User struct {
	// Key is the canonical address (package address), unique within an account.
	Key string
	// Address is the address as the directory, or the person who added it, writes it.
	Address string
	Kind    Kind
	// PrimaryAddress is the address this one delivers to, as shown; a primary names itself.
	PrimaryAddress string
	Type           Type
	Source         Source
	// DirectoryID names the directory (its naming context) and SourceID the entry in it (objectGUID, entryUUID,
	// GUID, or the normalised DN). Both are empty for a user that no import has met.
	DirectoryID string
	SourceID    string
	// DN is the entry's distinguished name (RFC 4514) at the last import that changed this row.
	DN             string
	HeldSpamReport HeldSpamReport
	// Protected users are neither changed nor removed by an import.
	Protected bool
	// Version changes with every write. It starts at the time of creation in Unix milliseconds and counts up by
	// one, so that a row that was deleted and added again never repeats a version somebody still holds.
	Version int64
	// LastRunID is the sync that wrote the row last, empty where a person did.
	LastRunID string
	CreatedAt time.Time
	UpdatedAt time.Time
}
