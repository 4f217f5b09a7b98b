package run

// Step is one step of reaching a directory, as the API shows it.
type Step struct {
	// Step is resolve, connect, tls, bind, base or search.
	Step string `json:"step"`
	OK   bool   `json:"ok"`
	// MS is how long the step took, in milliseconds.
	MS int64 `json:"ms"`
	// Detail is a sentence: what was found, or what failed and what to do.
	Detail string `json:"detail"`
}
