package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// TestPageSavesAJob saves a scheduled job, finds it below the LDAP Server field, uses its password, pauses, resumes,
// runs and deletes it.
func TestPageSavesAJob(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(10)})
	p := account(t)
	tab := openPage(t, p, "/import")
	fillConnection(tab, s)
	tab.Click("button", "Preview Users to Sync")
	waitRows(tab, "22 addresses")
	tab.Select("Interval", "every 8 hours")
	tab.Check("checkbox", "Send HSRs to newly imported Users", true)
	tab.Click("button", "Save as a scheduled job")
	tab.WaitText("Saved: imports every 8 hours from 127.0.0.1, next at")
	saved := p.must(200, "GET", "/v1/settings", nil)
	if saved.number("schedule.intervalHours") != 8 || saved.at("options.sendHSR") != true ||
		saved.at("connection.passwordSet") != true {
		t.Errorf("saved %v", saved)
	}

	tab.Click("button", "Cancel")
	tab.WaitFor("button", "Preview Users to Sync")
	tab.WaitText("Imports every 8 hours, next at")
	below := browser.Eval[string](tab,
		`document.querySelector('.job-line').closest('.field').querySelector('label').innerText`)
	if below != "LDAP Server" {
		t.Errorf("the interval is shown below %q, want LDAP Server", below)
	}
	tab.Reload()
	tab.WaitText("A password is stored. Leave this empty to use it.")
	checkAccessible(t, tab, "saved job")
	tab.Fill("Username", "cn=somebody,dc=example,dc=com")
	tab.WaitText("Enter the password again")
	tab.ExpectProblem("status of 422")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("One field needs another look")
	if got := tab.FieldError("textbox", "Password"); !strings.Contains(got, "again") {
		t.Errorf("the error at Password is %q", got)
	}
	tab.Click("button", "Back to the saved settings")
	if got := tab.Value("textbox", "Username"); got != s.Username {
		t.Errorf("the saved username is %q", got)
	}
	tab.Click("button", "Preview Users to Sync")
	waitRows(tab, "22 addresses")
	tab.Click("button", "Cancel")

	tab.Click("button", "Pause")
	tab.WaitText("The schedule is paused")
	if p.must(200, "GET", "/v1/settings", nil).at("schedule.paused") != true {
		t.Error("Pause did not pause")
	}
	tab.Click("button", "Resume")
	tab.WaitFor("button", "Pause")
	tab.Click("button", "Run Now")
	tab.WaitText("The sync is done")
	if n := len(p.list("/v1/users", nil)); n != 22 {
		t.Errorf("%d users after Run Now, want 22", n)
	}
	tab.Click("link", "LDAP Import")
	// The card is drawn again once it is known that a sync has run.
	tab.WaitText("Last: ")
	tab.Click("button", "Delete Existing Sync Settings")
	waitDialog(tab)
	checkAccessible(t, tab, "question before deleting")
	tab.Press(kb.Escape)
	tab.WaitFor("button", "Pause")
	if status, _ := p.call("GET", "/v1/settings", nil); status != 200 {
		t.Error("Escape deleted the settings")
	}
	tab.Click("button", "Delete Existing Sync Settings")
	tab.Click("button", "Delete Existing Sync Settings")
	tab.WaitNoText("Saved Sync")
	if status, _ := p.call("GET", "/v1/settings", nil); status != 404 {
		t.Errorf("after deleting, GET /v1/settings answers %d", status)
	}
	if n := len(p.list("/v1/users", nil)); n != 22 {
		t.Errorf("%d users after deleting the settings, want 22", n)
	}
}

// TestPageDoesNotOverwriteAnotherTabsSettings saves in two tabs.
func TestPageDoesNotOverwriteAnotherTabsSettings(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	p := account(t)
	first := openPage(t, p, "/import")
	second := openPage(t, p, "/import")
	for _, tab := range []*browser.Tab{first, second} {
		tab.ExpectProblem("status of 412")
		fillConnection(tab, s)
		tab.Click("button", "Preview Users to Sync")
		waitRows(tab, "6 addresses")
	}
	save := func(tab *browser.Tab, interval string) {
		tab.Select("Interval", interval)
		tab.Click("button", "Save as a scheduled job")
	}
	interval := func() int { return p.must(200, "GET", "/v1/settings", nil).number("schedule.intervalHours") }
	save(first, "every 2 hours")
	first.WaitText("Saved: imports every 2 hours")
	save(second, "every 3 hours")
	second.WaitText("The settings were changed meanwhile")
	second.WaitText("Interval every 2 hours every 3 hours")
	checkAccessible(t, second, "changed meanwhile")
	second.Click("button", "Keep them")
	second.WaitText("Saved: imports every 2 hours")
	if got := interval(); got != 2 {
		t.Errorf("Keep them saved %d hours", got)
	}
	save(second, "every 4 hours")
	second.WaitText("Saved: imports every 4 hours")
	save(first, "every 5 hours")
	first.WaitText("The settings were changed meanwhile")
	first.Click("button", "Overwrite them")
	first.WaitText("Saved: imports every 5 hours")
	if got := interval(); got != 5 {
		t.Errorf("Overwrite them saved %d hours, want 5", got)
	}
}

