package run

// Step is one step of reaching a directory, as the API shows it.
type Step struct {
	// Step is resolve, connect, tls, bind, base or search.
	Step string `json:"step"`
	// Host is the server that the step was taken with, or the SRV name that was looked up. Runs of earlier builds have
	// none.
	Host string `json:"host,omitempty" doc:"The server that the step was taken with; servers that failed come first"`
	OK   bool   `json:"ok"`
	// MS is how long the step took, in milliseconds.
	MS int64 `json:"ms"`
	// Detail is a sentence: what was found, or what failed and what to do.
	Detail string `json:"detail"`
}
