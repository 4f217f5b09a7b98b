package run

import "rollcall/shared/user"

// Filter chooses rows of a plan, or users of the Users List, as a page shows them and an export prints them. Empty
// fields choose all; what does not apply to a list is empty.
type Filter struct {
	// Q is a substring of addresses, and of a row's DN and reason.
	Q string `json:"q,omitempty"`
	// Prefix is what the canonical address begins with.
	Prefix string `json:"prefix,omitempty"`
	// Primary is a canonical address: its own row and those of its aliases.
	Primary string      `json:"primary,omitempty"`
	Types   []user.Type `json:"types,omitempty"`
	// Domains are canonical.
	Domains  []string    `json:"domains,omitempty"`
	Reasons  []string    `json:"reasons,omitempty"`
	Changes  []string    `json:"changes,omitempty"`
	Kinds    []user.Kind `json:"kinds,omitempty"`
	Outcomes []string    `json:"outcomes,omitempty"`
}

// Texts gives texts another type.
func Texts[T, S ~string](texts []S) []T {
	var out []T
	for _, text := range texts {
		out = append(out, T(text))
	}
	return out
}
