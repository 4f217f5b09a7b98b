package run

import "time"

// Step is one step of reaching a directory, as the API shows it.
type Step struct {
	// Step is resolve, connect, tls, bind, base or search.
	Step string `json:"step" doc:"resolve, connect, tls, bind, base or search" example:"bind"`
	// Host is the server that the step was taken with, or the SRV name that was looked up. Runs of earlier builds have
	// none.
	Host string `json:"host,omitempty" doc:"The server that the step was taken with; servers that failed come first" example:"dc1.example.com"`
	OK   bool   `json:"ok" doc:"The step succeeded" example:"true"`
	// MS is how long the step took, in milliseconds.
	MS int64 `json:"ms" doc:"How long it took, in milliseconds" example:"12"`
	// Detail is a sentence: what was found, or what failed and what to do.
	Detail string `json:"detail" doc:"What was found, or what failed and what to do" example:"signed in as reader@example.com"`
	// Certificate is the server's own, of a step tls that saw one.
	Certificate *Certificate `json:"certificate,omitempty" doc:"The server's own, of a step tls that saw one"`
}

// Certificate is what a server's certificate says (RFC 5280).
type Certificate struct {
	Subject string `json:"subject" doc:"Whom it is for, as a DN" example:"CN=dc1.example.com"`
	Issuer  string `json:"issuer" doc:"Who signed it, as a DN" example:"CN=Example CA"`
	// Names are the host names and IP addresses that it is for (subjectAltName).
	Names     []string  `json:"names" doc:"The host names and IP addresses that it is for" example:"dc1.example.com"`
	NotBefore time.Time `json:"notBefore" doc:"Since when it is valid" example:"2026-11-26T08:00:00Z"`
	NotAfter  time.Time `json:"notAfter" doc:"Until when it is valid" example:"2027-11-26T08:00:00Z"`
	// SHA256 is the hash of the whole certificate, 64 hexadecimal digits.
	SHA256 string `json:"sha256" doc:"The certificate's SHA-256, 64 hexadecimal digits; sha256: before it makes a trustedCertificate" example:"2f0e0ba9e5a9b1f5e1c7d4f5b0a1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3"`
}
