package e2e

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// chromium is started by the first test that wants it, and serves all of them.
var chromium struct {
	once sync.Once
	*browser.Browser
	err error
}

func closeChromium() {
	if chromium.Browser != nil {
		chromium.Close()
	}
}

// openPage opens the page of a program in a tab of its own, at a place such as "/users".
func openPage(t *testing.T, p *program, place string) *browser.Tab {
	t.Helper()
	// The page is the same everywhere, and what it talks to is tested on each platform.
	onLocalOnly(t)
	chromium.once.Do(func() { chromium.Browser, chromium.err = browser.Start() })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	tab := chromium.Tab(t)
	if p.account != "" {
		tab.Header("X-Rollcall-Account", p.account)
	}
	tab.Open(p.base + "/#" + place)
	tab.Until(`document.querySelector('main h1') !== null`)
	return tab
}

// waitRows waits until a table of addresses has loaded its rows: with them it grows, and what lies below it moves.
func waitRows(tab *browser.Tab, status string) {
	tab.Until(`document.querySelector('.table-status')?.innerText === ` + strconv.Quote(status))
}

// waitFocus waits until the control with a label has the focus.
func waitFocus(tab *browser.Tab, label string) {
	tab.Until(`document.activeElement?.labels?.[0]?.innerText === ` + strconv.Quote(label))
}

// waitDialog waits until a dialog is open.
func waitDialog(tab *browser.Tab) {
	tab.Until(`document.querySelector('dialog[open]') !== null`)
}

// waitNoDialog waits until every dialog is closed, and the focus is back where it was.
func waitNoDialog(tab *browser.Tab) {
	tab.Until(`document.querySelector('dialog') === null`)
}

// isDisabled reports whether the button with a text is disabled.
func isDisabled(tab *browser.Tab, name string) bool {
	return browser.Eval[bool](tab, `[...document.querySelectorAll('button')]
	  .find((b) => b.innerText === `+strconv.Quote(name)+`).disabled`)
}

// historyRows are the lines of the History.
func historyRows(tab *browser.Tab) []string {
	return browser.Eval[[]string](tab,
		`[...document.querySelectorAll('.history [role=row]')].slice(1).map((r) => r.innerText.replace(/\s+/g, ' '))`)
}

// fillConnection types a server's connection into the form.
func fillConnection(tab *browser.Tab, s *ldapserver.Server) {
	tab.Fill("LDAP Server", s.Host)
	tab.Fill("Username", s.Username)
	tab.Fill("Password", s.Password)
	tab.Fill("TCP Port", strconv.Itoa(s.Port))
	tab.Check("checkbox", "Apply Advanced Settings", true)
	if tab.Has("button", "Show Advanced Settings") {
		tab.Click("button", "Show Advanced Settings")
	}
	tab.Fill("CA Certificate", s.CACertificate)
}

// demoServer reads a demo directory's connection.
func demoServer(t *testing.T, p *program, serverType string) *ldapserver.Server {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.data, "demo", serverType+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Connection struct {
			Host, Username, Password, CACertificate string
			Port                                    int
		}
	}
	if err := json.Unmarshal(data, &body); err != nil {
		t.Fatal(err)
	}
	c := body.Connection
	return &ldapserver.Server{Host: c.Host, Port: c.Port, Username: c.Username, Password: c.Password,
		CACertificate: c.CACertificate}
}

//go:embed testdata/axe-core/axe.min.js
var axe string

// everyRule is what axe checks: WCAG 2.2 AA and its best practices.
const everyRule = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`

// rulesOfLooks are axe's rules whose outcome depends on widths and colours.
const rulesOfLooks = `{ type: 'rule',
  values: ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size'] }`

// faults lists everything that axe finds wrong by some rules.
func faults(tab *browser.Tab, rules string) []string {
	if !browser.Eval[bool](tab, `typeof axe === 'object'`) {
		browser.Eval[bool](tab, axe+"; true")
	}
	return browser.Eval[[]string](tab, `axe
	  .run(document, { resultTypes: ['violations'], runOnly: `+rules+` })
	  .then((r) => r.violations.flatMap((v) => v.nodes.map((n) =>
	    v.id + ': ' + n.target.join(' ') + ': ' + n.failureSummary.replace(/\s+/g, ' '))))`)
}

// checkAccessible fails for everything that axe finds.
func checkAccessible(t *testing.T, tab *browser.Tab, what string) {
	t.Helper()
	checkRules(t, tab, what, everyRule)
}

func checkRules(t *testing.T, tab *browser.Tab, what, rules string) {
	t.Helper()
	for _, f := range faults(tab, rules) {
		t.Errorf("axe, %s: %s", what, f)
	}
}

// checkFits fails where the page is wider than its window, or cuts a text off.
func checkFits(t *testing.T, tab *browser.Tab, what string) {
	t.Helper()
	wide := browser.Eval[[]string](tab, `(() => {
	  const width = document.documentElement.clientWidth;
	  if (document.documentElement.scrollWidth <= width) return [];
	  return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1)
	    .slice(0, 5).map((e) => e.tagName + '.' + e.className);
	})()`)
	if len(wide) > 0 {
		t.Errorf("%s is wider than its window: %s", what, strings.Join(wide, ", "))
	}
	// The cells of a grid show what is cut off; elsewhere nothing does.
	if cut := browser.Eval[[]string](tab, `[...document.querySelectorAll('main :not([role=grid] *, .thead *, select)')]
	  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).textOverflow === 'ellipsis')
	  .map((e) => e.innerText)`); len(cut) > 0 {
		t.Errorf("%s cuts off %q", what, cut)
	}
}

// pictures is the folder that screenshots go to.
const pictures = "out"

// look is a window that a view is checked and photographed in.
type look struct {
	name          string
	width, height int64
	dark          bool
}

// looks are the windows that a state of a view is looked at in.
var looks = []look{
	{"360-light", 360, 780, false}, {"360-dark", 360, 780, true}, {"1440-light", 1440, 900, false},
	{"1440-dark", 1440, 900, true},
}

// checkLooks looks at what a tab shows in each of looks.
func checkLooks(t *testing.T, tab *browser.Tab, name string) {
	t.Helper()
	checkIn(t, tab, name, looks)
}

// checkIn looks at what a tab shows in some windows: axe, width, and a picture.
func checkIn(t *testing.T, tab *browser.Tab, name string, windows []look) {
	t.Helper()
	for i, look := range windows {
		tab.Size(look.width, look.height)
		tab.Dark(look.dark)
		checkFits(t, tab, name+" at "+look.name)
		// All rules take long: at the narrowest in light and at a desk in dark, where a table has all of its columns.
		rules := rulesOfLooks
		if i == 0 || look.dark && look.width >= 1440 {
			rules = everyRule
		}
		checkRules(t, tab, name+" at "+look.name, rules)
		tab.Until(`document.querySelector('.toast') === null`)
		if forDocuments() != "" {
			// A bar that stays in view at the bottom of the window would lie over the middle of a longer page. A higher
			// window makes room for more rows, and the page longer.
			for range 2 {
				whole := browser.Eval[int64](tab, `document.documentElement.scrollHeight`)
				tab.Size(look.width, max(look.height, whole))
			}
		}
		tab.Screenshot(filepath.Join(pictures, name+"-"+look.name+".png"))
	}
	tab.Size(1280, 900)
	tab.Dark(false)
}
