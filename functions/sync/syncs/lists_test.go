package syncs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
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
