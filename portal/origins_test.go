package portal_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"rollcall/portal"
)

func TestOnlyListedOriginsAreTold(t *testing.T) {
	t.Parallel()
	const listed, other = "https://portal.example.com", "http://127.0.0.1:3000"
	both, err := portal.ParseOrigins(listed + ", " + other)
	if err != nil || !slices.Equal(both, []string{listed, other}) {
		t.Errorf("two origins are read as %q (%v)", both, err)
	}
	for _, wrong := range []string{
		"", "*", "https://*.example.com", "https://portal.example.com/", "https://portal.example.com/path", "null",
		"http://portal.example.com", "https://Portal.example.com", "https://a.example.com;script-src *", "'self'",
		"https://user@portal.example.com", "https://portal.example.com,", "portal.example.com", "https://a b",
		"http://127.0.0.1.example.com", "http://localhost.example.com:80", "https://a..example.com",
	} {
		if got, err := portal.ParseOrigins(wrong); err == nil {
			t.Errorf("%q is read as %q", wrong, got)
		}
	}
	for name, config := range map[string]portal.Config{"none": {}, "two": {Portals: both}} {
		header := get(t, portal.Handler(config), http.MethodGet, "/").Header()
		ancestors, frames := "frame-ancestors 'none';", "DENY"
		if name == "two" {
			ancestors, frames = "frame-ancestors "+listed+" "+other+";", ""
		}
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, ancestors) {
			t.Errorf("with %s the policy is %q", name, policy)
		}
		if got := header.Get("X-Frame-Options"); got != frames {
			t.Errorf("with %s X-Frame-Options is %q, want %q", name, got, frames)
		}
	}
	for from, allowed := range map[string]bool{listed: true, other: true, "https://evil.example.com": false,
		"null": false, "": false, listed + ".evil.example.com": false} {
		r, recorder := httptest.NewRequest(http.MethodOptions, "/v1/users", nil), httptest.NewRecorder()
		r.Header.Set("Origin", from)
		got := portal.AllowOrigin(recorder, r, both)
		header := recorder.Header()
		if got != allowed || allowed != (header.Get("Access-Control-Allow-Origin") == from && from != "") ||
			allowed != (header.Get("Access-Control-Allow-Headers") != "") {
			t.Errorf("%q: allowed %t, with %v", from, got, header)
		}
		if header.Get("Access-Control-Allow-Credentials") != "" || header.Get("Vary") != "Origin" {
			t.Errorf("%q gets %v", from, header)
		}
	}
}
