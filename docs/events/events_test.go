package events_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/docs/events"
	"rollcall/docs/events/schematest"
	"rollcall/shared/manifest"
	"rollcall/shared/notify"
	busevents "rollcall/shared/ports/events"
)

// names are those of all events: the schemas' names and, of the bus's own, the detail types.
func names() map[string]string {
	all := map[string]string{}
	for _, t := range []notify.Type{
		notify.SyncFailed, notify.SyncBlocked, notify.SyncRecovered, notify.SyncMissed, notify.UsersChanged,
		notify.Test,
	} {
		all[string(t)] = ""
	}
	for _, n := range []busevents.Name{busevents.UsersImported, busevents.SyncFailed, busevents.SyncBlocked} {
		all[strings.ReplaceAll(strings.ToLower(string(n)), " ", "-")] = string(n)
	}
	return all
}

func schemas(t *testing.T) schematest.Schemas {
	t.Helper()
	s, err := schematest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each event has a schema and an example, which passes it and is what the program itself would write.
func TestEveryEventHasASchemaAndAnExample(t *testing.T) {
	t.Parallel()
	published := schemas(t)
	delete(published, "event") // what the others have in common
	for name, detailType := range names() {
		if published[name] == nil {
			t.Errorf("%s has no schema", name)
		}
		example, err := events.Files.ReadFile("examples/" + name + ".json")
		if err != nil {
			t.Error(err)
			continue
		}
		if err := published.Check(name, json.RawMessage(example)); err != nil {
			t.Error(err)
		}
		var written any
		if detailType == "" {
			var e notify.Event
			err = json.Unmarshal(example, &e)
			written = e
		} else {
			var e busevents.Sync
			err = json.Unmarshal(example, &e)
			written = e
		}
		again, marshalErr := json.MarshalIndent(written, "", "  ")
		if err != nil || marshalErr != nil {
			t.Fatal(err, marshalErr)
		}
		if diff := cmp.Diff(fields(t, example), fields(t, again)); diff != "" {
			t.Errorf("%s (-example +as the program writes it):\n%s", name, diff)
		}
		delete(published, name)
	}
	for name := range published {
		t.Errorf("%s is the schema of no event", name)
	}
}

func fields(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A schema that lets anything pass would hold nothing: each required field is missed, and no other one is let in.
func TestTheSchemasRefuse(t *testing.T) {
	t.Parallel()
	published := schemas(t)
	for name := range names() {
		content, err := events.Files.ReadFile("examples/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		whole := fields(t, content).(map[string]any)
		for field, value := range whole {
			delete(whole, field)
			if published.Check(name, whole) == nil {
				t.Errorf("%s passes without %s", name, field)
			}
			whole[field] = value
		}
		whole["unknown"] = 1
		if published.Check(name, whole) == nil {
			t.Errorf("%s passes with a field that nobody described", name)
		}
		delete(whole, "unknown")
		if data, ok := whole["data"].(map[string]any); ok {
			data["dn"] = "CN=Ann"
			if published.Check(name, whole) == nil {
				t.Errorf("%s passes with a DN", name)
			}
		}
	}
}

// The schemas are for others: each field says what it is, or refers to one that does, and unknown fields are let in.
func TestTheSchemasStayOpen(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(events.Files, "*.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := events.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("additionalProperties")) || bytes.Contains(content, []byte("unevaluated")) {
			t.Errorf("%s forbids fields that a later version may add", name)
		}
		doc := fields(t, content).(map[string]any)
		if doc["$schema"] != "https://json-schema.org/draft/2020-12/schema" || doc["$id"] != path.Base(name) ||
			doc["title"] == nil || doc["description"] == nil {
			t.Errorf("%s begins with %v, %v, %v", name, doc["$schema"], doc["$id"], doc["title"])
		}
	}
}

// The sample rule picks up what is published, and its queue takes it from the bus.
func TestTheSampleRuleNamesTheEvent(t *testing.T) {
	t.Parallel()
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				EventPattern map[string][]string
			}
		}
	}
	content, err := events.Files.ReadFile("rule.template.json")
	if err == nil {
		err = json.Unmarshal(content, &template)
	}
	if err != nil {
		t.Fatal(err)
	}
	rule := template.Resources["UsersChanged"]
	want := map[string][]string{"source": {manifest.EventSource}, "detail-type": {string(notify.UsersChanged)}}
	if diff := cmp.Diff(want, rule.Properties.EventPattern); rule.Type != "AWS::Events::Rule" || diff != "" {
		t.Errorf("%s with the pattern (-want +got):\n%s", rule.Type, diff)
	}
}
