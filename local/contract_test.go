package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/user"
)

var update = flag.Bool("update", false, "write docs/openapi.json again")

const documentFile = "../docs/openapi.json"

// contract is the API that callers are written against: every route, and every field of what it answers. A dot goes
// into an object, [] into a list, {} into an object by name.
var contract = map[string]string{
	"GET /v1/settings":      settingsFields,
	"PUT /v1/settings":      settingsFields,
	"PATCH /v1/settings":    settingsFields,
	"DELETE /v1/settings":   "",
	"POST /v1/previews":     "id state",
	"GET /v1/previews":      items(previewFields),
	"GET /v1/previews/{id}": previewFields,
	"POST /v1/explanations": "id state",
	"GET /v1/explanations/{id}": "id state error connection[].step connection[].ok connection[].ms " +
		"connection[].detail address verdict sentence stored.address entries[].dn entries[].inBase " +
		"entries[].matchesFilter entries[].failedClause entries[].rules[].rule entries[].rules[].ok " +
		"entries[].rules[].detail entries[].rows[].address entries[].rows[].kind entries[].rows[].primaryAddress " +
		"entries[].rows[].type entries[].rows[].change entries[].rows[].reason entries[].rows[].dn " +
		"entries[].rows[].notes",
	"GET /v1/previews/{id}/addresses": "items[].address items[].kind items[].primaryAddress items[].type " +
		"items[].change items[].reason items[].dn items[].notes",
	"POST /v1/previews/{id}/cancel": "id state",
	"POST /v1/previews/{id}/export": exportFields,
	"POST /v1/users/export":         exportFields,
	"GET /v1/exports/{id}":          exportFields,
	"POST /v1/syncs":                "id state",
	"GET /v1/syncs":                 items(syncFields),
	"GET /v1/syncs/{id}":            syncFields,
	"POST /v1/syncs/{id}/export":    exportFields,
	"GET /v1/syncs/{id}/changes": items("address kind primaryAddress type change reason dn notes before after " +
		"outcome"),
	"POST /v1/syncs/{id}/undo":      "id state",
	"POST /v1/syncs/{id}/cancel":    "id state",
	"GET /v1/users":                 items(userFields),
	"POST /v1/users":                userFields,
	"PATCH /v1/users/{address}":     userFields,
	"DELETE /v1/users/{address}":    "",
	"GET /v1/audit":                 items("at by action subject details"),
	"GET /v1/notifications":         notificationFields,
	"PUT /v1/notifications":         notificationFields,
	"POST /v1/notifications/test":   "eventId type",
	"POST /v1/connectors":           enrolmentFields,
	"POST /v1/connectors/{id}/code": enrolmentFields,
	"GET /v1/connectors": items("id name state createdAt instances[].id instances[].name instances[].version " +
		"instances[].lastSeenAt instances[].targets[].host instances[].targets[].port instances[].targets[].username"),
	"DELETE /v1/connectors/{id}": "",
}

const (
	importFields = "connection.serverType connection.host connection.port connection.useSSL connection.username " +
		"connection.passwordSet connection.allowUnencrypted connection.encryption connection.oldTLS " +
		"advanced.searchBase advanced.filter advanced.attributes.primary advanced.attributes.aliases " +
		"advanced.attributes.id advanced.include " +
		"advanced.acceptedDomains advanced.exclude advanced.collapseAliasDomains advanced.skipDisabled " + optionsFields
	optionsFields = "options.removeAccounts options.removeScope options.sendHSR options.removalLimit.percent " +
		"options.removalLimit.count"
	settingsFields = importFields + " schedule.intervalHours schedule.nextRunAt schedule.paused lastRun.id " +
		"consecutiveFailures updatedAt health.state health.since health.message"
	progressFields = "progress.phase progress.entries progress.addresses progress.applied progress.toApply " +
		"connection[].step connection[].ok connection[].ms connection[].detail"
	summaryFields = "summary.entries summary.addresses summary.primary summary.aliases summary.create " +
		"summary.update summary.delete summary.unchanged summary.skipped " +
		"summary.byType.user guard.blocked guard.removals guard.stored error"
	syncFields = "id state trigger startedBy options.removeAccounts createdAt startedAt finishedAt durationMs " +
		"summary.conflicts " +
		"summary.removalsImported " + appliedFields + " " + progressFields + " " + summaryFields
	appliedFields = "applied.create applied.update applied.delete applied.already applied.conflicts " +
		"applied.pending"
	userFields         = "address kind primaryAddress type source heldSpamReport protected version createdAt updatedAt"
	notificationFields = "email webhook.url webhook.secretSet webhook.endedAt events mail.available mail.from " +
		"deliveries[].to deliveries[].eventId deliveries[].type deliveries[].at deliveries[].attempts " +
		"deliveries[].delivered deliveries[].message deliveries[].nextAt updatedAt updatedBy"
	exportFields    = "id state url expiresAt rows bytes sha256 fileName"
	enrolmentFields = "id name enrolmentCode codeExpiresAt"
)

