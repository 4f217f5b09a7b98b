package e2e

import (
	"net/http"
	"strings"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// step is the name of the step of the guided flow that a tab shows as the present one.
func step(tab *browser.Tab) string {
	return browser.Eval[string](tab, `document.querySelector('[aria-current=step]')?.innerText
	  .replace(/\s+/g, ' ').replace(/^\d /, '') ?? ''`)
}

// TestPageOverview starts with nothing, and follows a job through its states: each has its reason and one button.
func TestPageOverview(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	tab := openPage(t, p, "")
	tab.WaitText("No job is saved yet")
	if n := browser.Eval[int](tab, `document.querySelectorAll('main button').length`); n != 1 {
		t.Errorf("before anything is saved there are %d buttons, want one", n)
	}
	checkLooks(t, tab, "overview-empty")
	tab.Click("button", "Connect a directory")
	tab.WaitFor("button", "Preview Users to Sync")

	body := request(s, nil)
	body["options"] = object{"removeAccounts": true, "sendHSR": true}
	body["schedule"] = object{"intervalHours": 6}
	p.must(200, "PUT", "/v1/settings", body)
	tab.Click("link", "Overview")
	tab.WaitText("Every 6 hours from 127.0.0.1: adds and changes users, removes those that are gone, HSR for new users")
	tab.WaitText("Not run since it was saved")
	tab.Click("button", "Run Now")
	tab.WaitText("The sync is done")
	tab.Until(`document.title === 'Sync done · Rollcall'`)
	tab.Click("link", "Overview")
	tab.WaitText("All is well")
	tab.WaitText("44 on the Users List")
	tab.WaitText("users 44")
	zone := browser.Eval[string](tab, `new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' }).formatToParts()
	  .find((part) => part.type === 'timeZoneName').value`)
	for _, name := range []string{"Last run", "Next run"} {
		if got := fact(tab, name); !strings.Contains(got, zone) {
			t.Errorf("%s is %q, without the time zone %s", name, got, zone)
		}
	}

	tab.Click("button", "Change the job")
	tab.WaitFor("button", "Save changes")
	tab.Click("link", "Overview")

	p.must(200, "PATCH", "/v1/settings", object{"schedule": object{"paused": true}})
	tab.Reload()
	tab.Click("button", "Resume")
	tab.WaitText("All is well")
	if p.must(200, "GET", "/v1/settings", nil).at("schedule.paused") != false {
		t.Error("Resume did not resume")
	}

	p.must(200, "PUT", "/v1/settings", object{"advanced": object{"filter": "(uid=user00001*)"}})
	p.sync(object{})
	tab.Reload()
	tab.Click("button", "Review and confirm")
	tab.WaitText("Remove 22 users of 44?")
	tab.Fill("Type 22 to confirm", "22")
	tab.Click("button", "Remove 22 users and sync")
	tab.WaitText("The sync is done")
	tab.Click("link", "Overview")
	tab.WaitText("All is well")
	tab.WaitText("22 on the Users List")
	tab.Click("summary", "The same as a table of 2 runs")
	rows := browser.Eval[string](tab, `[...document.querySelectorAll('main table tbody tr')]
	  .map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText).join(' ')).join(', ')`)
	if rows != "0 22 22, 44 0 44" {
		t.Errorf("the table of the runs (added, removed, users after it) has %s", rows)
	}
	checkLooks(t, tab, "overview")
}

// fact is what a list of facts says under a name.
func fact(tab *browser.Tab, name string) string {
	return browser.Eval[string](tab, `[...document.querySelectorAll('.facts dt')]
	  .find((e) => e.innerText === '`+name+`').nextElementSibling.innerText`)
}

// TestPageOverviewAsksForThePassword has the directory refuse the stored password: the remedy is to type another.
func TestPageOverviewAsksForThePassword(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	p := account(t)
	body := request(s, nil)
	body["connection"].(object)["password"] = "an old one"
	body["schedule"] = object{"intervalHours": 6}
	p.must(200, "PUT", "/v1/settings", body)
	p.sync(object{})
	tab := openPage(t, p, "/overview")
	tab.WaitText("Failing")
	tab.WaitText("wrong username or password")
	tab.WaitText("1 run failed in the last 7 days")
	checkAccessible(t, tab, "a job that fails")
	tab.Click("button", "Enter the password")
	waitDialog(tab)
	checkAccessible(t, tab, "enter the password")
	tab.Click("button", "Save and run")
	if got := tab.FieldError("textbox", "Password"); !strings.Contains(got, "required") {
		t.Errorf("the error at an empty password is %q", got)
	}
	tab.Fill("Password", s.Password)
	tab.Click("button", "Save and run")
	tab.WaitText("The sync is done")
	tab.Click("link", "Overview")
	tab.WaitText("All is well")
}

// TestPageGuidesThroughTheFlow goes the way from a connection to a sync, and sees at each place where it is, and what
// would happen.
func TestPageGuidesThroughTheFlow(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	wantDone(t, p.sync(object{"previewId": p.preview(request(s, nil)).text("id")}))
	tab := openPage(t, p, "/import")
	if got := step(tab); got != "Connect" {
		t.Errorf("the form is the step %q", got)
	}
	fillConnection(tab, s)
	tab.Fill("Filter String", "(uid=user00000*)")
	inView(t, tab, "Preview Users to Sync")
	tab.Click("button", "Preview Users to Sync")
	waitRows(tab, "25 addresses")
	if got := step(tab); got != "Check : done" && got != "Check" {
		t.Errorf("the results are the step %q", got)
	}
	const bar = `document.querySelector('[aria-label="What a sync would do"]')`
	said := func() string {
		return browser.Eval[string](tab, bar+`.querySelector('p').innerText`)
	}
	if got := said(); got != "Changes nothing" {
		t.Errorf("without Remove Accounts the bar says %q", got)
	}
	tab.Check("checkbox", "Remove Accounts", true)
	if got := said(); got != "Removes 25" {
		t.Errorf("with Remove Accounts the bar says %q", got)
	}
	tab.WaitText("More than the removal limit: 25 removals.")
	browser.Eval[bool](tab, `(scrollTo(0, 0), true)`)
	inView(t, tab, "Sync Now")
	inView(t, tab, "Save as a scheduled job")
	checkLooks(t, tab, "bar-over-the-limit")
	tab.Click("tab", "Unchanged")
	tab.Click("link", "Removes 25")
	waitRows(tab, "25 addresses")
	if got := browser.Eval[string](tab, `document.querySelector('[role=tab][aria-selected=true]').innerText`); !strings.
		HasPrefix(got, "Would be removed") {
		t.Errorf("the link leads to the tab %q", got)
	}
	tab.Check("checkbox", "Remove Accounts", false)
	tab.WaitNoText("More than the removal limit")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	if got := step(tab); got != "Sync or Schedule" {
		t.Errorf("the sync is the step %q", got)
	}
}

// inView fails where a button is not in the window as it is scrolled.
func inView(t *testing.T, tab *browser.Tab, name string) {
	t.Helper()
	tab.WaitFor("button", name)
	if !browser.Eval[bool](tab, `(() => {
	  const button = [...document.querySelectorAll('button')].find((b) => b.innerText === '`+name+`');
	  const { top, bottom, left, width } = button.getBoundingClientRect();
	  const met = document.elementFromPoint(left + width / 2, (top + bottom) / 2);
	  return top >= 0 && bottom <= innerHeight && button.contains(met);
	})()`) {
		t.Errorf("%s is not in view", name)
	}
}

// TestPageChangesTheJobInPlace changes the saved job without a preview, and sees that a form which differs from it is
// another thing.
func TestPageChangesTheJobInPlace(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	p := account(t)
	body := request(s, nil)
	body["advanced"] = object{"filter": "(mail=*)"}
	body["schedule"] = object{"intervalHours": 6}
	p.must(200, "PUT", "/v1/settings", body)
	tab := openPage(t, p, "/import")
	tab.WaitText("Every 6 hours from 127.0.0.1")
	// They apply, and stay out of the way.
	if !tab.Checked("checkbox", "Apply Advanced Settings") || tab.Has("textbox", "Filter String") {
		t.Error("the Advanced Settings of the saved job are open, or do not apply")
	}
	inView(t, tab, "Preview Users to Sync")
	tab.Click("button", "Show Advanced Settings")
	tab.WaitFor("textbox", "Filter String")
	tab.Click("button", "Hide Advanced Settings")

	tab.Click("button", "Change")
	tab.Select("Interval", "every 2 hours")
	tab.Select("Look for new people", "every 15 minutes")
	tab.Check("checkbox", "Remove Accounts", true)
	tab.Click("summary", "Removal limit")
	tab.ExpectProblem("status of 422")
	tab.Fill("Percent of the users", "101")
	tab.Click("button", "Save changes")
	tab.WaitText("Some fields need another look")
	checkLooks(t, tab, "job-changed-in-place")
	tab.Fill("Percent of the users", "20")
	tab.Check("checkbox", "Send HSRs to newly imported Users", true)
	// Somebody else saves meanwhile: nothing of theirs is lost unasked.
	p.must(200, "PATCH", "/v1/settings", object{"options": object{"removalLimit": object{"count": 77}}})
	tab.ExpectProblem("status of 412")
	tab.Click("button", "Save changes")
	tab.WaitText("The settings were changed meanwhile")
	tab.Click("button", "Overwrite them")
	tab.WaitText("Every 2 hours from 127.0.0.1: adds and changes users, removes those that are gone, HSR for new users")
	tab.WaitText("Looks for new people every 15 minutes")
	tab.Click("button", "Pause")
	tab.WaitText("The schedule is paused")
	tab.Click("button", "Resume")
	tab.WaitText("Looks for new people every 15 minutes")
	saved := p.must(200, "GET", "/v1/settings", nil)
	if saved.number("schedule.intervalHours") != 2 || saved.number("schedule.quickMinutes") != 15 ||
		saved.number("options.removalLimit.percent") != 20 ||
		saved.at("connection.passwordSet") != true || saved.text("advanced.filter") != "(mail=*)" {
		t.Errorf("after the change in place %v is saved", saved)
	}
	tab.Click("button", "Change")
	tab.Select("Interval", "by hand only")
	tab.Click("button", "Save changes")
	tab.WaitText("By hand only from 127.0.0.1")
	if got := p.must(200, "GET", "/v1/settings", nil).at("schedule"); got != nil {
		t.Errorf("by hand only left the schedule %v", got)
	}

	tab.Click("button", "Change")
	tab.Click("button", "Change connection or search")
	if got := tab.Focused(); got != "LDAP Server" {
		t.Errorf("the change of the connection begins at %q", got)
	}
	tab.Click("button", "Cancel")
	tab.Fill("LDAP Server", "dc2.example.com")
	tab.WaitText("Not saved: differs from the saved job in LDAP Server. Preview it, then save it as the scheduled job.")
	tab.WaitText("Run Now runs the saved job from 127.0.0.1, not what is typed below.")
	checkAccessible(t, tab, "a form that differs from the saved job")
	// Whoever changes the job beside what was typed need not be told of it.
	tab.Click("button", "Change")
	tab.Select("Interval", "every 3 hours")
	tab.Click("button", "Save changes")
	tab.WaitText("Every 3 hours from 127.0.0.1")
	tab.WaitText("Not saved: differs from the saved job in LDAP Server.")
	if strings.Contains(tab.Text(), "Other settings were saved") {
		t.Error("a change of one's own is shown as somebody else's")
	}
	tab.Click("button", "Back to the saved settings")
	tab.WaitNoText("differs from the saved job")
	tab.WaitNoText("not what is typed below")
}

// TestPageFindsTheWayBack opens each place, prints one, and opens addresses that lack the "#", that are no place, and
// whose id is wrong.
func TestPageFindsTheWayBack(t *testing.T) {
	t.Parallel()
	p := account(t)
	tab := openPage(t, p, "/history")
	titled := func(want string) {
		t.Helper()
		tab.Until(`document.title === '` + want + ` · Rollcall'`)
	}
	for place, want := range map[string]string{"overview": "Overview", "import": "LDAP Import", "users": "Users List",
		"history": "History", "audit": "Audit Log", "nowhere": "Not found", "syncs/..%2F": "Not found"} {
		tab.Open(p.base + "/#/" + place)
		titled(want)
	}
	tab.Print(true)
	if shown := browser.Eval[bool](tab, `document.querySelector('nav').checkVisibility()`); shown {
		t.Error("the navigation is printed")
	}
	tab.Print(false)
	checkAccessible(t, tab, "a wrong address")
	tab.Open(p.base + "/#/nowhere")
	tab.Click("link", "Back to the Overview")
	titled("Overview")
	tab.ExpectProblem("status of 404")
	tab.Open(p.base + "/previews/01M852AHDTY7WJ1PH72RY9M16N")
	tab.WaitText("The preview cannot be shown")
	if got, want := tab.Address(), p.base+"/#/previews/01M852AHDTY7WJ1PH72RY9M16N"; got != want {
		t.Errorf("an address without # leads to %s, want %s", got, want)
	}
	tab.Click("button", "Take a new preview")
	titled("LDAP Import")
	tab.Open(p.base + "/syncs/01M852AHDTY7WJ1PH72RY9M16N")
	tab.WaitText("The sync cannot be shown")
	tab.Click("link", "Back to the History")
	titled("History")
	if status, _ := p.call(http.MethodGet, "/v1/previews/01M852AHDTY7WJ1PH72RY9M16N", nil); status != 404 {
		t.Errorf("the API answers %d for a wrong id", status)
	}
}
