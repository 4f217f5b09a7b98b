package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/e2e/browser"
)

// outage is a way to the program that can be closed.
type outage struct {
	base string
	down atomic.Bool
}

func (o *outage) set(down bool) { o.down.Store(down) }

// newOutage serves a program's page and API until it is set to be down, and then nothing.
func newOutage(t *testing.T, base string) *outage {
	t.Helper()
	o := new(outage)
	o.base = newProxy(t, base, func(w http.ResponseWriter, _ *http.Request) (answered bool) {
		if answered = o.down.Load(); answered {
			w.WriteHeader(http.StatusBadGateway)
		}
		return answered
	})
	return o
}

// newProxy serves a program's page and API, but for what is answered before.
func newProxy(t *testing.T, base string, before func(http.ResponseWriter, *http.Request) (answered bool)) string {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("Origin")
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPageUsersList searches, pages, switches, adds and removes by hand, exports, and finds it all in the audit log.
func TestPageUsersList(t *testing.T) {
	t.Parallel()
	p := account(t)
	tab := openPage(t, p, "/users")
	tab.WaitText("The Users List is empty")
	checkLooks(t, tab, "users-empty")
	for i := range 60 {
		p.must(201, "POST", "/v1/users", object{"address": fmt.Sprintf("user%02d@example.com", i)})
	}
	tab.ExpectProblem("status of 4")

	tab.Click("button", "Add User")
	tab.Fill("Address", "not an address")
	tab.Click("button", "Add")
	tab.Until(`document.querySelector('dialog .field-error:not([hidden])') !== null`)
	checkAccessible(t, tab, "Add User with an error")
	tab.Fill("Address", "alias@example.com")
	tab.Fill("Alias of", "nobody@example.com")
	tab.Click("button", "Add")
	tab.WaitText("There is no user nobody@example.com")
	tab.Fill("Alias of", "user00@example.com")
	tab.Click("button", "Add")
	tab.WaitText("alias of user00@example.com")
	if u := user(t, p, "alias@example.com"); u.text("kind") != "alias" || u.text("source") != "manual" {
		t.Errorf("the alias is %v", u)
	}

	tab.WaitText("1–50")
	tab.Click("button", "Next")
	tab.WaitText("51–61")
	tab.WaitText("user59@example.com")
	tab.Click("button", "Previous")
	tab.WaitText("1–50")
	tab.Fill("Search the Users List", "USER4")
	tab.WaitText("1–10 of the matches")
	tab.Fill("Search the Users List", "nobody")
	tab.WaitText("Nobody matches the search")
	tab.Fill("Search the Users List", "user0")
	tab.WaitText("1–11 of the matches")

	tab.Check("switch", "Held Spam Report for user03@example.com", true)
	tab.Check("switch", "Protect user03@example.com", true)
	tab.Until(`[...document.querySelectorAll('button')]
	  .find((b) => b.getAttribute('aria-label') === 'Remove user03@example.com').disabled`)
	// A switch is disabled until its change is stored, and each has its own request.
	tab.WaitFor("switch", "Held Spam Report for user03@example.com")
	if u := user(t, p, "user03@example.com"); u.text("heldSpamReport") != "daily" || u.at("protected") != true {
		t.Errorf("after the switches, the user is %v", u)
	}
	tab.Reload()
	tab.WaitText("1–50")
	if !tab.Checked("switch", "Held Spam Report for user03@example.com") ||
		!tab.Checked("switch", "Protect user03@example.com") {
		t.Error("the switches are off after a reload")
	}
	p.must(204, "DELETE", "/v1/users/user05@example.com", nil)
	tab.Click("switch", "Protect user05@example.com")
	tab.WaitText("The user was not changed")
	if tab.Checked("switch", "Protect user05@example.com") {
		t.Error("a switch whose change failed stays on")
	}
	tab.Click("button", "Remove user06@example.com")
	tab.WaitText("Remove user06@example.com?")
	tab.Click("button", "Remove")
	tab.WaitText("user06@example.com was removed")
	if status, _ := p.call("PATCH", "/v1/users/user06@example.com", object{"protected": true}); status != 404 {
		t.Errorf("the removed user answers %d", status)
	}
	tab.Click("button", "Export to .csv")
	if lines := downloaded(t, tab); len(lines) != 59 {
		t.Errorf("the CSV has %d lines, want 59", len(lines))
	}
	tab.Until(`document.querySelector(".toast") === null`)
	checkLooks(t, tab, "users")

	tab.Click("link", "Audit Log")
	tab.WaitText("Removed a user")
	tab.WaitText("Protected: false → true")
	checkLooks(t, tab, "audit")
	if n := browser.Eval[int](tab, `document.querySelectorAll('.audit > li').length`); n != 50 {
		t.Errorf("%d entries of the audit log, want a page of 50", n)
	}
	tab.Click("button", "Show older ones")
	tab.WaitText("user00@example.com")
}

// user returns a user as the API has it.
func user(t *testing.T, p *program, address string) object {
	t.Helper()
	for _, u := range p.list("/v1/users", url.Values{"q": {address}}) {
		if strings.EqualFold(u.text("address"), address) {
			return u
		}
	}
	t.Fatalf("there is no user %s", address)
	return nil
}