var previewFields = "id state createdAt expiresAt syncs outdated " + progressFields + " " + summaryFields +
	" settings." + strings.ReplaceAll(importFields, " ", " settings.")

func items(fields string) string { return "items[]." + strings.ReplaceAll(fields, " ", " items[].") }

func document(t *testing.T) []byte {
	t.Helper()
	recorder := httptest.NewRecorder()
	v1 := newAPI(importer.NewService(importer.Config{}), time.Now, slog.New(slog.DiscardHandler))
	v1.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("GET /v1/openapi.json: status %d", recorder.Code)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, recorder.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(indented.Bytes(), '\n')
}

func TestTheStoredDocumentIsTheAPIs(t *testing.T) {
	t.Parallel()
	got := document(t)
	if *update {
		if err := os.WriteFile(documentFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("docs/openapi.json is stale; run: make generate")
	}
}

func TestTheDocumentHasTheContract(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(document(t), &doc); err != nil {
		t.Fatal(err)
	}
	for route, fields := range contract {
		method, path, _ := strings.Cut(route, " ")
		responses := walk(doc, "paths", path, strings.ToLower(method), "responses")
		if responses == nil {
			t.Errorf("the document lacks %s", route)
			continue
		}
		for _, field := range strings.Fields(fields) {
			if !documented(doc, responses, field) {
				t.Errorf("the document's %s lacks %s", route, field)
			}
		}
	}
}

func walk(value any, names ...string) any {
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// documented reports whether one of the successful responses' schemas has a field.
func documented(doc, responses any, field string) bool {
	for status, response := range responses.(map[string]any) {
		if schema := walk(response, "content", "application/json", "schema"); status[0] == '2' && schema != nil {
			return hasField(doc, schema, strings.Split(strings.ReplaceAll(field, "[]", ".[]"), "."))
		}
	}
	return false
}

func hasField(doc, schema any, path []string) bool {
	if choice, ok := walk(schema, "anyOf").([]any); ok {
		schema = choice[0]
	}
	schema = resolve(doc, schema)
	switch {
	case schema == nil:
		return false
	case len(path) == 0:
		return true
	case path[0] == "[]":
		return hasField(doc, walk(schema, "items"), path[1:])
	}
	if open, ok := walk(schema, "additionalProperties").(map[string]any); ok {
		return hasField(doc, open, path[1:])
	}
	return hasField(doc, walk(schema, "properties", path[0]), path[1:])
}

// caller calls a running server and notes which routes answered with the contract's fields.
type caller struct {
	t       *testing.T
	base    string
	account string
	seen    map[string]bool
	// answers holds every answer against the document; nil for none.
	answers *answers
}

// start runs the whole of local in this process.
func start(t *testing.T, data string) *caller {
	t.Helper()
	return startWith(t, config{data: data, demo: true, hour: time.Hour})
}

// startWith runs it as a config says, on a free port.
func startWith(t *testing.T, c config) *caller {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		c.addr, c.out = "127.0.0.1:0", writer
		if c.log == nil {
			c.log = slog.New(slog.DiscardHandler)
		}
		ended <- serve(ctx, c)
		writer.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for lines := bufio.NewScanner(reader); lines.Scan(); {
		if base, ok := strings.CutPrefix(lines.Text(), "ready: "); ok {
			return &caller{t: t, base: base, seen: make(map[string]bool)}
		}
	}
	err := <-ended
	ended <- nil // for the cleanup
	t.Fatalf("the server ended: %v", err)
	return nil
}

// call sends a request of a route of the contract and checks the answer's fields.
func (c *caller) call(want int, route, id string, body any) map[string]any {
	c.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	for _, name := range []string{"{id}", "{address}"} {
		path = strings.ReplaceAll(path, name, id)
	}
	answer := c.send(want, method, path, body)
	if want < 300 {
		c.seen[route] = true
		for _, field := range strings.Fields(contract[route]) {
			if !present(answer, strings.Split(strings.ReplaceAll(field, "[]", ".[]"), ".")) {
				c.t.Errorf("the answer to %s lacks %s: %v", route, field, answer)
			}
		}
	}
	return answer
}

// send sends a request and returns the answer's body.
func (c *caller) send(want int, method, path string, body any) map[string]any {
	c.t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(payload))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(api.AccountHeader, c.account)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode != want {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, response.StatusCode, want, data)
	}
	var answer map[string]any
	if len(data) > 0 {
		if err := json.Unmarshal(data, &answer); err != nil {
			c.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	if c.answers != nil && answer != nil {
		c.answers.see(method, path, response, answer)
	}
	return answer
}

func present(value any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if path[0] == "[]" {
		list, _ := value.([]any)
		return len(list) > 0 && present(list[0], path[1:])
	}
	object, ok := value.(map[string]any)
	if !ok {
		return false
	}
	inner, ok := object[path[0]]
	return ok && present(inner, path[1:])
}

// wait polls a run until it has ended.
func (c *caller) wait(path string) {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if state := c.send(200, "GET", path, nil)["state"]; state != "queued" && state != "running" {
			return
		}
	}
	c.t.Fatalf("%s did not end", path)
}

// demoBody is the request that the demo directory of a server type is ready for.
func demoBody(t *testing.T, data, server string) (body map[string]any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "demo", server+".json"))
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// strangers has another account call every route that names something of this one, and find nothing.
func (c *caller) strangers(ids map[string]string) {
	c.t.Helper()
	other := *c
	other.account = "stranger"
	walked := 0
	for route := range contract {
		method, path, _ := strings.Cut(route, " ")
		kind := strings.Split(path, "/")[2]
		if !strings.Contains(path, "{") {
			continue
		}
		walked++
		path = strings.NewReplacer("{id}", ids[kind], "{address}", ids[kind]).Replace(path)
		other.send(http.StatusNotFound, method, path, map[string]any{})
	}
	for _, path := range []string{"/v1/users", "/v1/previews", "/v1/syncs", "/v1/audit"} {
		if items := other.send(http.StatusOK, "GET", path, nil)["items"].([]any); len(items) != 0 {
			c.t.Errorf("another account sees %d items of %s", len(items), path)
		}
	}
	other.send(http.StatusNotFound, "GET", "/v1/settings", nil)
	other.account = strings.Repeat("x", user.MaxAccount+1)
	other.send(http.StatusUnauthorized, "GET", "/v1/settings", nil)
	if walked < 11 {
		c.t.Errorf("%d routes were walked, and the contract has more", walked)
	}
}

