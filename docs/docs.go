// Package docs holds the documents that programs serve.
package docs

import _ "embed" // for the document below

// OpenAPI is the description of the whole API. Each function knows its own routes only, so that a deployment serves the
// document that local's test keeps true, as a file beside the page.
//
//go:embed openapi.json
var OpenAPI []byte
