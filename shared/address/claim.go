package address

import "rollcall/shared/user"

// Claim says that a directory entry has an address. Several entries may claim the same one; package plan decides.
type Claim struct {
	// Key is the canonical address, Address the one the directory shows.
	Key     string
	Address string
	Kind    user.Kind
	// PrimaryAddress is the entry's primary as shown; PrimaryKey its canonical form.
	PrimaryAddress string
	PrimaryKey     string
	Type           user.Type
	// Inferred says that the directory does not mark exactly one primary among the entry's addresses, so that one had
	// to be chosen; package plan keeps the one it chose before. InferredNote says so on the row of that one.
	Inferred     bool
	InferredNote string
	// SourceID is the entry's stable id, never empty. DN is as the server sent it; SortDN is its form for
	// comparison, set only where the address has several claims.
	SourceID string
	DN       string
	SortDN   string
	// Notes may be shared between claims: copy them before changing them.
	Notes []string
}

// Skipped is a value that a directory shows and that is not imported, with the reason.
type Skipped struct {
	// Key is the canonical address where there is one, else the value trimmed and in lower case.
	Key     string
	Address string
	// Kind and PrimaryAddress may be empty where the entry gave none.
	Kind           user.Kind
	PrimaryAddress string
	Type           user.Type
	DN             string
	Reason         Reason
	// Detail says more than the reason's code, for a person.
	Detail string
	// Present means that the directory has the address all the same, so that its absence from the claims removes
	// nobody: true for values that are no address, false where the settings exclude the address on purpose.
	Present bool
}

// Reason is why a value was skipped, as the API and the CSV give it.
type Reason string

// The reasons that extraction gives. Package plan adds its own.
const (
	ReasonInvalid           Reason = "invalid address"
	ReasonDomainNotAccepted Reason = "domain not accepted"
	ReasonTypeNotIncluded   Reason = "type not included"
	ReasonDisabled          Reason = "account disabled"
	ReasonCollapsed         Reason = "same local part as its primary"
	ReasonNoPrimary         Reason = "entry has no primary address"
	ReasonDanglingAlias     Reason = "alias points to no account"
	ReasonAliasCircle       Reason = "aliases point to each other"
	ReasonSystemMailbox     Reason = "system mailbox"
	ReasonPrivate           Reason = "private address in otherMailbox"
	ReasonTooLong           Reason = "entry has a name or id that is too long"
)
