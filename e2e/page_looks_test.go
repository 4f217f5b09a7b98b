package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/smtpserver"
	"rollcall/shared/connector"
)

// forDocuments is the folder that make screenshots has the pictures of inDocuments copied to; else it is empty.
func forDocuments() string { return os.Getenv("ROLLCALL_SCREENSHOTS") }

// inDocuments are the pictures that README and the guide show.
var inDocuments = []string{"overview-1440-light.png", "settings-1440-light.png", "advanced-1440-light.png",
	"preview-1440-light.png", "preview-360-light.png", "preview-360-dark.png", "sync-1440-light.png",
	"sync-1440-dark.png", "users-1440-light.png", "history-1440-light.png", "audit-1440-light.png",
	"connectors-1440-light.png", "notifications-1440-light.png"}

// matrix are the windows that every view is looked at in: the narrowest of WCAG 2.2 (1.4.10), phones, tablets, 1280
// pixels at 200 % zoom, and desks.
var matrix = []look{
	{"320-light", 320, 640, false}, {"360-light", 360, 780, false}, {"360-dark", 360, 780, true},
	{"zoomed-dark", 640, 450, true}, {"768-light", 768, 1024, false}, {"1024-dark", 1024, 768, true},
	{"1440-light", 1440, 900, false}, {"1440-dark", 1440, 900, true}, {"1920-light", 1920, 1080, false},
}