// cancel cancels a preview and a sync of a server that never answers.
func (c *caller) cancel() {
	c.t.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { silent.Close() })
	port := silent.Addr().(*net.TCPAddr).Port
	connection := map[string]any{"serverType": "groupwise", "host": "127.0.0.1", "port": port}
	body := map[string]any{"connection": connection}
	preview := c.send(202, "POST", "/v1/previews", body)["id"].(string)
	c.call(200, "POST /v1/previews/{id}/cancel", preview, nil)
	c.send(200, "PUT", "/v1/settings", body)
	sync := c.send(202, "POST", "/v1/syncs", map[string]any{})["id"].(string)
	c.call(200, "POST /v1/syncs/{id}/cancel", sync, nil)
	for _, path := range []string{"/v1/previews/" + preview, "/v1/syncs/" + sync} {
		c.wait(path)
		if state := c.send(200, "GET", path, nil)["state"]; state != "cancelled" {
			c.t.Fatalf("%s is %s, want cancelled", path, state)
		}
	}
}

// useTwice holds a preview that was synced against what it says of that, and syncs it again.
func (c *caller) useTwice(preview, sync string) {
	c.t.Helper()
	answer := c.send(200, "GET", "/v1/previews/"+preview, nil)
	if diff := cmp.Diff([]any{sync}, answer["syncs"]); diff != "" || answer["outdated"] != true {
		c.t.Errorf("the synced preview has outdated %v and syncs (-want +got):\n%s", answer["outdated"], diff)
	}
	used := c.call(409, "POST /v1/syncs", "", map[string]any{"previewId": preview})
	if used["code"] != "preview_used" || used["syncId"] != sync {
		c.t.Errorf("a second sync of a preview answers %v, want preview_used by %s", used, sync)
	}
}

