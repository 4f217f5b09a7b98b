package syncs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/functions/sync/syncs"
	"rollcall/shared/adapters/embedded"
	"rollcall/shared/api"
	"rollcall/shared/importer"
	"rollcall/shared/ports/queue"
	"rollcall/shared/run"
)

// nobody is a queue whose messages nobody reads.
type nobody struct{}

func (nobody) Send(context.Context, queue.Message) error { return nil }

// client calls the routes of this package on an embedded store.
type client struct {
	t *testing.T
	a *api.API
}

func newClient(t *testing.T) client {
	t.Helper()
	store, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	log := slog.New(slog.DiscardHandler)
	service := importer.NewService(importer.Config{
		Users: store.Users(), Jobs: store.Jobs(), Objects: store.Objects(), Sealer: store.Sealer(),
		Queue: nobody{}, Log: log,
	})
	a := api.New(api.Config{Log: log, Identify: func(*http.Request) (api.Caller, error) {
		id := run.Identity{Account: "acme", Subject: "ann"}
		return api.Caller{Identity: id, Scopes: []api.Scope{api.ScopeAdmin}}, nil
	}})
	syncs.Register(a, service, time.Now)
	return client{t, a}
}

// answer is what a request got.
type answer struct {
	status int
	etag   string
	body   map[string]any
}

func (c client) send(method, path, ifMatch, body string) answer {
	c.t.Helper()
	return c.sendWith(method, path, body, http.Header{"If-Match": {ifMatch}})
}

func (c client) sendWith(method, path, body string, header http.Header) answer {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		if values[0] != "" {
			r.Header.Set(name, values[0])
		}
	}
	w := httptest.NewRecorder()
	c.a.ServeHTTP(w, r)
	out := answer{status: w.Code, etag: w.Header().Get("ETag")}
	if err := json.Unmarshal(w.Body.Bytes(), &out.body); err != nil && w.Body.Len() > 0 {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return out
}

func (c client) want(status int, method, ifMatch, body string) answer {
	c.t.Helper()
	got := c.send(method, "/v1/settings", ifMatch, body)
	if got.status != status {
		c.t.Fatalf("%s %s: status %d, want %d: %v", method, body, got.status, status, got.body)
	}
	return got
}

