package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// generated is the ending by which the CDK makes a name its own.
var generated = regexp.MustCompile(`[0-9A-F]{8}$`)

// takenResource begins the name of a value that the service has from the data.
var takenResource = strings.ReplaceAll(takenPrefix, "-", "")

// show writes a value of a template as a person would: names without what was generated, pseudo parameters in angle
// brackets.
func show(value any) string {
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprint(value)
	}
	switch {
	case object["Ref"] != nil:
		name := strings.TrimPrefix(object["Ref"].(string), takenResource)
		return generated.ReplaceAllString(strings.Replace(name, "AWS::", "", 1), "")
	case object["Fn::GetAtt"] != nil:
		return generated.ReplaceAllString(object["Fn::GetAtt"].([]any)[0].(string), "")
	case object["Fn::Join"] != nil:
		var parts []string
		for _, part := range object["Fn::Join"].([]any)[1].([]any) {
			parts = append(parts, show(part))
		}
		return strings.Join(parts, object["Fn::Join"].([]any)[0].(string))
	}
	return fmt.Sprint(object)
}

// list returns a value that a template writes as one thing or as several.
func list(value any) []any {
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		return value
	default:
		return []any{value}
	}
}

// shown lists what show makes of each.
func shown(value any) []string {
	var all []string
	for _, one := range list(value) {
		all = append(all, show(one))
	}
	return all
}

// at follows a path of names and numbers into a value.
func at(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch here := value.(type) {
		case map[string]any:
			value = here[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(here) {
				return nil
			}
			value = here[i]
		default:
			return nil
		}
	}
	return value
}

// of returns the resources of a type by their names, without what was generated.
func (t template) of(kind string) map[string]resource {
	found := make(map[string]resource)
	for name, r := range t.Resources {
		if r.Type == kind {
			found[generated.ReplaceAllString(name, "")] = r
		}
	}
	return found
}

// the returns the resource of a type with a name.
func (t template) the(test *testing.T, kind, name string) resource {
	test.Helper()
	r, ok := t.of(kind)[name]
	if !ok {
		test.Fatalf("there is no %s %s, but %v", kind, name, slices.Sorted(maps.Keys(t.of(kind))))
	}
	return r
}

// statements are those of all policies of a role, without what was generated in its name.
func (t template) statements(role string) []map[string]any {
	var all []map[string]any
	for _, policy := range t.of("AWS::IAM::Policy") {
		if !slices.Contains(shown(policy.Properties["Roles"]), role) {
			continue
		}
		for _, statement := range list(at(policy.Properties, "PolicyDocument.Statement")) {
			all = append(all, statement.(map[string]any))
		}
	}
	return all
}

// expect compares what is at each path with how it is shown.
func expect(t *testing.T, r resource, want map[string]string) {
	t.Helper()
	for path, value := range want {
		if got := show(at(r.Properties, path)); got != value {
			t.Errorf("%s is %s, want %s", path, got, value)
		}
	}
}
