package directory

import (
	"slices"
	"time"
)

const (
	// mostFound is how many entries are returned, and mostNamed how many are looked through for one of a name.
	mostFound = 20
	mostNamed = 1000
	// findTime bounds the questions of one Find.
	findTime = time.Minute
)

// Question asks which entries a directory has of somebody, and which of them a search finds.
type Question struct {
	// SearchBase, Filter and Attributes are those of the Query whose search is asked about.
	SearchBase string   `json:"searchBase"`
	Filter     string   `json:"filter"`
	Attributes []string `json:"attributes"`
	Named      []string `json:"named,omitempty"`
	// DN asks for one entry. Where it is empty, entries are looked for that match one of Any.
	DN  string       `json:"dn,omitempty"`
	Any []Comparison `json:"any,omitempty"`
	// Follow is an attribute whose values are DNs of entries that are returned too, and those that they name in turn.
	Follow string `json:"follow,omitempty"`
}

// Comparison is met by an entry that has a value. A Parent besides, such as cn=example.com, has to be the relative name
// of the entry above.
type Comparison struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	Parent    string `json:"parent,omitempty"`
}

// Found is an entry, and what the search makes of it.
type Found struct {
	Entry
	InBase  bool
	Matches bool
	// FailedClause is the smallest part of the filter that the entry does not match: in an "and" the first part that
	// fails, in which it is looked for again; any other part as a whole.
	FailedClause string
}

// Answer is what a directory has. More means that it has more such entries than were returned.
type Answer struct {
	Info
	Found []Found
	More  bool
}

// Behind returns the answer with the entries of an earlier one before its own.
func (a Answer) Behind(earlier Answer) Answer {
	all := slices.Clone(earlier.Found)
	for _, f := range a.Found {
		if !holds(all, f.DN) {
			all = append(all, f)
		}
	}
	a.Found = all[:min(len(all), mostFound)]
	a.More = a.More || len(all) > mostFound
	return a
}

// holds reports whether an entry is among others, by its DN.
func holds(all []Found, dn []byte) bool {
	return slices.ContainsFunc(all, func(f Found) bool { return sameDN(string(f.DN), string(dn)) })
}

// check refuses to compare an attribute that the search does not read: what is compared can be guessed.
func (q Question) check() error {
	for _, c := range q.Any {
		if !hasName(q.Attributes, c.Attribute) {
			return secretAttribute("The attribute %q is not one that an import reads.", c.Attribute)
		}
	}
	return nil
}