// at returns the value at a path of an answer's body.
func (a answer) at(path string) any {
	var value any = a.body
	for name := range strings.SplitSeq(path, ".") {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

const saved = `{
	"connection": {"serverType": "exchange", "host": "dc1.example.com", "username": "reader", "password": "secret"},
	"advanced": {
		"filter": "(mail=*)", "exclude": ["a@example.com", "b@example.com"], "attributes": {"primary": ["mail"]}
	},
	"options": {"removeAccounts": true, "removalLimit": {"percent": 20, "count": 30}},
	"schedule": {"intervalHours": 6}
}`

func TestPatchingSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		patch string
		want  map[string]any
	}{
		"one option": {`{"options": {"sendHSR": true}}`, map[string]any{
			"options.sendHSR": true, "options.removeAccounts": true, "options.removalLimit.percent": 20.0,
			"connection.passwordSet": true, "schedule.intervalHours": 6.0,
		}},
		"half of the limit": {`{"options": {"removalLimit": {"count": 31}}}`, map[string]any{
			"options.removalLimit.percent": 20.0, "options.removalLimit.count": 31.0,
		}},
		"an option's default": {`{"options": {"removeAccounts": null, "removalLimit": null}}`, map[string]any{
			"options.removeAccounts": false, "options.removalLimit.percent": 10.0,
		}},
		"all defaults": {`{"connection": {"password": "new"}, "options": null, "advanced": null}`, map[string]any{
			"options.removeAccounts": false, "advanced.filter": "", "advanced.exclude": []any{},
		}},
		"a list is replaced": {`{"advanced": {"exclude": ["c@example.com"]}}`, map[string]any{
			"advanced.exclude": []any{"c@example.com"}, "advanced.filter": "(mail=*)",
			"advanced.attributes.primary": []any{"mail"},
		}},
		"a list is emptied": {`{"advanced": {"exclude": null}}`, map[string]any{
			"advanced.exclude": []any{}, "advanced.attributes.primary": []any{"mail"},
		}},
		"another attribute": {`{"connection": {"password": "new"}, "advanced": {"attributes": {"id": "employeeID"}}}`,
			map[string]any{"advanced.attributes.id": "employeeID", "advanced.attributes.primary": []any{"mail"}}},
		"a pause": {`{"schedule": {"paused": true}}`, map[string]any{
			"schedule.paused": true, "schedule.intervalHours": 6.0, "health.state": "paused",
		}},
		"another interval": {`{"schedule": {"intervalHours": 12}}`, map[string]any{"schedule.intervalHours": 12.0}},
		"no schedule":      {`{"schedule": null}`, map[string]any{"schedule": nil, "connection.passwordSet": true}},
		"the certificate":  {`{"connection": {"caCertificate": null}}`, map[string]any{"connection.passwordSet": true}},
		"a password":       {`{"connection": {"password": "new"}}`, map[string]any{"connection.username": "reader"}},
		"a host": {`{"connection": {"host": "DC2.example.com", "password": "new"}}`, map[string]any{
			"connection.host": "dc2.example.com", "connection.port": 389.0,
		}},
		"no sign-in": {`{"connection": {"username": null}}`, map[string]any{"connection.passwordSet": false}},
		"what GET gave": {`{"connection": {"passwordSet": true}, "schedule": {"nextRunAt": "x", "pausedReason": "y"}}`,
			map[string]any{"connection.passwordSet": true, "schedule.paused": false}},
		"nothing of a part": {`{"advanced": {}}`, map[string]any{"advanced.filter": "(mail=*)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			before := c.want(200, "PUT", "", saved)
			got := c.want(200, "PATCH", before.etag, test.patch)
			for path, want := range test.want {
				if diff := cmp.Diff(want, got.at(path)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
			if got.etag == before.etag || got.etag == "" {
				t.Errorf("the ETag went from %s to %s", before.etag, got.etag)
			}
			read := c.want(200, "GET", "", "")
			if diff := cmp.Diff(got.body, read.body); diff != "" || read.etag != got.etag {
				t.Errorf("ETag %s and %s; the answer and what is stored differ:\n%s", got.etag, read.etag, diff)
			}
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ patch, field string }{
		"another host":         {`{"connection": {"host": "evil.example.net"}}`, "connection.password"},
		"another security":     {`{"connection": {"useSSL": true, "port": null}}`, "connection.password"},
		"no connection":        {`{"connection": null}`, "connection"},
		"no host":              {`{"connection": {"host": null, "password": "x"}}`, "connection.host"},
		"no interval":          {`{"schedule": {"intervalHours": null}}`, "schedule.intervalHours"},
		"a long interval":      {`{"schedule": {"intervalHours": 25}}`, "schedule.intervalHours"},
		"a wrong filter":       {`{"advanced": {"filter": "(mail=*"}}`, "advanced.filter"},
		"a wrong exclusion":    {`{"advanced": {"exclude": ["x"]}}`, "advanced.exclude[0]"},
		"an unknown scope":     {`{"options": {"removeScope": "some"}}`, "options.removeScope"},
		"an unknown field":     {`{"option": {}}`, "option"},
		"a preview":            {`{"previewId": "01J"}`, "previewId"},
		"a number for a text":  {`{"connection": {"host": 5}}`, "connection.host"},
		"a list for an object": {`{"options": []}`, "options"},
		"no ETag":              {`{"options": {"sendHSR": true}}`, "If-Match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			etag := c.want(200, "PUT", "", saved).etag
			ifMatch := ""
			if test.field == "If-Match" {
				ifMatch = `x`
			}
			got := c.want(422, "PATCH", ifMatch, test.patch)
			problems, _ := got.body["errors"].([]any)
			if !slices.ContainsFunc(problems, func(p any) bool { return p.(map[string]any)["field"] == test.field }) {
				t.Errorf("the problem %v does not name %s", got.body, test.field)
			}
			if after := c.want(200, "GET", "", ""); after.etag != etag {
				t.Errorf("a refused patch changed the settings: %v", after.body)
			}
		})
	}
	c := newClient(t)
	c.want(404, "PATCH", "", `{"options": {"sendHSR": true}}`)
	c.want(404, "PATCH", "", `{}`)
	first := c.want(200, "PUT", "", saved)
	second := c.want(200, "PATCH", first.etag, `{"schedule": null}`)
	c.want(412, "PATCH", first.etag, `{"options": {"sendHSR": true}}`)
	c.want(412, "PATCH", first.etag, `{}`)
	if same := c.want(200, "PATCH", second.etag, `{}`); same.etag != second.etag || !cmp.Equal(same.body, second.body) {
		t.Errorf("a patch that names nothing made of %v %v", second, same)
	}
	third := c.want(200, "PATCH", "", `{"schedule": {"intervalHours": 3}}`)
	if third.at("schedule.intervalHours") != 3.0 {
		t.Errorf("a patch made no schedule: %v", third.body)
	}
}

// TestConditionsOfAChange sends headers of RFC 9110, section 13.1. NOW stands for the stored ETag.
func TestConditionsOfAChange(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, test := range []struct {
		ifMatch, ifNoneMatch string
		// put is the answer where nothing is saved, change that of PUT and PATCH where something is.
		put, change int
	}{
		{"", "", 200, 200}, {"*", "", 412, 200}, {"NOW", "", 412, 200}, {`"1"`, "", 412, 412}, {`"x"`, "", 412, 412},
		{`"1", NOW`, "", 412, 200}, {`,"a,b" ,	NOW,`, "", 412, 200}, {`"1","2"`, "", 412, 412},
		{`W/NOW`, "", 412, 412}, {`W/NOW, NOW`, "", 412, 200}, {`W/"1"`, "", 412, 412},
		{"", "*", 200, 412}, {"", "NOW", 200, 412}, {"", "W/NOW", 200, 412}, {"", `"1", W/"2"`, 200, 200},
		{"NOW", `"1"`, 412, 200}, {"NOW", "*", 412, 412},
		{"1", "", 422, 422}, {`"1`, "", 422, 422}, {`1"`, "", 422, 422},
		{`"1" "2"`, "", 422, 422}, {`*, "1"`, "", 422, 422},
		{"w/NOW", "", 422, 422}, {`"a b"`, "", 422, 422},
		{",", "", 422, 422}, {"", "1", 422, 422}, {"", "**", 422, 422},
	} {
		c.send(http.MethodDelete, "/v1/settings", "", "")
		now := `"1795000000000"`
		send := func(method, path, body string) answer {
			return c.sendWith(method, path, body, http.Header{
				"If-Match":      {strings.ReplaceAll(test.ifMatch, "NOW", now)},
				"If-None-Match": {strings.ReplaceAll(test.ifNoneMatch, "NOW", now)},
			})
		}
		check := func(got answer, want int) {
			t.Helper()
			if got.status != want {
				t.Errorf("If-Match %s, If-None-Match %s: %v, want %d", test.ifMatch, test.ifNoneMatch, got, want)
			}
			if problems, _ := got.at("errors").([]any); want == 422 && (len(problems) != 1 ||
				!strings.HasPrefix(problems[0].(map[string]any)["field"].(string), "If-")) {
				t.Errorf("If-Match %s, If-None-Match %s: %v", test.ifMatch, test.ifNoneMatch, got)
			}
		}
		check(send(http.MethodPut, "/v1/settings", saved), test.put)
		now = c.want(200, http.MethodPut, "", saved).etag
		check(send(http.MethodPut, "/v1/settings", saved), test.change)
		now = c.want(200, http.MethodPut, "", saved).etag
		check(send(http.MethodPatch, "/v1/settings", `{"options": {"sendHSR": true}}`), test.change)
		c.send(http.MethodDelete, "/v1/users/hand@example.com", "", "")
		now = c.send(http.MethodPost, "/v1/users", "", `{"address": "hand@example.com"}`).etag
		check(send(http.MethodPatch, "/v1/users/hand@example.com", `{"heldSpamReport": "daily"}`), test.change)
	}
}

// TestOneOfManyPatchesWins sends patches of one version at once.
func TestOneOfManyPatchesWins(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	etag := c.want(200, "PUT", "", saved).etag
	const senders = 12
	var mu sync.Mutex
	var sending sync.WaitGroup
	statuses := make(map[int]int)
	winner := ""
	for i := range senders {
		sending.Go(func() {
			host := fmt.Sprintf("dc%d.example.com", i)
			got := c.send("PATCH", "/v1/settings", etag, `{"connection": {"password": "p", "host": "`+host+`"}}`)
			mu.Lock()
			defer mu.Unlock()
			if statuses[got.status]++; got.status == 200 {
				winner = host
			}
		})
	}
	sending.Wait()
	if want := map[int]int{200: 1, 412: senders - 1}; !cmp.Equal(want, statuses) {
		t.Errorf("statuses %v, want %v", statuses, want)
	}
	if got := c.want(200, "GET", "", "").at("connection.host"); got != winner {
		t.Errorf("the host is %v, and %s won", got, winner)
	}
	// Without a version each is merged into what the one before left.
	for i := range senders {
		sending.Go(func() {
			patch := fmt.Sprintf(`{"options": {"removalLimit": {"count": %d}}}`, i)
			if i%2 == 0 {
				patch = fmt.Sprintf(`{"schedule": {"intervalHours": %d}}`, i+1)
			}
			if got := c.send("PATCH", "/v1/settings", "", patch); got.status != 200 {
				t.Errorf("%s: status %d: %v", patch, got.status, got.body)
			}
		})
	}
	sending.Wait()
	log := c.send("GET", "/v1/audit", "", "").body["items"].([]any)
	if want := 1 + 1 + senders; len(log) != want {
		t.Errorf("the audit log has %d entries, want %d", len(log), want)
	}
}

// TestAPatchHasTheFieldsOfAConnection keeps the two descriptions of a connection together.
func TestAPatchHasTheFieldsOfAConnection(t *testing.T) {
	t.Parallel()
	fields := func(of reflect.Type) (names []string) {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
		return names
	}
	patch, whole := reflect.TypeFor[api.ConnectionChange](), reflect.TypeFor[api.ConnectionInput]()
	if diff := cmp.Diff(fields(whole), fields(patch)); diff != "" {
		t.Errorf("fields of a connection and of its patch:\n%s", diff)
	}
}

func TestUsersHaveETags(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	added := c.send("POST", "/v1/users", "", `{"address": "hand@example.com"}`)
	changed := c.send("PATCH", "/v1/users/hand@example.com", "", `{"protected": true}`)
	for _, got := range []answer{added, changed} {
		if want := fmt.Sprintf(`"%.0f"`, got.body["version"]); got.etag != want {
			t.Errorf("the ETag is %s, want %s", got.etag, want)
		}
	}
	if added.etag == changed.etag {
		t.Error("a change left the ETag as it was")
	}
}

func TestQuickMinutes(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	put := func(schedule string) string {
		return strings.Replace(saved, `{"intervalHours": 6}`, schedule, 1)
	}
	if got := c.want(200, "PUT", "", saved); got.at("schedule.quickMinutes") != nil || got.at("quick") != nil ||
		got.at("lastLookAt") != nil {
		t.Errorf("without quick looks %v", got.body)
	}
	for _, minutes := range []string{"4", "61", "0", "-5"} {
		for method, body := range map[string]string{
			"PUT":   put(`{"intervalHours": 6, "quickMinutes": ` + minutes + `}`),
			"PATCH": `{"schedule": {"quickMinutes": ` + minutes + `}}`,
		} {
			got := c.want(422, method, "", body)
			if errors := fmt.Sprint(got.body["errors"]); !strings.Contains(errors, "schedule.quickMinutes") {
				t.Errorf("%s of %s minutes: %v", method, minutes, got.body)
			}
		}
	}
	for _, step := range []struct {
		method, body string
		want         any
	}{
		{"PUT", put(`{"intervalHours": 6, "quickMinutes": 5}`), 5.0},
		{"PATCH", `{"schedule": {"quickMinutes": 60}}`, 60.0},
		{"PATCH", `{"schedule": {"paused": true}}`, 60.0},
		{"PATCH", `{"schedule": {"quickMinutes": null}}`, nil},
		{"PATCH", `{"schedule": {"quickMinutes": 7}}`, 7.0},
		{"PUT", put(`{"intervalHours": 6, "quickMinutes": null}`), nil},
	} {
		if got := c.want(200, step.method, "", step.body).at("schedule.quickMinutes"); got != step.want {
			t.Errorf("%s %s gives %v, want %v", step.method, step.body, got, step.want)
		}
	}
}
