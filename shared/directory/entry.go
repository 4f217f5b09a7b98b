package directory

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