// TestEveryRouteAnswersTheContract walks every route of the contract on a running server and looks for every field in
// what it really answers.
func TestEveryRouteAnswersTheContract(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	c := start(t, data)
	c.answers = newAnswers(t)
	body := demoBody(t, data, "exchange")
	id := func(answer map[string]any) string { return answer["id"].(string) }

	preview := id(c.call(202, "POST /v1/previews", "", body))
	c.wait("/v1/previews/" + preview)
	c.call(200, "GET /v1/previews/{id}", preview, nil)
	c.call(200, "GET /v1/previews", "", nil)
	c.call(200, "GET /v1/previews/{id}/addresses", preview, nil)
	c.call(409, "POST /v1/previews/{id}/cancel", preview, nil)
	export := id(c.call(201, "POST /v1/previews/{id}/export", preview, nil))
	c.call(200, "GET /v1/exports/{id}", export, nil)

	sync := id(c.call(202, "POST /v1/syncs", "", map[string]any{"previewId": preview}))
	c.wait("/v1/syncs/" + sync)
	c.call(200, "GET /v1/syncs/{id}", sync, nil)
	c.useTwice(preview, sync)
	body["schedule"] = map[string]any{"intervalHours": 6}
	c.send(200, "PUT", "/v1/settings", body)
	// What every answer has may be left out of a request, or be null.
	for _, advanced := range []any{nil, map[string]any{}, map[string]any{"include": nil, "filter": nil},
		map[string]any{"attributes": nil}, map[string]any{"attributes": map[string]any{"primary": nil}}} {
		c.send(200, "PUT", "/v1/settings", map[string]any{"connection": body["connection"], "advanced": advanced})
	}
	c.send(200, "PUT", "/v1/settings", body)
	again := id(c.call(202, "POST /v1/syncs", "", map[string]any{}))
	c.wait("/v1/syncs/" + again)
	c.call(200, "GET /v1/settings", "", nil)
	c.call(200, "PUT /v1/settings", "", body)
	c.call(200, "PATCH /v1/settings", "", map[string]any{"options": map[string]any{"sendHSR": true}})
	c.call(200, "GET /v1/syncs", "", nil)
	c.call(200, "GET /v1/syncs/{id}/changes", sync, nil)
	c.call(201, "POST /v1/syncs/{id}/export", sync, nil)
	c.call(409, "POST /v1/syncs/{id}/cancel", sync, nil)
	c.call(200, "GET /v1/users", "", nil)
	c.call(201, "POST /v1/users", "", map[string]any{"address": "Hand@example.com"})
	c.call(200, "PATCH /v1/users/{address}", "hand@example.com", map[string]any{"heldSpamReport": "daily"})
	c.call(204, "DELETE /v1/users/{address}", "hand@example.com", nil)
	c.call(201, "POST /v1/users/export", "", nil)
	explanation := id(c.call(202, "POST /v1/explanations", "", map[string]any{"address": "anais.lefevre@example.com"}))
	c.wait("/v1/explanations/" + explanation)
	c.call(200, "GET /v1/explanations/{id}", explanation, nil)
	c.notify()
	c.call(200, "GET /v1/audit", "", nil)
	c.wait("/v1/syncs/" + id(c.call(202, "POST /v1/syncs/{id}/undo", sync, nil)))
	hq := c.connector(body)
	c.call(200, "DELETE /v1/settings", "", nil)
	c.strangers(map[string]string{
		"connectors": hq,
		"previews":   preview, "syncs": sync, "exports": export, "users": "anais.lefevre@example.com",
		"explanations": explanation,
	})
	c.revoke(hq)
	c.cancel()
	c.answers.always("Step.host", "FoundRow.next", "FoundChange.next", "UserList.total")
	for route := range contract {
		if !c.seen[route] {
			t.Errorf("%s was never answered", route)
		}
	}
}
