package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/portal"
)

// deployed serves the page as a deployment does: with a configuration that names an issuer, in front of an API that
// wants its tokens.
func deployed(t *testing.T, p *program, i *issuer, portals ...string) string {
	t.Helper()
	proxy := passTo(t, p.base, func(r *httputil.ProxyRequest) { r.Out.Header.Set("X-Rollcall-Account", p.account) })
	mux := http.NewServeMux()
	mux.Handle("/", portal.Handler(portal.Config{Issuer: i.server.URL, ClientID: clientID,
		Scope: "openid rollcall/admin", Portals: portals}, i.server.URL))
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		if !i.accepts(r) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"type":"about:blank","title":"Unauthorized","status":401,`+
				`"code":"unauthenticated","detail":"Sign in first."}`)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.redirect = server.URL + "/"
	return server.URL
}

// TestPageSignsIn signs in, comes back to where it was, renews a token, hears that the session has ended, and signs
// out.
func TestPageSignsIn(t *testing.T) {
	t.Parallel()
	p, i := account(t), newIssuer(t)
	p.must(201, "POST", "/v1/users", object{"address": "anna@example.com"})
	base := deployed(t, p, i)
	own := *p
	own.base, own.account = base, ""
	tab := openPage(t, &own, "/users")
	tab.WaitText("Sign in to Rollcall")
	checkLooks(t, tab, "sign-in")
	tab.Click("button", "Sign in")
	tab.WaitText("anna@example.com Sign out")
	tab.WaitText("Protected")
	if got := tab.Address(); got != base+"/#/users" {
		t.Errorf("after the sign-in the page is at %s, want the place it was asked for, and no code", got)
	}
	if local := browser.Eval[string](tab, `JSON.stringify({ ...localStorage }) + document.cookie`); local != "{}" {
		t.Errorf("local storage and cookies hold %s", local)
	}
	checkLooks(t, tab, "signed-in")
	tab.Reload()
	tab.WaitText("anna@example.com Sign out")

	tab.ExpectProblem("status of 401")
	tab.ExpectProblem("status of 400")
	i.forget(false)
	tab.Click("link", "History")
	tab.WaitText("No sync has run yet")
	if got := i.granted(); !slices.Equal(got, []string{"authorization_code", "refresh_token"}) {
		t.Errorf("grants %q, want the code once, and one refresh for the token that was refused", got)
	}

	i.forget(true)
	tab.Click("link", "Users List")
	tab.WaitText("Your session has ended")
	checkAccessible(t, tab, "session ended")
	tab.Click("button", "Sign in")
	tab.WaitText("anna@example.com Sign out")
	tab.WaitText("Protected")

	tab.Click("button", "Sign out")
	tab.WaitText("Sign in to Rollcall")
	if stored := browser.Eval[string](tab, `JSON.stringify({ ...sessionStorage })`); strings.Contains(stored,
		"access-") || strings.Contains(stored, "refresh-") {
		t.Errorf("after signing out the tab still has %s", stored)
	}
	if i.renewable() {
		t.Error("signing out did not revoke the refresh token")
	}
}

// TestPageRefusesAnotherSignInsCode comes back from the issuer with a state that this tab never asked for.
func TestPageRefusesAnotherSignInsCode(t *testing.T) {
	t.Parallel()
	p, i := account(t), newIssuer(t)
	own := *p
	own.base, own.account = deployed(t, p, i), ""
	tab := openPage(t, &own, "/import")
	tab.WaitText("Sign in to Rollcall")
	browser.Eval[bool](tab, `sessionStorage.setItem('rollcall.signing-in',
	  JSON.stringify({ verifier: 'v'.repeat(43), state: 'mine', nonce: 'n', place: '#/users' })) ?? true`)
	tab.Open(own.base + "/?code=stolen&state=theirs")
	tab.WaitText("The sign-in did not work")
	if got := i.granted(); len(got) != 0 {
		t.Errorf("the code was sent on: %q", got)
	}
	if got := tab.Address(); strings.Contains(got, "stolen") {
		t.Errorf("the code stays in the address: %s", got)
	}
}
