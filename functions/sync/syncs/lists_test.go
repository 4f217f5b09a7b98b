package syncs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rollcall/shared/run"
)

// TestCursorsAreTheListsOwn follows each list's cursors to its end, and tries others.
func TestCursorsAreTheListsOwn(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.want(http.StatusOK, http.MethodPut, "", saved)
	for i := range 3 {
		user := c.send(http.MethodPost, "/v1/users", "", fmt.Sprintf(`{"address": "u%d@example.com"}`, i))
		started := c.send(http.MethodPost, "/v1/syncs", "", "{}")
		if user.status != http.StatusCreated || started.status != http.StatusAccepted {
			t.Fatalf("a user: %v; a sync: %v", user, started)
		}
	}
	given := make(map[string]string)
	for path, most := range map[string]int{"/v1/users": 3, "/v1/syncs": 3, "/v1/audit": 7} {
		got := c.send(http.MethodGet, path+"?limit=1", "", "")
		pages := 1
		for ; got.at("next") != nil; pages++ {
			given[path] = got.at("next").(string)
			got = c.send(http.MethodGet, path+"?limit=1&cursor="+url.QueryEscape(given[path]), "", "")
			if got.status != http.StatusOK {
				t.Fatalf("%s: page %d: %v", path, pages+1, got)
			}
		}
		if pages != most {
			t.Errorf("%s has %d pages, want %d", path, pages, most)
		}
	}
	for path := range given {
		for _, cursor := range []string{
			"made-up", "***", "AAAA", "01J0000000000000000000RUN1", "dUBleGFtcGxlLmNvbQ",
			given[path] + "A", given[path][1:],
			given["/v1/users"], given["/v1/syncs"], given["/v1/audit"],
		} {
			if cursor == given[path] {
				continue
			}
			got := c.send(http.MethodGet, path+"?cursor="+url.QueryEscape(cursor), "", "")
			errors, _ := got.at("errors").([]any)
			if got.status != http.StatusBadRequest || got.at("code") != "invalid_cursor" || len(errors) != 1 ||
				errors[0].(map[string]any)["field"] != "cursor" {
				t.Errorf("%s at cursor %q: %v, want 400 that names the cursor", path, cursor, got)
			}
		}
	}
}

// TestCursorsBelongToTheirFilter goes on with the cursor of another filter.
func TestCursorsBelongToTheirFilter(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.want(http.StatusOK, http.MethodPut, "", saved)
	for i := range 3 {
		c.send(http.MethodPost, "/v1/users", "", fmt.Sprintf(`{"address": "u%d@example.com"}`, i))
		c.send(http.MethodPost, "/v1/syncs", "", "{}")
	}
	for path, others := range map[string][]string{
		"/v1/users?limit=1&q=u": {"", "q=u1", "q=u&type=user", "q=u&domain=example.com", "q=u&prefix=u", "prefix=u"},
		"/v1/syncs?limit=1&state=queued": {"", "state=done", "trigger=manual", "state=queued&trigger=manual",
			"state=queued&state=done"},
	} {
		first := c.send(http.MethodGet, path, "", "")
		next, _ := first.at("next").(string)
		if first.status != http.StatusOK || next == "" {
			t.Fatalf("%s: %v, want a next", path, first)
		}
		cursor := "cursor=" + url.QueryEscape(next)
		if got := c.send(http.MethodGet, path+"&"+cursor, "", ""); got.status != http.StatusOK {
			t.Errorf("%s with its own cursor: %v", path, got)
		}
		list, _, _ := strings.Cut(path, "?")
		for _, other := range others {
			got := c.send(http.MethodGet, list+"?limit=1&"+other+"&"+cursor, "", "")
			if got.status != http.StatusBadRequest || got.at("code") != "invalid_cursor" {
				t.Errorf("the cursor of %s with %q: %v, want 400 invalid_cursor", path, other, got)
			}
		}
	}
}

// TestEveryTriggerIsAFilter asks for the runs of each trigger that a run can have.
func TestEveryTriggerIsAFilter(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, trigger := range []run.Trigger{run.TriggerManual, run.TriggerSchedule, run.TriggerQuick, run.TriggerUndo} {
		if got := c.send(http.MethodGet, "/v1/syncs?trigger="+string(trigger), "", ""); got.status != http.StatusOK {
			t.Errorf("trigger %s: %v, want 200", trigger, got)
		}
	}
}

// TestWrongFiltersAreNamed sends one wrong value at a time.
func TestWrongFiltersAreNamed(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for query, field := range map[string]string{
		"/v1/users?type=dog": "type", "/v1/users?type=user&type=dog": "type", "/v1/users?domain=example": "domain",
		"/v1/users?domain=exa%20mple.com": "domain", "/v1/users?prefix=%E2%80%8B": "prefix",
		"/v1/users?prefix=%FF": "prefix", "/v1/users?reason=duplicate": "reason",
		"/v1/syncs?state=gone": "state", "/v1/syncs?trigger=nobody": "trigger",
		"/v1/syncs/01J/changes?type=dog": "type", "/v1/syncs/01J/changes?domain=.": "domain",
		"/v1/users?domain=" + strings.Repeat("a.example&domain=", 50) + "b.example": "domain",
	} {
		got := c.send(http.MethodGet, query, "", "")
		errors, _ := got.at("errors").([]any)
		if got.status != http.StatusUnprocessableEntity || len(errors) != 1 ||
			errors[0].(map[string]any)["field"] != field {
			t.Errorf("%.80s: %v, want 422 that names %s", query, got, field)
		}
	}
}
