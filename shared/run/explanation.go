package run

import "rollcall/shared/user"

// Asked is what an explanation is about: an address, or the entry of a DN.
type Asked struct {
	Address string `json:"address,omitempty"`
	DN      string `json:"dn,omitempty"`
}

// Verdict is what a sync would make of an address.
type Verdict string

// The verdicts.
const (
	// Imported: a sync would create, update or keep it.
	Imported Verdict = "imported"
	// Skipped: a sync would list it as skipped, for what it is: a system mailbox, no address, without a primary.
	Skipped Verdict = "skipped"
	// LeftOut: the settings leave it out: an exclusion, a type, a domain, a disabled account.
	LeftOut Verdict = "left_out"
	// OutsideBase: an entry has it, and none of those in the search base.
	OutsideBase Verdict = "outside_base"
	// NotMatched: an entry in the search base has it, and the filter leaves that entry out.
	NotMatched Verdict = "not_matched"
	// NotFound: the directory has no entry with it.
	NotFound Verdict = "not_found"
)

// Explanation says what a sync would make of an address, and why.
type Explanation struct {
	// Address is the address as it was asked for, or the primary of the entry that was.
	Address  string  `json:"address"`
	Verdict  Verdict `json:"verdict"`
	Sentence string  `json:"sentence"`
	// Entries are those that have the address, the one that counts first.
	Entries []ExplainedEntry `json:"entries,omitempty"`
	// Stored is the user of that address, nil where the Users List has none.
	Stored *user.User `json:"stored,omitempty"`
}

// ExplainedEntry is an entry of the directory.
type ExplainedEntry struct {
	DN            string `json:"dn"`
	InBase        bool   `json:"inBase"`
	MatchesFilter bool   `json:"matchesFilter"`
	// FailedClause is the smallest part of the filter that the entry does not match.
	FailedClause string          `json:"failedClause"`
	Rules        []ExplainedRule `json:"rules,omitempty"`
	Rows         []ExplainedRow  `json:"rows,omitempty"`
}

// ExplainedRule is what one rule decides about the address in an entry, whatever the others do.
type ExplainedRule struct {
	Rule   string `json:"rule"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// ExplainedRow is a row that a sync would make of an entry.
type ExplainedRow struct {
	Address        string      `json:"address"`
	Kind           user.Kind   `json:"kind"`
	PrimaryAddress string      `json:"primaryAddress"`
	Type           user.Type   `json:"type"`
	Change         string      `json:"change"`
	Reason         string      `json:"reason"`
	DN             string      `json:"dn"`
	Source         user.Source `json:"source,omitempty"`
	Notes          []string    `json:"notes,omitempty"`
}