// TestPageRemovesWithTheNumberTyped removes more than the guard lets pass, confirms it, and takes it back.
func TestPageRemovesWithTheNumberTyped(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	wantDone(t, p.sync(object{"previewId": p.preview(request(s, nil)).text("id")}))
	p.must(201, "POST", "/v1/users", object{"address": "by.hand@example.com"})
	tab := openPage(t, p, "/import")
	fillConnection(tab, s)
	tab.Fill("Filter String", "(|(uid=user000001)(uid=user000002))")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("41 accounts are on the Users List and not in the directory: they stay.")
	tab.Check("checkbox", "Remove Accounts", true)
	tab.WaitText("41 accounts would be removed")
	tab.WaitText("More than the removal limit")
	checkAccessible(t, tab, "more removals than the limit")
	tab.Select("Which", "Only those that an import created")
	tab.WaitText("40 accounts would be removed; 1 other was added by hand and stays.")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync stopped before it removed anybody")
	tab.WaitText("Remove 40 users of 44?")
	checkLooks(t, tab, "blocked")
	// It stands above the table, which would move under the mouse.
	tab.Slow(300*time.Millisecond, 1_000_000)
	tab.Reload()
	tab.WaitText("The sync stopped before it removed anybody")
	if !tab.Has("heading", "Remove 40 users of 44?") {
		t.Error("what confirms a blocked sync comes after the rest of it")
	}
	tab.Slow(0, -1)
	if n := len(p.list("/v1/users", nil)); n != 45 {
		t.Errorf("%d users after a blocked sync, want 45", n)
	}
	tab.Fill("Type 40 to confirm", "41")
	tab.Click("button", "Remove 40 users and sync")
	tab.WaitText("Type 40 to go on.")
	tab.Fill("Type 40 to confirm", "40")
	tab.Press(kb.Enter)
	tab.WaitText("The sync is done")
	if n := len(p.list("/v1/users", nil)); n != 5 {
		t.Errorf("%d users after the removal, want 5", n)
	}
	waitRows(tab, "40 addresses")

	tab.Click("button", "Undo this sync")
	tab.WaitText("Undo Preview")
	tab.WaitText("Will come back 40")
	waitRows(tab, "40 addresses")
	checkAccessible(t, tab, "undo preview")
	if n := len(p.list("/v1/users", nil)); n != 5 {
		t.Errorf("the preview of the undo changed the Users List: %d users", n)
	}
	tab.Click("button", "Undo Now")
	tab.WaitText("The sync was undone")
	if n := len(p.list("/v1/users", nil)); n != 45 {
		t.Errorf("%d users after the undo, want 45", n)
	}
	tab.Click("link", "History")
	tab.WaitText("4 syncs")
	rows := historyRows(tab)
	if len(rows) != 4 || !strings.Contains(rows[0], "Undo Done") || !strings.Contains(rows[2], "Blocked") ||
		!strings.Contains(rows[3], "Done") {
		t.Errorf("the history is %q", rows)
	}
	checkLooks(t, tab, "history")
}

// TestPageConfirmsARunOfTheSavedSettings runs saved settings that changed since the last sync, looks at a preview, and
// confirms.
func TestPageConfirmsARunOfTheSavedSettings(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	body := request(s, nil)
	body["options"] = object{"removeAccounts": true}
	p.must(200, "PUT", "/v1/settings", body)
	wantDone(t, p.sync(object{}))
	p.must(200, "PUT", "/v1/settings", object{"advanced": object{"filter": "(uid=user00001*)"}})
	tab := openPage(t, p, "/import")
	tab.WaitText("By hand only from 127.0.0.1: adds and changes users, removes those that are gone, no HSR")
	tab.Click("button", "Run Now")
	tab.WaitText("The sync stopped before it removed anybody")
	tab.WaitText("changed since the last sync")
	blocked := tab.Address()
	tab.Click("button", "Preview first")
	tab.WaitText("22 accounts would be removed")
	waitRows(tab, "22 addresses")
	tab.ExpectProblem("status of 422")
	tab.Click("summary", "Removal limit")
	tab.Fill("Percent of the users", "101")
	tab.Click("summary", "Removal limit")
	tab.Click("button", "Sync Now")
	waitFocus(tab, "Percent of the users")
	if got := tab.FieldError("textbox", "Percent of the users"); !strings.Contains(got, "100") {
		t.Errorf("the error at the limit is %q", got)
	}
	tab.Open(blocked)
	tab.Fill("Type 22 to confirm", "22")
	tab.Click("button", "Remove 22 users and sync")
	tab.WaitText("The sync is done")
	if n := len(p.list("/v1/users", nil)); n != 22 {
		t.Errorf("%d users after the confirmation, want 22", n)
	}

	p.must(200, "PUT", "/v1/settings", object{"advanced": object{"filter": "(uid=user000010)"}})
	tab.Click("link", "LDAP Import")
	// Until the saved settings have come, the form shows those that it had.
	tab.Until(`[...document.querySelectorAll('label')].find((l) => l.innerText === 'Filter String')?.control.value ===
	  '(uid=user000010)'`)
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("19 accounts would be removed")
	waitRows(tab, "19 addresses")
	preview := tab.Address()
	tab.Click("summary", "Removal limit")
	tab.Fill("Percent of the users", "100")
	tab.WaitNoText("More than the removal limit")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	// A preview is synced once.
	tab.Open(preview)
	tab.WaitText("This preview was synced")
	tab.Click("link", "Show that sync")
	tab.WaitText("The sync is done")
	for range 25 {
		p.sync(object{})
	}
	tab.Click("link", "History")
	tab.Click("button", "Show older ones")
	tab.WaitText("29 syncs")
	if tab.Has("button", "Show older ones") {
		t.Error("the history goes on behind its end")
	}
}

