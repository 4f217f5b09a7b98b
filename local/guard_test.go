package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestOnlyListedPagesGetThrough sends what a browser sends for pages of other origins. e2e has the rest.
func TestOnlyListedPagesGetThrough(t *testing.T) {
	t.Parallel()
	const base, listed, other = "http://127.0.0.1:8080", "https://portal.example.com", "https://evil.example.com"
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	all := config{frames: origins{listed}, callers: origins{listed}}
	frame := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
	call := func(origin string) map[string]string {
		return map[string]string{"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
	}
	for name, test := range map[string]struct {
		config       config
		method, path string
		headers      map[string]string
		status       int
		allowed      string
	}{
		"a call of a listed page":        {all, "GET", "/v1/users", call(listed), 200, listed},
		"its preflight":                  {all, "OPTIONS", "/v1/users", call(listed), 204, listed},
		"a call of another":              {all, "GET", "/v1/users", call(other), 403, ""},
		"its preflight, too":             {all, "OPTIONS", "/v1/users", call(other), 403, ""},
		"a listed page and no API":       {all, "GET", "/metrics", call(listed), 403, ""},
		"a call where none is listed":    {config{}, "GET", "/v1/users", call(listed), 403, ""},
		"one that may show a frame only": {config{frames: origins{listed}}, "GET", "/v1/users", call(listed), 403, ""},
		"the page in a frame":            {all, "GET", "/", frame, 200, ""},
		"the API in a frame":             {all, "GET", "/v1/users", frame, 403, ""},
		"a frame where none may":         {config{callers: origins{listed}}, "GET", "/", frame, 403, ""},
	} {
		r, recorder := httptest.NewRequest(test.method, base+test.path, nil), httptest.NewRecorder()
		for key, value := range test.headers {
			r.Header.Set(key, value)
		}
		test.config.guarded(base, served).ServeHTTP(recorder, r)
		allowed := recorder.Header().Get("Access-Control-Allow-Origin")
		if recorder.Code != test.status || allowed != test.allowed {
			t.Errorf("%s: status %d for %q, want %d for %q", name, recorder.Code, allowed, test.status, test.allowed)
		}
	}
}
