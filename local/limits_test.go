package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestAddressesAndHeadersAreBounded(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	for name, test := range map[string]struct {
		query, header string
		want          int
	}{
		"as a page sends them": {"?limit=10", strings.Repeat("x", 10<<10), http.StatusOK},
		"a long query":         {"?" + strings.Repeat("x&", 10<<10), "", http.StatusRequestURITooLong},
		"a very long query":    {"?" + strings.Repeat("x&", 100<<10), "", http.StatusRequestHeaderFieldsTooLarge},
		"a long header":        {"", strings.Repeat("x", 100<<10), http.StatusRequestHeaderFieldsTooLarge},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/v1/users"+test.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Anything", test.header)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: status %d, want %d", name, response.StatusCode, test.want)
		}
	}
}
