package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/shared/api"
)

// methods are the members of a path that are operations.
var methods = []string{"get", "post", "put", "patch", "delete"}

// operations yields every operation of a document under its method and path.
func operations(doc map[string]any) map[string]map[string]any {
	out := make(map[string]map[string]any)
	for path, item := range walk(doc, "paths").(map[string]any) {
		for _, method := range methods {
			if op, ok := walk(item, method).(map[string]any); ok {
				out[strings.ToUpper(method)+" "+path] = op
			}
		}
	}
	return out
}

func parsedDocument(t *testing.T) (doc map[string]any) {
	t.Helper()
	if err := json.Unmarshal(document(t), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestEveryOperationIsDescribed(t *testing.T) {
	t.Parallel()
	doc := parsedDocument(t)
	declared := make(map[any]bool)
	for _, tag := range walk(doc, "tags").([]any) {
		declared[walk(tag, "name")] = walk(tag, "description") != nil
	}
	for name, op := range operations(doc) {
		for _, member := range []string{"operationId", "summary", "security", "tags"} {
			if op[member] == nil {
				t.Errorf("%s has no %s", name, member)
			}
		}
		tags, _ := op["tags"].([]any)
		for _, tag := range tags {
			if !declared[tag] {
				t.Errorf("%s has the tag %v, which the document does not describe", name, tag)
			}
		}
		method, _, _ := strings.Cut(name, " ")
		scope := "admin"
		if method == http.MethodGet {
			scope = "read"
		}
		if got := fmt.Sprint(op["security"]); got != "[map[token:["+scope+"]]]" {
			t.Errorf("%s has the security %s, want the scope %s", name, got, scope)
		}
		if body := walk(op, "requestBody", "content", "application/json"); body != nil && walk(body, "example") == nil {
			t.Errorf("the request of %s has no example", name)
		}
		for status, response := range walk(op, "responses").(map[string]any) {
			response = resolve(doc, response)
			for kind, media := range content(response) {
				if walk(media, "example") == nil {
					t.Errorf("the answer %s of %s (%s) has no example", status, name, kind)
				}
			}
		}
	}
}

func content(response any) map[string]any {
	media, _ := walk(response, "content").(map[string]any)
	return media
}

// resolve follows a reference within the document.
func resolve(doc, value any) any {
	if ref, ok := walk(value, "$ref").(string); ok {
		return walk(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return value
}

func TestEveryPropertyIsDescribed(t *testing.T) {
	t.Parallel()
	doc := parsedDocument(t)
	for name, schema := range walk(doc, "components", "schemas").(map[string]any) {
		properties, _ := walk(schema, "properties").(map[string]any)
		for property, of := range properties {
			if walk(of, "description") == nil {
				t.Errorf("%s.%s has no description", name, property)
			}
		}
	}
	for name, op := range operations(doc) {
		parameters, _ := op["parameters"].([]any)
		for _, parameter := range parameters {
			if walk(parameter, "description") == nil {
				t.Errorf("%s: the parameter %v has no description", name, walk(parameter, "name"))
			}
		}
	}
}

// TestTheClientHasTheAPIsVersion holds the TypeScript client to the one place that says the version.
func TestTheClientHasTheAPIsVersion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile("../clients/typescript/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var manifest struct{ Version string }
		if err := json.Unmarshal(text, &manifest); err != nil || manifest.Version != api.Version {
			t.Errorf("the client's %s has version %q (error %v), and the API %q; run: make generate", name,
				manifest.Version, err, api.Version)
		}
	}
}

// TestNoTypeIsBothAskedAndAnswered keeps requests lenient: a member that every answer has may be left out of them. And
// an answer has [] where it has nothing to list.
func TestNoTypeIsBothAskedAndAnswered(t *testing.T) {
	t.Parallel()
	doc := parsedDocument(t)
	asked, answered := make(map[string]bool), make(map[string]bool)
	for _, op := range operations(doc) {
		reach(doc, walk(op, "requestBody"), asked)
		reach(doc, walk(op, "responses"), answered)
	}
	if len(asked) < 10 || len(answered) < 20 {
		t.Fatalf("%d types are asked and %d answered; the document has more", len(asked), len(answered))
	}
	for name := range answered {
		if asked[name] {
			t.Errorf("%s is asked and answered: give requests a type of their own, such as api.AdvancedInput", name)
		}
		text, err := json.Marshal(walk(doc, "components", "schemas", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{`["array","null"]`, `["object","null"]`, `"additionalProperties":false`} {
			if strings.Contains(string(text), wrong) {
				t.Errorf("%s is answered and has %s", name, wrong)
			}
		}
	}
}

// reach notes the names of the schemas that a part of the document leads to.
func reach(doc, value any, seen map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			reach(doc, item, seen)
		}
	case map[string]any:
		ref, _ := value["$ref"].(string)
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); ok && seen[name] {
			return
		} else if ok {
			seen[name] = true
		}
		if ref != "" {
			reach(doc, resolve(doc, value), seen)
		}
		for name, member := range value {
			if name != "example" && name != "examples" {
				reach(doc, member, seen)
			}
		}
	}
}

// answers holds real answers against the document, and counts which members of each type were there.
type answers struct {
	t   *testing.T
	doc map[string]any

	mu    sync.Mutex
	count map[string]int
	had   map[string]map[string]int
}

func newAnswers(t *testing.T) *answers {
	t.Helper()
	return &answers{t: t, doc: parsedDocument(t), count: make(map[string]int), had: make(map[string]map[string]int)}
}

// see holds one answer against what the document says of it.
func (a *answers) see(method, path string, response *http.Response, answer any) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	place := method + " " + path
	op := a.operation(method, path)
	if op == nil {
		a.t.Errorf("the document has no %s", place)
		return
	}
	status := fmt.Sprint(response.StatusCode)
	described := resolve(a.doc, walk(op, "responses", status))
	if described == nil {
		a.t.Errorf("the document has no answer %s of %s", status, place)
		return
	}
	media := walk(described, "content", response.Header.Get("Content-Type"), "schema")
	if media == nil {
		if answer != nil {
			a.t.Errorf("the document has no %s of %s of %s", response.Header.Get("Content-Type"), status, place)
		}
		return
	}
	a.hold(place+" "+status, media, answer)
}

// operation finds the operation of a path: of several, the one with the fewest parameters.
func (a *answers) operation(method, path string) (best map[string]any) {
	path, _, _ = strings.Cut(path, "?")
	segments, fewest := strings.Split(path, "/"), 100
	for name, op := range operations(a.doc) {
		own, template, _ := strings.Cut(name, " ")
		parts, variables := strings.Split(template, "/"), 0
		matches := own == method && len(parts) == len(segments)
		for i := 0; matches && i < len(parts); i++ {
			if strings.HasPrefix(parts[i], "{") {
				variables++
			} else {
				matches = parts[i] == segments[i]
			}
		}
		if matches && variables < fewest {
			best, fewest = op, variables
		}
	}
	return best
}

// hold reports where a value is not what a schema says. A member that the document does not know is wrong here: it lets
// later versions add some, and this one has to describe its own.
func (a *answers) hold(place string, schema, value any) {
	a.t.Helper()
	if ref, ok := walk(schema, "$ref").(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		schema = resolve(a.doc, schema)
		if object, ok := value.(map[string]any); ok {
			a.members(place, name, schema, object)
		}
	}
	if choice, ok := walk(schema, "anyOf").([]any); ok {
		if value != nil {
			a.hold(place, choice[0], value)
		}
		return
	}
	kinds := strings.Trim(fmt.Sprint(walk(schema, "type")), "[]")
	if !slices.Contains(strings.Fields(strings.ReplaceAll(kinds, "integer", "number")), kindOf(value)) {
		a.t.Errorf("%s is %v, want the type %s", place, value, kinds)
	}
	if enum, ok := walk(schema, "enum").([]any); ok && !slices.Contains(enum, value) {
		a.t.Errorf("%s is %v, want one of %v", place, value, enum)
	}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			a.hold(place+"[]", walk(schema, "items"), item)
		}
	case map[string]any:
		for name, member := range value {
			of := walk(schema, "properties", name)
			if of == nil {
				of = walk(schema, "additionalProperties")
			}
			if of == nil {
				a.t.Errorf("%s.%s is not in the document", place, name)
				continue
			}
			a.hold(place+"."+name, of, member)
		}
	}
}

// members counts the members of an object of a type, and reports those that are missing.
func (a *answers) members(place, name string, schema any, object map[string]any) {
	a.t.Helper()
	a.count[name]++
	if a.had[name] == nil {
		a.had[name] = make(map[string]int)
	}
	for member := range object {
		a.had[name][member]++
	}
	for _, member := range required(schema) {
		if _, ok := object[member]; !ok {
			a.t.Errorf("%s lacks %s, which the document requires of each %s", place, member, name)
		}
	}
}

func required(schema any) (names []string) {
	list, _ := walk(schema, "required").([]any)
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// always reports members that every answer had and the document does not require. sometimes are those that the walk
// happened to meet each time.
func (a *answers) always(sometimes ...string) {
	a.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(a.count)) {
		schema := walk(a.doc, "components", "schemas", name)
		for _, member := range slices.Sorted(maps.Keys(a.had[name])) {
			if a.had[name][member] == a.count[name] && !slices.Contains(required(schema), member) &&
				!slices.Contains(sometimes, name+"."+member) {
				a.t.Errorf("each of %d %s had %s, which the document does not require", a.count[name], name, member)
			}
		}
	}
	if len(a.count) < 25 {
		a.t.Errorf("only %d types were answered", len(a.count))
	}
}
