package main

import (
	"slices"
	"strings"
	"testing"
)

// TestAllWrongFieldsAreNamedAtOnce sends what the schema rules out together with what only a rule does.
func TestAllWrongFieldsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	c := startWith(t, config{data: t.TempDir()})
	type object = map[string]any
	c.send(200, "PUT", "/v1/settings", object{
		"connection": object{"serverType": "exchange", "host": "dc1.example.com"},
	})
	connection := object{"serverType": "x", "host": "!!"}
	for _, test := range []struct {
		method, path string
		body         object
		want         string
	}{
		{"PUT", "/v1/notifications", object{
			"email": []string{"ann"}, "events": []string{"failed", "exploded"}, "zzz": 1,
			"webhook": object{"url": "ftp://hooks.example.com", "secret": "y"},
		}, "email[0] events[1] webhook.secret webhook.url zzz"},
		{"PUT", "/v1/settings", object{
			"connection": connection, "schedule": object{"intervalHours": 99}, "advanced": object{"filter": "(("},
		}, "advanced.filter connection.host connection.serverType schedule.intervalHours"},
		{"PATCH", "/v1/settings", object{
			"schedule": object{"intervalHours": nil}, "advanced": object{"filter": "(("},
			"connection": object{"host": "!!"},
		}, "advanced.filter connection.host schedule.intervalHours"},
		{"POST", "/v1/previews", object{"connection": connection, "options": object{"removeScope": "y"}},
			"connection.host connection.serverType options.removeScope"},
		{"POST", "/v1/syncs", object{"confirmRemovals": -1, "options": object{"removalLimit": object{"percent": 101}}},
			"confirmRemovals options.removalLimit.percent"},
		{"POST", "/v1/users", object{"address": "ann", "primaryAddress": "bob", "type": "x"},
			"address primaryAddress type"},
		{"POST", "/v1/users", object{"primaryAddress": "bob", "zzz": 1}, "address primaryAddress zzz"},
		{"POST", "/v1/connectors", object{"name": " ", "zzz": 1}, "name zzz"},
		{"POST", "/v1/explanations", object{"address": "ann", "connection": connection},
			"address connection.host connection.serverType"},
		{"POST", "/v1/users/export", object{"domain": []string{"!!"}, "type": "x", "zzz": 1}, "domain type zzz"},
	} {
		problem := c.send(422, test.method, test.path, test.body)
		var got []string
		list, _ := problem["errors"].([]any)
		for _, e := range list {
			got = append(got, e.(object)["field"].(string))
		}
		if slices.Sort(got); strings.Join(got, " ") != test.want {
			t.Errorf("%s %s names %q, want %s", test.method, test.path, got, test.want)
		}
	}
	// What a check of ours cannot see keeps the schema's words.
	problem := c.send(422, "POST", "/v1/users", object{"address": 5})
	if list := problem["errors"].([]any); list[0].(object)["message"] != "expected string" {
		t.Errorf("an address that is a number: %v", list)
	}
}
