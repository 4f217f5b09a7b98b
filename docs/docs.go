// Package docs holds the documents that programs serve.
package docs

import _ "embed" // for the document below

// OpenAPI is the description of the whole API. Each function knows its own routes only, so that the deployed API serves
// the document that local's test keeps true.
//
//go:embed openapi.json
var OpenAPI []byte
