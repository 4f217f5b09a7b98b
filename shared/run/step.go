package run

import "time"

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
	// Certificate is the server's own, of a step tls that saw one.
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate is what a server's certificate says (RFC 5280).
type Certificate struct {
	_       struct{} `json:"-" nullable:"true"`
	Subject string   `json:"subject"`
	Issuer  string   `json:"issuer"`
	// Names are the host names and IP addresses that it is for (subjectAltName).
	Names     []string  `json:"names" doc:"The host names and IP addresses that it is for"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	// SHA256 is the hash of the whole certificate, 64 hexadecimal digits.
	SHA256 string `json:"sha256" doc:"The certificate's SHA-256, 64 hexadecimal digits; sha256: before it makes a trustedCertificate"`
}