// TestPageLooks goes through the views with a demo directory, as a stranger who tries it would, and looks at each in
// every window.
func TestPageLooks(t *testing.T) {
	p := startProgram(t, t.TempDir(), "-smtp", smtpserver.Start(t).Addr, "-mail-from", "rollcall@example.com")
	p.must(200, "PUT", "/v1/notifications", object{"email": []string{"ann@example.com", "helpdesk@example.com"},
		"events": []string{"failed", "blocked", "recovered", "missed"}})
	p.must(202, "POST", "/v1/notifications/test", nil)
	first := p.preview(object{"connection": demoConnection(t, p, "exchange"),
		"advanced": object{"include": []string{"user"}, "exclude": []string{"*@example.net"}}})
	wantDone(t, first)
	wantDone(t, p.sync(object{"previewId": first.text("id")}))
	for _, address := range []string{"fax@example.com", "old.office@example.com", "trainee@example.com"} {
		p.must(201, "POST", "/v1/users", object{"address": address})
	}
	tab := openPage(t, p, "/import")
	look := func(name string) {
		t.Helper()
		tab.Hover(`document.querySelector('h1')`) // nothing is to look chosen by the mouse
		checkIn(t, tab, name, matrix)
	}
	tab.Click("button", "Fill in the demo directory")
	tab.Until(`document.querySelector('#announcer').innerText.startsWith('The demo')`)
	look("settings")
	tab.Click("button", "Show Advanced Settings")
	look("advanced")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitFor("button", "Export User Preview to .csv")
	rowsLoaded := `/^\d+ addresses$/.test(document.querySelector('.table-status')?.innerText)`
	tab.Until(rowsLoaded)
	tab.Click("button", "Save as a scheduled job")
	tab.WaitText("Saved: imports every 6 hours")
	tab.Check("checkbox", "Send HSRs to newly imported Users", true)
	tab.Check("checkbox", "Remove Accounts", true)
	tab.WaitText("3 accounts would be removed")
	look("preview")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	tab.Until(rowsLoaded)
	look("sync")
	tab.Click("link", "Connectors")
	tab.WaitText("No connector yet")
	enrol(p, addConnector(tab, "HQ"), "srv-hq-1",
		connector.Target{Host: "dc1.example.com", Port: 389, Username: "reader@example.com"}).poll()
	tab.WaitText("srv-hq-1 has enrolled")
	tab.Click("button", "Add another instance")
	tab.WaitText("The code works once")
	look("connectors")
	for _, place := range []struct{ link, shows, name string }{
		{"Overview", "on the Users List", "overview"},
		{"Users List", p.list("/v1/users", nil)[0].text("address"), "users"},
		{"History", "2 syncs", "history"}, {"Notifications", "The mail server took the mail.", "notifications"},
		{"Audit Log", "settings", "audit"},
	} {
		tab.Click("link", place.link)
		tab.WaitText(place.shows)
		look(place.name)
	}
	help := browser.Eval[string](tab, `document.querySelector('#help').href`)
	if !strings.HasSuffix(help, "/guide/guide.html#audit-log") {
		t.Errorf("Help of the Audit Log leads to %s", help)
	}
	tab.Open(help)
	tab.WaitText("Who changed settings or users by hand")
	look("guide")
	if folder := forDocuments(); folder != "" {
		for _, name := range inDocuments {
			data, err := os.ReadFile(filepath.Join(pictures, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPageIsolatesNames shows a name that runs from right to left before a number, which it would draw to its other
// side.
func TestPageIsolatesNames(t *testing.T) {
	t.Parallel()
	tab := openPage(t, account(t), "/import")
	tab.WaitFor("button", "Preview Users to Sync")
	wrong := browser.Eval[[]string](tab, `(async () => {
	  const { failure, toast } = await import('/js/notice.js');
	  const { confirm } = await import('/js/dialog.js');
	  const { h, list } = await import('/js/dom.js');
	  const text = 'Ann and “דנה כהן”: 12 addresses';
	  toast(text);
	  confirm({ title: text, text, yes: text });
	  const plain = document.createElement('p');
	  plain.append(text);
	  document.querySelector('main').append(failure(new Error(text)), list([[text, text]]),
	    h('div', { class: 'cell' }, text), h('ul', {}, h('li', { id: 'hint', title: text }, text)), plain);
	  const place = (root, part) => {
	    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	    while (walker.nextNode()) {
	      const at = walker.currentNode.data.indexOf(part);
	      if (at < 0) continue;
	      const range = new Range();
	      range.setStart(walker.currentNode, at);
	      range.setEnd(walker.currentNode, at + part.length);
	      return range.getBoundingClientRect();
	    }
	    throw new Error('no ' + part);
	  };
	  const isBefore = (root) => place(root, 'כהן').right <= place(root, '12').left + 1;
	  const wrong = ['.toast', 'dialog h2', 'dialog p', 'dialog .primary', '.notice.error p:not([class])', 'dt', 'dd',
	    '.cell', '#hint'].filter((where) => {
	    const element = [...document.querySelectorAll(where)].find((e) => e.innerText === text);
	    return !element || !isBefore(element);
	  });
	  if (isBefore(plain)) wrong.push('a text that is not isolated is in order as well');
	  const title = document.querySelector('#hint').title;
	  const option = h('option', {}, text).textContent;
	  if (option !== title) wrong.push('an option is ' + option);
	  const said = document.querySelector('#announcer').textContent;
	  if (said !== title) wrong.push('a screen reader hears ' + said);
	  const typed = document.querySelectorAll('form :is(input:not([type]), [type=text], [type=password], textarea)');
	  for (const e of typed) if (e.dir !== 'auto') wrong.push(e.outerHTML);
	  if (typed.length < 10) wrong.push(typed.length + ' fields');
	  if (title !== 'Ann and “\u2068דנה כהן\u2069”: 12 addresses') wrong.push(title);
	  return wrong;
	})()`)
	if len(wrong) > 0 {
		t.Errorf("the number does not follow the name in %q", wrong)
	}
}

// TestTheChecksOfThePageCanFail plants a fault of each kind: a check that finds nothing must be one that would have
// found it.
func TestTheChecksOfThePageCanFail(t *testing.T) {
	t.Parallel()
	tab := openPage(t, account(t), "/import")
	tab.WaitFor("button", "Preview Users to Sync")
	browser.Eval[bool](tab, `(() => {
	  const low = document.createElement('p');
	  low.append('hardly to be seen');
	  low.style.color = 'rgb(200 200 200)';
	  document.querySelector('main').append(low, document.createElement('input'));
	  return true;
	})()`)
	if found := strings.Join(faults(tab, everyRule), "\n"); !strings.Contains(found, "color-contrast") ||
		!strings.Contains(found, "label") {
		t.Errorf("axe finds %q, want the contrast and the missing label", found)
	}
	if found := strings.Join(faults(tab, rulesOfLooks), "\n"); !strings.Contains(found, "color-contrast") {
		t.Errorf("the rules of looks find %q, want the contrast", found)
	}
	if longest := tab.LongestTask(func() {
		browser.Eval[bool](tab, `(() => {
		  let sum = 0;
		  for (let i = 0; i < 2e9; i++) sum += i % 7;
		  return sum > 0;
		})()`)
	}); longest <= stutter {
		t.Errorf("two thousand million additions kept the page for %s only", longest)
	}
	// The last one says two things.
	tab.ExpectProblem("Fetch API cannot load http://127.0.0.1:1/")
	for what, plant := range map[string]struct{ script, says string }{
		"markup out of text": {`document.querySelector('main').innerHTML = '<b>x</b>'`, "'TrustedHTML'"},
		"an inline style": {`document.querySelector('main').setAttribute('style', 'color: red') ?? true`,
			"Applying inline style"},
		"an image elsewhere": {`(() => {
		  const i = new Image();
		  i.src = 'http://127.0.0.1:1/x.png';
		  document.body.append(i);
		  return true;
		})()`, "Loading the image"},
		"an error is logged": {`console.error('planted') ?? true`, "console.error: \"planted\""},
		"a rejected promise": {`(() => { Promise.reject(new Error('planted')); return true; })()`, "Error: planted"},
		"a failing request":  {`fetch('/v1/nothing').then(() => true)`, "status of 404"},
		"code out of a text": {`(() => {
		  const s = document.createElement('script');
		  try { s.text = 'window.planted = 1'; } catch { return true; }
		  document.body.append(s);
		  return true;
		})()`, "'TrustedScript'"},
		"a request elsewhere": {`fetch('http://127.0.0.1:1/').catch(() => true)`,
			"Connecting to 'http://127.0.0.1:1/'"},
	} {
		browser.Eval[bool](tab, `(async () => {
		  try { await (`+plant.script+`); } catch { /* the console has it */ }
		  return true;
		})()`)
		tab.WaitProblem(what, plant.says)
	}
	if browser.Eval[bool](tab, `window.planted === 1`) {
		t.Error("code out of a text ran")
	}
}
