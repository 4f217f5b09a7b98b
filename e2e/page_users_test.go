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

	"github.com/chromedp/chromedp/kb"

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
	proxy := passTo(t, base, func(*httputil.ProxyRequest) {})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// passTo passes requests on to a program, as those of its own page.
func passTo(t *testing.T, base string, change func(*httputil.ProxyRequest)) http.Handler {
	t.Helper()
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("Origin")
		change(r)
	}}
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
	tab.Press(kb.Enter)
	tab.WaitText("alias of user00@example.com")
	if u := user(t, p, "alias@example.com"); u.text("kind") != "alias" || u.text("source") != "manual" {
		t.Errorf("the alias is %v", u)
	}

	waitRows(tab, "61 users")
	// The alias stands under its primary.
	if rows := shownRows(tab); len(rows) < 3 || strings.Join(rows[:3], " ") !=
		"user00@example.com alias@example.com user01@example.com" {
		t.Errorf("the first rows are %q", rows)
	}
	tab.Fill("Search the Users List", "USER4")
	waitRows(tab, "10 addresses match")
	tab.Fill("Search the Users List", "nobody")
	tab.WaitText("Nobody matches the search")
	tab.Fill("Search the Users List", "user0")
	waitRows(tab, "11 addresses match")

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
	waitRows(tab, "11 addresses match")
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
	waitRows(tab, "10 addresses match")
	if got := tab.Focused(); got != "Remove user07@example.com" {
		t.Errorf("after a removal the focus is on %q, want the next row's button", got)
	}
	tab.Click("button", "Export to .csv")
	if lines := downloaded(t, tab); len(lines) != 9 {
		t.Errorf("the CSV of the search has %d lines, want 9", len(lines))
	}
	tab.Fill("Search the Users List", "")
	waitRows(tab, "60 users")
	tab.Until(`document.querySelector(".toast") === null`)
	checkLooks(t, tab, "users")

	tab.Click("link", "Audit Log")
	tab.WaitText("Removed a user")
	tab.WaitText("Protected: No → Yes")
	checkLooks(t, tab, "audit")
	if n := browser.Eval[int](tab, `document.querySelectorAll('.audit > li').length`); n != 50 {
		t.Errorf("%d entries of the audit log, want a page of 50", n)
	}
	tab.Click("button", "Show older ones")
	tab.WaitText("user00@example.com")
	checkNotifications(t, p, tab)
	checkConnectors(t, p, tab)
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

// TestPageUsersBulk edits many users at once: it asks, shows how far it is, goes on past what fails, and says what did.
func TestPageUsersBulk(t *testing.T) {
	t.Parallel()
	p := account(t)
	for i := range 12 {
		typ := "user"
		if i%3 == 0 {
			typ = "group"
		}
		p.must(201, "POST", "/v1/users", object{"address": fmt.Sprintf("user%02d@example.com", i), "type": typ})
	}
	p.must(201, "POST", "/v1/users", object{"address": "info@example.net", "primaryAddress": "user01@example.com"})
	tab := openPage(t, p, "/users")
	waitRows(tab, "13 users")
	tab.WaitText("Users List Whose mail")
	tab.ExpectProblem("status of 404")

	tab.Select("Object type", "Group (4)")
	waitRows(tab, "4 addresses match")
	tab.Check("checkbox", "Choose all that are shown", true)
	tab.WaitText("4 chosen")
	checkLooks(t, tab, "users-chosen")
	tab.Click("button", "Protect")
	tab.Click("button", "Protect")
	tab.WaitText("4 users were protected")
	tab.Until(`document.querySelectorAll('[aria-label^="Protect user"]:checked').length === 4`)

	tab.Select("Object type", "All object types")
	waitRows(tab, "13 users")
	tab.Check("checkbox", "Choose all that are shown", true)
	tab.WaitText("13 chosen")
	tab.Click("button", "HSR on")
	tab.WaitText("1 user more is left alone")
	tab.Click("button", "HSR on")
	tab.WaitText("12 users were set to a daily Held Spam Report")
	if u := user(t, p, "user11@example.com"); u.text("heldSpamReport") != "daily" {
		t.Errorf("after HSR on, the user is %v", u)
	}

	// Somebody else removes one meanwhile.
	p.must(204, "DELETE", "/v1/users/user02@example.com", nil)
	tab.Click("button", "Remove")
	tab.WaitText("4 users more are left alone: protected")
	tab.Fill("Type 9 to confirm", "8")
	tab.Press(kb.Enter)
	tab.WaitText("Type 9 to go on")
	checkAccessible(t, tab, "a removal with the wrong number")
	tab.Fill("Type 9 to confirm", "9")
	tab.Press(kb.Enter)
	tab.WaitText("8 users were removed")
	tab.WaitText("1 user could not be changed")
	tab.WaitText("user02@example.com: There is no user user02@example.com")
	if left := p.list("/v1/users", nil); len(left) != 4 {
		t.Errorf("%d users are left, want the protected ones", len(left))
	}
	checkLooks(t, tab, "users-bulk")
	checkNothingIsCut(t, tab, `[aria-label^="Remove user"]`)
}
