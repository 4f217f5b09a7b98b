package directory

import "strings"

// Attribute is one attribute of an entry. Name is as the server sent it, options included
// (proxyAddresses;range=0-1499 never reaches a caller: ranges are completed first).
type Attribute struct {
	Name   string
	Values [][]byte
}

// Entry is one search result entry. Its slices are only valid until the callback that got it returns: copy what
// must live longer.
type Entry struct {
	DN         []byte
	Attributes []Attribute
}

// leaveOut takes an attribute out. The parser uses its memory for the next entry.
func (e *Entry) leaveOut(name string) {
	last := len(e.Attributes) - 1
	for i := range e.Attributes {
		if a := e.Attributes; len(a[i].Name) == len(name) && strings.EqualFold(a[i].Name, name) {
			a[i], a[last] = a[last], a[i]
			e.Attributes = a[:last]
			return
		}
	}
}
