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

// Step is one step of reaching a directory, as the API shows it.
type Step struct {
	// Step is resolve, connect, tls, bind, base or search.
	Step string `json:"step"`
	OK   bool   `json:"ok"`
	// MS is how long the step took, in milliseconds.
	MS int64 `json:"ms"`
	// Detail is a sentence: what was found, or what failed and how to mend it.
	Detail string `json:"detail"`
}
