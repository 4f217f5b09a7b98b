// Package schematest holds events to their published schemas, for the tests of whoever sends them.
package schematest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rollcall/docs/events"
)

const suffix = ".schema.json"

// Schemas are the published schemas, made stricter: what they do not describe is an error, too.
type Schemas map[string]*jsonschema.Schema

// Load compiles the schemas.
func Load() (Schemas, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	names, err := fs.Glob(events.Files, "*"+suffix)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := events.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := compiler.AddResource(name, closed(doc)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	schemas := make(Schemas)
	for _, name := range names {
		schema, err := compiler.Compile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		schemas[strings.TrimSuffix(name, suffix)] = schema
	}
	return schemas, nil
}

// closed forbids fields that an object's schema does not describe.
func closed(doc any) any {
	switch doc := doc.(type) {
	case map[string]any:
		for key, value := range doc {
			doc[key] = closed(value)
		}
		if _, object := doc["properties"]; object && doc["type"] == "object" {
			doc["additionalProperties"] = false
		}
	case []any:
		for i := range doc {
			doc[i] = closed(doc[i])
		}
	}
	return doc
}

// Check holds the JSON of an event to the schema of its name: a type such as rollcall.sync.failed, or the detail type
// of the bus.
func (s Schemas) Check(name string, event any) error {
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	name = strings.ReplaceAll(strings.ToLower(name), " ", "-")
	schema, there := s[name]
	if !there {
		return fmt.Errorf("there is no schema of %q", name)
	}
	if err := schema.Validate(doc); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, text)
	}
	return nil
}