// TestPageSaysWhenTheServerIsGone stops the program in the middle of a preview, and starts it again.
func TestPageSaysWhenTheServerIsGone(t *testing.T) {
	t.Parallel()
	host, port := ldapserver.Silent(t)
	proxy := newOutage(t, shared.base)
	p := account(t)
	own := *p
	own.base = proxy.base
	// The page first: the step that is waited for only lasts 15 seconds.
	tab := openPage(t, &own, "/history")
	started := p.must(202, "POST", "/v1/previews", object{"connection": object{"serverType": "exchange", "host": host,
		"port": port}})
	tab.Open(own.base + "/#/previews/" + started.text("id"))
	tab.WaitText("Encrypt : under way")
	tab.ExpectProblem("ERR_")
	tab.ExpectProblem("status of 502")
	proxy.set(true)
	tab.WaitText("The connection is lost")
	proxy.set(false)
	tab.WaitNoText("The connection is lost")
	p.must(200, "POST", "/v1/previews/"+started.text("id")+"/cancel", nil)
	tab.WaitText("The preview was cancelled")
	proxy.set(true)
	tab.Click("link", "Users List")
	tab.WaitText("The Users List cannot be read")
	proxy.set(false)
	tab.Click("button", "Try again")
	tab.WaitText("The Users List is empty")
}

// TestPageWorksByKeyboard goes from the settings to the Users List without a mouse.
func TestPageWorksByKeyboard(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(5)})
	p := account(t)
	tab := openPage(t, p, "/import")
	tab.WaitFor("button", "Preview Users to Sync")
	to := func(name string) {
		t.Helper()
		for range 60 {
			if tab.Focused() == name {
				return
			}
			tab.Press(kb.Tab)
		}
		t.Fatalf("the Tab key does not come to %q; it is at %q", name, tab.Focused())
	}
	write := func(name, text string) {
		t.Helper()
		to(name)
		tab.Type(text)
	}
	to("Skip to the content")
	tab.Press(kb.Enter)
	write("Username", s.Username)
	write("LDAP Server", s.Host)
	to("TCP Port")
	tab.Press(kb.Delete)
	tab.Type(strconv.Itoa(s.Port))
	write("Password", s.Password)
	to("Apply Advanced Settings")
	tab.Press(" ")
	write("CA Certificate", s.CACertificate)
	to("Preview Users to Sync")
	tab.Press(kb.Enter)
	waitRows(tab, "11 addresses")
	if got := tab.Focused(); got != "Results Preview" {
		t.Errorf("after the change of view the focus is on %q, want its heading", got)
	}
	to("Will be added 11")
	tab.Press(kb.ArrowLeft)
	tab.WaitText("Nothing was skipped")
	tab.Press(kb.ArrowRight)
	waitRows(tab, "11 addresses")
	to("user000001@example.com")
	tab.Press(kb.ArrowDown, kb.Enter)
	waitDialog(tab)
	tab.Press(kb.Escape)
	waitNoDialog(tab)
	if got := tab.Focused(); got != "u1@example.com" {
		t.Errorf("after the dialog the focus is on %q, want it where it was", got)
	}
	to("Send HSRs to newly imported Users")
	tab.Press(" ")
	to("Sync Now")
	tab.Press(kb.Enter)
	tab.WaitText("The sync is done")
	waitRows(tab, "11 addresses")
	to("Users List")
	tab.Press(kb.Enter)
	tab.WaitFor("switch", "Protect u1@example.com")
	to("Choose user000001@example.com")
	tab.Press(kb.ArrowDown, kb.End, kb.ArrowLeft, kb.ArrowLeft)
	if got := tab.Focused(); got != "Protect u1@example.com" {
		t.Fatalf("the arrow keys lead to %q", got)
	}
	tab.Press(" ")
	for deadline := time.Now().Add(10 * time.Second); p.list("/v1/users", nil)[0].at("protected") != true; {
		if time.Now().After(deadline) {
			t.Fatalf("the switch did nothing: %v", p.list("/v1/users", nil)[:2])
		}
		time.Sleep(50 * time.Millisecond)
	}
}
