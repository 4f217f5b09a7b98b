package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// TestPageFindsARunningPreview leaves a running preview, finds it in the navigation wherever one is, and learns there
// that it has ended.
func TestPageFindsARunningPreview(t *testing.T) {
	t.Parallel()
	host, port := ldapserver.Silent(t)
	p := account(t)
	body := object{"connection": object{"serverType": "exchange", "host": host, "port": port}}
	id := p.must(202, "POST", "/v1/previews", body).text("id")
	tab := openPage(t, p, "/users")
	tab.Click("link", "Preview running")
	tab.WaitText("Encrypt : under way")
	tab.Until(`document.title === 'Preview running · Rollcall'`)
	if got := lastPart(tab.Address()); got != id {
		t.Errorf("the link leads to %s, want %s", got, id)
	}
	tab.Click("link", "History")
	tab.WaitText("No sync has run yet")
	tab.WaitFor("link", "Preview running")
	p.must(200, "POST", "/v1/previews/"+id+"/cancel", nil)
	tab.WaitFor("link", "Preview cancelled")
	tab.Until(`document.querySelector('#announcer').textContent.startsWith('Preview cancelled')`)
	tab.Click("link", "LDAP Import")
	tab.WaitText("Recent Previews")
	tab.WaitText("Cancelled")
	tab.Click("link", "Preview cancelled")
	tab.WaitText("The preview was cancelled")
	tab.Until(`document.title === 'Preview cancelled · Rollcall'`)
	tab.Until(`document.querySelector('#live-runs').innerText === ''`)

	// The looks take their time, and the server's silence ends a preview.
	p.must(202, "POST", "/v1/previews", body)
	tab.Click("link", "Users List")
	tab.WaitFor("link", "Preview running")
	checkLooks(t, tab, "preview-running")
}

// TestPageTellsWhatBecameOfAPreview syncs a preview, schedules it, takes a fresh one with the options as they are
// chosen, and looks at one that somebody's edit made old.
func TestPageTellsWhatBecameOfAPreview(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(5)})
	p := account(t)
	first := p.preview(request(s, nil)).text("id")
	tab := openPage(t, p, "/previews/"+first)
	waitRows(tab, "11 addresses")
	tab.Click("button", "u1@example.com")
	tab.Until(`document.querySelector('dialog')?.innerText.includes('Will be added')`)
	tab.WaitFor("button", "Ask the directory why")
	tab.Click("button", "Close")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	tab.WaitText("Keep the Users List up to date")
	checkLooks(t, tab, "sync-schedule-this")
	tab.Select("Interval", "every 8 hours")
	tab.Click("button", "Schedule this")
	tab.WaitText("This import is scheduled every 8 hours, next at")
	if n := p.must(200, "GET", "/v1/settings", nil).number("schedule.intervalHours"); n != 8 {
		t.Errorf("the job runs every %d hours, want 8", n)
	}

	tab.Click("link", "What it was to do")
	tab.WaitText("This preview was synced")
	waitRows(tab, "11 addresses")
	if !isDisabled(tab, "Sync Now") {
		t.Error("a preview that was synced can be synced again")
	}
	checkLooks(t, tab, "preview-used")
	tab.Check("checkbox", "Remove Accounts", true)
	tab.Click("button", "Take a fresh preview")
	tab.WaitNoText("This preview was synced")
	tab.WaitText("Results Preview")
	fresh := p.must(200, "GET", "/v1/previews/"+lastPart(tab.Address()), nil)
	if fresh.text("id") == first || fresh.at("settings.options.removeAccounts") != true {
		t.Errorf("the fresh preview is %v", fresh)
	}
	if !tab.Checked("checkbox", "Remove Accounts") {
		t.Error("the fresh preview does not show the options as they were chosen")
	}

	p.must(200, "DELETE", "/v1/settings", nil)
	p.must(201, "POST", "/v1/users", object{"address": "by.hand@example.com"})
	tab.Reload()
	tab.WaitText("This preview is outdated")
	tab.ExpectProblem("status of 422")
	tab.Click("button", "Take a fresh preview")
	waitFocus(tab, "Password")
	checkAccessible(t, tab, "a fresh preview that needs the password")
	tab.Fill("Password", s.Password)
	tab.Click("button", "Take a fresh preview")
	tab.WaitNoText("This preview is outdated")
	tab.WaitText("1 account would be removed")
	tab.Click("link", "LDAP Import")
	tab.WaitText("11 to add, 0 not in the directory, 0 to change; synced")
	tab.WaitText("0 to add, 1 not in the directory, 0 to change")
	checkLooks(t, tab, "recent-previews")
}

