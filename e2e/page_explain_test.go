package e2e

import (
	"testing"

	"rollcall/e2e/browser"
)

// TestPageExplains asks why somebody is not there, from each place where people wonder: the search of a preview, the
// Users List and the Advanced Settings.
func TestPageExplains(t *testing.T) {
	t.Parallel()
	s := ldapWith(t, "", staff)
	p := account(t)
	tab := openPage(t, p, "/import")
	tab.WaitFor("button", "Preview Users to Sync")
	fillConnection(tab, s)
	tab.Fill("Search Base", "ou=staff,dc=example,dc=com")
	tab.Fill("Filter String", "(&(proxyAddresses=*)(department=Sales))")

	// The Advanced Settings, with what was typed there.
	tab.Click("button", "Why is an address not there?")
	tab.Fill("Address or DN", "nonsense")
	tab.ExpectProblem("status of 422")
	tab.Click("button", "Explain")
	tab.WaitText("Has no @.")
	checkAccessible(t, tab, "an explanation with an error")
	tab.Fill("Address or DN", "cn=Old,ou=archive,dc=example,dc=com")
	tab.Click("button", "Explain")
	tab.WaitText("It is outside the search base")
	tab.WaitText("Change Search Base in Advanced Settings")
	tab.Click("button", "Go to Search Base")
	tab.Until(`document.querySelector('dialog') === null &&
	  document.activeElement.value === 'ou=staff,dc=example,dc=com'`)

	// A preview whose search finds nothing. Its password was not stored.
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")
	tab.Fill("Search these addresses", "bob@example.com")
	tab.ExpectProblem("status of 422")
	tab.Click("button", "Why is bob@example.com not there?")
	tab.WaitText("Enter the password")
	tab.Fill("Password", s.Password)
	tab.Click("button", "Explain")
	tab.WaitText("The filter leaves it out")
	tab.WaitText("(department=Sales) does not match. Change Filter String")
	role := browser.Eval[string](tab, `document.querySelector('dialog .notice').getAttribute('role')`)
	if role != "alert" {
		t.Errorf("the verdict has the role %q: no screen reader would say it", role)
	}
	checkLooks(t, tab, "explain")
	tab.Click("button", "Close")
	waitNoDialog(tab)

	// The Users List, with the saved settings.
	p.must(201, "POST", "/v1/users", object{"address": "ann@example.com"})
	tab.Click("link", "Users List")
	tab.ExpectProblem("status of 404")
	tab.Click("button", "Explain ann@example.com")
	tab.WaitText("No settings are saved")
	tab.Click("button", "Close")
	p.must(200, "PUT", "/v1/settings", request(s, nil))
	tab.Click("button", "Explain ann@example.com")
	tab.WaitText("A sync imports it")
	tab.WaitText("changes its user on the Users List")
	tab.Click("button", "Close")
	tab.Fill("Search the Users List", "zoe@example.com")
	tab.Click("button", "Why is zoe@example.com not there?")
	tab.WaitText("The directory does not have it")
	tab.Click("button", "Close")
	checkLooks(t, tab, "users-explain")
	tab.Click("link", "Audit Log")
	tab.WaitText("Asked about an address")
}
