package lambdahost

import (
	"testing"

	"rollcall/shared/manifest"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/previews": "preview-api", "/v1/previews/01J": "preview-api", "/v1/previews/01J/addresses": "preview-api",
		"/v1/previews/01J/cancel": "preview-api",
		"/v1/previews/01J/export": "export-api", "/v1/exports/01J": "export-api", "/v1/users/export": "export-api",
		"/v1/users": "sync-api", "/v1/users/a@example.com": "sync-api", "/v1/users/a/b@example.com": "sync-api",
		"/v1/users/export/b@example.com": "sync-api",
		"/v1/settings":                   "sync-api", "/v1/syncs/01J/undo": "sync-api",
		"/v1/nothing/here": "sync-api", "/v1/connector/poll": "connector-api", "/v1/connectors": "sync-api",
		"/": "", "/v1": "", "/v2/users": "",
	} {
		route, ok := find(manifest.Routes(), path)
		if ok != (want != "") || route.Function != want {
			t.Errorf("%s goes to %q (%t), want %q", path, route.Function, ok, want)
		}
	}
}