// TestPageSaysWhoUsesAPreview syncs a preview in another tab: the page that still offers it leads to that sync.
func TestPageSaysWhoUsesAPreview(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	p := account(t)
	preview := p.preview(request(s, nil)).text("id")
	// What is over within milliseconds, or takes a day: a sync at work, and a preview whose time is up.
	var refusal atomic.Value
	own := *p
	own.base = newProxy(t, p.base, func(w http.ResponseWriter, r *http.Request) (answered bool) {
		body, _ := refusal.Load().(string)
		if body == "" || r.Method != http.MethodPost || r.URL.Path != "/v1/syncs" {
			return false
		}
		status := http.StatusConflict
		if strings.Contains(body, "expired") {
			status = http.StatusGone
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	})
	tab := openPage(t, &own, "/previews/"+preview)
	waitRows(tab, "6 addresses")
	tab.ExpectProblem("status of 410")
	refusal.Store(`{"code":"preview_expired","detail":"This preview is older than a day."}`)
	tab.Click("button", "Sync Now")
	tab.WaitText("This preview is older than a day.")
	tab.WaitFor("link", "Take a new preview")
	used := p.sync(object{"previewId": preview})
	wantDone(t, used)
	tab.ExpectProblem("status of 409")
	refusal.Store(`{"code":"preview_in_use","detail":"A sync of it runs.","syncId":"` + used.text("id") + `"}`)
	tab.Click("button", "Sync Now")
	tab.WaitText("A sync of it runs.")
	tab.WaitFor("link", "Show that sync")
	refusal.Store("")
	tab.Click("button", "Sync Now")
	tab.WaitText("This preview was synced already")
	tab.Click("link", "Show that sync")
	tab.WaitText("The sync is done")
	tab.ExpectProblem("status of 404")
	tab.Open(own.base + "/#/syncs/01M852AHDTY7WJ1PH72RY9M16N")
	tab.WaitText("The sync cannot be shown")
	tab.Click("link", "Back to the History")
	tab.WaitText("Every sync of the last 90 days")
}

// TestPageTellsTheStoryOfARun blocks a sync, confirms it, and reads in each of the two what it did, how, and of the
// other; the History finds both by state and trigger.
func TestPageTellsTheStoryOfARun(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	body := request(s, nil)
	body["advanced"] = object{"exclude": []string{"user000001@example.com"}}
	wantDone(t, p.sync(object{"previewId": p.preview(body).text("id")}))
	body["advanced"] = object{"filter": "(|(uid=user000001)(uid=user000002))", "exclude": []string{"u2@example.com"}}
	preview := p.preview(body)
	blocked := p.sync(object{"previewId": preview.text("id"), "options": object{"removeAccounts": true}})
	if blocked.text("state") != "blocked" {
		t.Fatalf("the sync is %s, want it blocked", blocked.text("state"))
	}
	n := blocked.number("guard.removals")
	tab := openPage(t, p, "/syncs/"+blocked.text("id"))
	tab.WaitText(s.Host)
	tab.WaitText("Removes accounts, stops above 10 % or 500 users; no HSRs")
	tab.WaitText(fmt.Sprintf("0 removed %d planned", n))
	// There is one to add as well; whoever is to confirm looks at the removed.
	tab.WaitText("Would be added 1")
	tab.Until(`document.querySelector('[role=tab][aria-selected=true]')?.innerText
	  .startsWith('Would be removed') === true`)
	tab.Fill("Search these addresses", "nobody@example.com")
	// The preview's password was not stored.
	tab.ExpectProblem("status of 422")
	tab.Click("button", "Why is nobody@example.com not there?")
	tab.WaitText("Enter the password")
	tab.Click("button", "Close")
	tab.Fill(fmt.Sprintf("Type %d to confirm", n), fmt.Sprint(n))
	tab.Click("button", fmt.Sprintf("Remove %d users and sync", n))
	tab.WaitText("The sync is done")
	tab.WaitText(fmt.Sprintf("%d removals confirmed, after the sync that had stopped", n))
	confirmed := lastPart(tab.Address())
	checkLooks(t, tab, "sync-confirmed")
	tab.Click("tab", "Removed "+fmt.Sprint(n))
	tab.Click("button", "Export this tab to .csv")
	if lines := downloaded(t, tab); len(lines) != n || lines[0][len(lines[0])-1] != "applied" {
		t.Errorf("the CSV of the removed has %d lines, want %d: %q", len(lines), n, lines[:1])
	}
	tab.Open(p.base + "/#/syncs/" + blocked.text("id"))
	tab.WaitText("Somebody confirmed it")
	if tab.Has("button", fmt.Sprintf("Remove %d users and sync", n)) {
		t.Error("what somebody confirmed can be confirmed again")
	}
	link := browser.Eval[string](tab, `[...document.querySelectorAll('main a')]
	  .find((a) => a.innerText.startsWith('The sync that followed')).getAttribute('href')`)
	if link != "#/syncs/"+confirmed {
		t.Errorf("the blocked sync leads to %s, want %s", link, confirmed)
	}

	tab.Click("link", "History")
	tab.WaitText("3 syncs")
	tab.Select("State", "Blocked")
	tab.WaitText("1 sync")
	if got := historyRows(tab); len(got) != 1 || !strings.Contains(got[0], "Blocked") ||
		!strings.Contains(got[0], s.Host) {
		t.Errorf("the blocked syncs are %q", got)
	}
	tab.Select("Trigger", "Undo")
	tab.WaitText("No sync is like that")
	checkAccessible(t, tab, "a History without syncs")
	if !strings.HasSuffix(tab.Address(), "#/history?state=blocked&trigger=undo") {
		t.Errorf("the address is %s", tab.Address())
	}
	tab.Reload()
	tab.WaitText("No sync is like that")
	tab.Click("button", "Show all syncs")
	tab.WaitText("3 syncs")
	if got := historyRows(tab); len(got) != 3 || !strings.Contains(got[1], "Blocked Confirmed") {
		t.Errorf("the history is %q", got)
	}
	checkLooks(t, tab, "history-filters")
}

// TestPageShowsWhatWasNotWritten has somebody change a user between a preview and its sync, which leaves it as it is
// and says so; and it exports whom the sync skipped.
func TestPageShowsWhatWasNotWritten(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(5)})
	p := account(t)
	body := request(s, nil)
	body["advanced"] = object{"exclude": []string{"u2@example.com"}}
	preview := p.preview(body)
	wantDone(t, preview)
	p.must(201, "POST", "/v1/users", object{"address": "u1@example.com", "type": "contact"})
	run := p.sync(object{"previewId": preview.text("id")})
	wantDone(t, run)
	if n := run.number("applied.conflicts"); n != 1 {
		t.Fatalf("%d conflicts, want 1", n)
	}
	tab := openPage(t, p, "/syncs/"+run.text("id"))
	tab.Click("tab", "Not written 1")
	waitRows(tab, "1 address")
	tab.WaitText("Left as it is")
	const chosenInView = `(() => {
	  const tab = document.querySelector('[role=tab][aria-selected=true]');
	  const at = tab?.getBoundingClientRect();
	  return tab?.innerText.startsWith('Not written') === true && at.left >= 0 && at.right <= innerWidth;
	})()`
	tab.Size(360, 780)
	tab.Until(chosenInView)
	tab.Reload()
	tab.Until(chosenInView)
	checkAccessible(t, tab, "what was not written, at 360 px")
	tab.Size(1280, 900)
	tab.Click("button", "Export the skipped (1) to .csv")
	if lines := downloaded(t, tab); len(lines) != 1 || lines[0][0] != "u2@example.com" || lines[0][4] != "skipped" {
		t.Errorf("the CSV of the skipped is %q", lines)
	}
}
