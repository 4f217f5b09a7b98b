// Package events holds the published JSON Schemas of all events, with an example of each.
package events

import "embed"

// Files are the schemas, NAME.schema.json, and the examples, examples/NAME.json. A CloudEvents event is named by its
// type, the detail of another event of the bus by its detail type in lower case with hyphens.
//
//go:embed *.schema.json examples/*.json rule.template.json
var Files embed.FS
