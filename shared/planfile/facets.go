package planfile

import (
	"cmp"
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/plan"
)

// maxValues is how many values a facet has.
const maxValues = 50

// Facets count the rows of a plan by what a page filters them by. Each has at most 50 values, the most frequent first.
type Facets struct {
	Types   []Value `json:"type"`
	Reasons []Value `json:"reason"`
	Domains []Value `json:"domain"`
}

// Value is one value of a facet, and how many rows have it.
type Value struct {
	Value string `json:"value" doc:"A type, reason or domain" example:"example.com"`
	Count int    `json:"count" doc:"How many rows have it" example:"430"`
}

// tally counts texts in bounded memory. Up to maxDistinct different ones are counted exactly. Of more, the rare ones
// are forgotten now and then (Misra and Gries, Finding repeated elements, 1982): each count is then too small by at
// most one in maxDistinct/2 of all rows.
type tally struct {
	counts map[string]*Value
	// last is what was counted last: neighbours mostly have the same.
	last *Value
	// wants reports whether a text is to be counted; nil wants all.
	wants func(text string) bool
}

// maxDistinct is how many different texts a tally holds: some 3 MB, with domains of the usual length.
const maxDistinct = 20_000

func (t *tally) add(text string) {
	if t.last != nil && t.last.Value == text {
		t.last.Count++
		return
	}
	value, known := t.counts[text]
	if !known {
		if t.wants != nil && !t.wants(text) {
			return
		}
		if t.counts == nil {
			t.counts = make(map[string]*Value)
		}
		if len(t.counts) == maxDistinct {
			t.forget()
		}
		// The text may be in memory that is used again.
		value = &Value{Value: strings.Clone(text)}
		t.counts[value.Value] = value
	}
	value.Count++
	t.last = value
}

// forget takes from each count what the larger half has at least, so that the smaller half is gone.
func (t *tally) forget() {
	all := make([]int, 0, len(t.counts))
	for _, value := range t.counts {
		all = append(all, value.Count)
	}
	slices.Sort(all)
	common := all[len(all)/2]
	for text, value := range t.counts {
		if value.Count -= common; value.Count <= 0 {
			delete(t.counts, text)
		}
	}
	t.last = nil
}

// values returns the most frequent texts.
func (t *tally) values() []Value {
	all := make([]Value, 0, len(t.counts))
	for _, value := range t.counts {
		all = append(all, *value)
	}
	return mostFrequent(all)
}

func mostFrequent(all []Value) []Value {
	slices.SortFunc(all, func(a, b Value) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return all[:min(len(all), maxValues)]
}

// facets count the rows of a plan while it is written.
type facets struct{ domains, reasons tally }

func newFacets() facets { return facets{domains: tally{wants: isDomain}} }

func (f *facets) add(row *plan.Row) {
	if domain := domainOf(row.Key); domain != "" {
		f.domains.add(domain)
	}
	if row.Reason != "" {
		f.reasons.add(string(row.Reason))
	}
}

// of returns the facets of a plan with the given blocks.
func (f *facets) of(blocks []blockInfo) *Facets {
	counts := make([]int, len(types))
	for _, b := range blocks {
		counts[int(b.section)%len(types)] += int(b.rows)
	}
	byType := []Value{}
	for i, count := range counts {
		if count > 0 && types[i] != "" {
			byType = append(byType, Value{string(types[i]), count})
		}
	}
	return &Facets{Types: mostFrequent(byType), Reasons: f.reasons.values(), Domains: f.domains.values()}
}

// domainOf returns the domain of a key, or "" of a value that has none.
func domainOf(key string) string {
	at := strings.LastIndexByte(key, '@')
	if at < 0 {
		return ""
	}
	return key[at+1:]
}

// isDomain reports whether a text is a canonical domain: values that are no address have what nobody can ask for.
func isDomain(text string) bool {
	canonical, err := address.CanonicalDomain(text)
	return err == nil && canonical == text
}
