package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// row is how a screen reader hears of the row that has the focus, and what the row says.
func row(tab *browser.Tab) string {
	return browser.Eval[string](tab, `(() => {
	  const row = document.activeElement.closest('[role=row]');
	  const grid = row?.closest('[role=grid]');
	  return row ? row.getAttribute('aria-rowindex') + ' of ' + grid.getAttribute('aria-rowcount') : 'no row';
	})()`)
}

// wantRow presses keys and looks which row and which cell have the focus then.
func wantRow(t *testing.T, tab *browser.Tab, want, cell string, keys ...string) {
	t.Helper()
	tab.Press(keys...)
	if got := row(tab); got != want {
		t.Errorf("after %q the focus is in row %s, want %s", keys, got, want)
	}
	if got := tab.Focused(); got != cell {
		t.Errorf("after %q the focus is on %q, want %q", keys, got, cell)
	}
}

// shownRows are the addresses that a table shows, of the rows that are elements.
func shownRows(tab *browser.Tab) []string {
	return browser.Eval[[]string](tab, `[...document.querySelectorAll('[role=grid] [role=row]')].slice(1)
	  .map((r) => r.querySelector('.address').innerText.split('\n')[0])`)
}

// TestPageTable goes through a preview's table with the keyboard, filters and sorts it, and comes back to what it
// showed.
func TestPageTable(t *testing.T) {
	t.Parallel()
	const people = 60
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people)})
	p := account(t)
	p.must(201, "POST", "/v1/users", object{"address": "gone@other.example", "type": "group"})
	p.must(200, "PUT", "/v1/settings", request(s, nil))
	preview := p.preview(object{})
	wantDone(t, preview)
	addresses := preview.number("summary.create")
	loaded := fmt.Sprintf("%d addresses", addresses)
	tab := openPage(t, p, "/previews/"+preview.text("id"))
	waitRows(tab, loaded)

	t.Run("keyboard", func(t *testing.T) { tableByKeyboard(t, tab, addresses) })
	t.Run("tip", func(t *testing.T) { tableTip(t, tab) })
	t.Run("sorting", func(t *testing.T) { tableSorting(t, tab, loaded) })
	t.Run("filters", func(t *testing.T) { tableFilters(t, p, tab, preview) })
	t.Run("in parts", func(t *testing.T) { tableInParts(t, tab) })
	wantDone(t, p.sync(object{"previewId": preview.text("id")}))
	tab.Open(p.base + "/#/history")
	tab.WaitText("1 sync")
	checkNothingIsCut(t, tab, ".history .row:not(.thead *) > :last-child")
}

// checkNothingIsCut fails where what a selector finds is not whole in its row and in the window, however wide that is.
func checkNothingIsCut(t *testing.T, tab *browser.Tab, selector string) {
	t.Helper()
	for width := int64(320); width <= 1280; width += 40 {
		tab.Size(width, 900)
		checkFits(t, tab, fmt.Sprintf("the page at %d px", width))
		if cut := browser.Eval[int](tab, `(() => {
		  const all = [...document.querySelectorAll('`+selector+`')];
		  if (all.length === 0) return -1;
		  return all.filter((e) => {
		    const at = e.getBoundingClientRect(), row = e.closest('.row').getBoundingClientRect();
		    return at.right > document.documentElement.clientWidth || at.width < 24 || at.right > row.right ||
		      at.bottom > row.bottom || e.scrollWidth > e.clientWidth + 1;
		  }).length;
		})()`); cut != 0 {
			t.Errorf("at %d px %d of %s are cut off", width, cut, selector)
		}
	}
}

func tableByKeyboard(t *testing.T, tab *browser.Tab, addresses int) {
	first, last := shownRows(tab)[0], fmt.Sprintf("%d of %d", addresses+1, addresses+1)
	browser.Eval[bool](tab, `document.querySelector('input[type=search]').focus() ?? true`)
	presses := 0
	for tab.Focused() != "Export User Preview to .csv" {
		if presses++; presses > 10 {
			t.Fatalf("after %d presses of Tab the focus is on %q, want the export", presses, tab.Focused())
		}
		tab.Press(kb.Tab)
	}
	browser.Eval[bool](tab, `document.querySelector('.list-table select:last-of-type').focus() ?? true`)
	tab.Press(kb.Tab)
	if got := tab.Focused(); got != "Skip the table" {
		t.Errorf("before the table the focus is on %q", got)
	}
	checkAccessible(t, tab, "the table's skip link")
	tab.Press(kb.Enter, kb.Tab)
	if got := tab.Focused(); got != "Export User Preview to .csv" {
		t.Errorf("after Skip the table, Tab goes to %q", got)
	}
	browser.Eval[bool](tab, `document.querySelector('.skip-table').focus() ?? true`)
	total := fmt.Sprint(addresses + 1)
	wantRow(t, tab, "2 of "+total, first, kb.Tab)
	wantRow(t, tab, "2 of "+total, "Primary", kb.ArrowRight)
	wantRow(t, tab, "4 of "+total, "Primary", kb.ArrowDown, kb.ArrowDown)
	wantRow(t, tab, "3 of "+total, "Alias", kb.ArrowUp)
	wantRow(t, tab, "3 of "+total, shownRows(tab)[1], kb.Home)
	tab.Press(kb.PageDown, kb.PageDown, kb.PageDown)
	if got := row(tab); got == "3 of "+total || got == "no row" {
		t.Errorf("Page Down goes to row %s", got)
	}
	tab.Press(kb.PageUp, kb.PageUp, kb.PageUp, kb.PageUp)
	if got := row(tab); got != "2 of "+total {
		t.Errorf("Page Up goes to row %s", got)
	}
	tab.PressWithControl(kb.End)
	if got := row(tab); got != last {
		t.Errorf("Control and End go to row %s, want %s", got, last)
	}
	// The row that has the focus lives on where it is scrolled out of sight.
	browser.Eval[bool](tab, `(() => { document.querySelector('.scroller').scrollTop = 0; return true; })()`)
	tab.Until(`document.querySelector('[aria-rowindex="2"]') !== null`)
	if got := row(tab); got != last {
		t.Errorf("scrolled away, the focus is in row %s, want %s", got, last)
	}
	tab.PressWithControl(kb.Home)
	wantRow(t, tab, "1 of "+total, "Address", kb.ArrowUp)
	wantRow(t, tab, "2 of "+total, first, kb.ArrowDown)
	tab.Press(kb.Enter)
	tab.WaitText("Object type User")
	tab.Press(kb.Escape)
	waitNoDialog(tab)
	wantRow(t, tab, "2 of "+total, "Primary", kb.ArrowRight)
	tab.Press(kb.Enter)
	waitDialog(tab)
	tab.Press(kb.Escape)
}

// tableTip reads a name that is cut off, with the keyboard and with the mouse.
func tableTip(t *testing.T, tab *browser.Tab) {
	const tip = `document.querySelector('[role=tooltip]')`
	tab.Size(800, 900)
	defer tab.Size(1280, 900)
	browser.Eval[bool](tab, `document.querySelector('.skip-table').focus() ?? true`)
	tab.Press(kb.Tab, kb.End)
	tab.Until(tip + `?.innerText.includes('dc=example') === true`)
	checkAccessible(t, tab, "a cell's whole text")
	tab.Screenshot(pictures + "/table-tip.png")
	tab.Press(kb.Escape)
	tab.Until(tip + ` === null`)
	if got := tab.Focused(); !strings.Contains(got, "dc=example") {
		t.Errorf("after Escape the focus is on %q", got)
	}
	tab.Hover(`document.querySelector('[aria-rowindex="4"] .dn')`)
	tab.Until(tip + `?.innerText.includes('dc=example') === true`)
	tab.Hover(tip)
	tab.Press(kb.ArrowLeft)
	tab.Until(tip + ` === null`)
	tab.Tap(`document.querySelector('[aria-rowindex="5"] .dn')`)
	tab.Until(tip + `?.innerText === document.querySelector('[aria-rowindex="5"] .dn').innerText`)
	tab.Press(kb.Escape)
	tab.Until(tip + ` === null`)
}

// tableInParts shows a list of which the page keeps a part, and the rest when it is asked for.
func tableInParts(t *testing.T, tab *browser.Tab) {
	browser.Eval[bool](tab, `(async () => {
	  const { ListTable } = await import('/js/list-table.js');
	  const all = ['ann', 'ben', 'cem', 'dan', 'eva']
	    .map((name) => ({ address: name + '@parts.example', kind: 'primary' }));
	  const table = new ListTable({
	    label: 'Parts', names: ['address', 'addresses'], unread: '', searchLabel: 'Search the parts', placeholder: '',
	    columns: [{ name: 'Address', class: 'address', key: (row) => row.address }], filters: [],
	    state: new URLSearchParams(), signal: new AbortController().signal, most: 2, unmatched: '', none: () => '',
	    textOf: (row) => row.address, render: (line) => ({ className: '', cells: [line.address] }), open: () => {},
	    read: async (query) => {
	      const from = Number(query.cursor ?? 0);
	      return { items: all.slice(from, from + 2), next: from + 2 < all.length ? String(from + 2) : undefined };
	    },
	  });
	  document.querySelector('main').replaceChildren(table.element);
	  await table.show({ query: {}, grouped: true, size: all.length });
	  return true;
	})()`)
	for _, step := range []struct {
		status string
		shown  string
	}{
		{"The first 2 of 5 addresses; the search, the filters and the CSV have all", "ann ben"},
		{"The first 4 of 5 addresses; the search, the filters and the CSV have all", "ann ben cem dan"},
		{"5 addresses", "ann ben cem dan eva"},
	} {
		waitRows(tab, step.status)
		if got := strings.ReplaceAll(strings.Join(shownRows(tab), " "), "@parts.example", ""); got != step.shown {
			t.Errorf("with %q the rows are %q, want %q", step.status, got, step.shown)
		}
		// There is another order only where all rows are here.
		if all := step.status == "5 addresses"; isDisabled(tab, "Address") == all {
			t.Errorf("with %q the button that sorts is disabled: %t", step.status, !all)
		}
		if step.status == "5 addresses" {
			break
		}
		tab.Click("button", "Load 2 more")
	}
	if tab.Has("button", "Load 2 more") {
		t.Error("there is nothing more to load, and a button for it")
	}
}

func tableSorting(t *testing.T, tab *browser.Tab, loaded string) {
	sorted := func(want string) {
		t.Helper()
		tab.Until(`document.querySelector('[role=columnheader][aria-sort=` + want + `]')?.innerText
		  .startsWith('Address') === true`)
	}
	up := shownRows(tab)[0]
	tab.Click("button", "Address")
	sorted("descending")
	if down := shownRows(tab)[0]; down <= up {
		t.Errorf("the other way round, the first row is %s, and it was %s", down, up)
	}
	tab.Reload()
	waitRows(tab, loaded)
	sorted("descending")
	tab.Click("button", "Address")
	sorted("ascending")
	tab.Click("button", "Address type")
	tab.Until(`document.querySelector('[aria-rowindex="2"] .kind').innerText === 'Alias'`)
	// A narrow window has no heads: there a list has the same orders.
	if tab.Has("combobox", "Sort by") {
		t.Error("the heads and the list of orders are both shown")
	}
	tab.Size(360, 780)
	defer tab.Size(1280, 900)
	if got := tab.Value("combobox", "Sort by"); got != "kind" {
		t.Errorf("the list shows the order %q, want that of the heads", got)
	}
	checkFits(t, tab, "a table with its list of orders")
	checkAccessible(t, tab, "a table with its list of orders")
	tab.Select("Sort by", "Sort by Address, descending")
	sorted("descending")
	if down := shownRows(tab)[0]; down <= up {
		t.Errorf("by the list the other way round, the first row is %s, and it was %s", down, up)
	}
	tab.Select("Sort by", "Sort by Address")
	sorted("ascending")
}

func tableFilters(t *testing.T, p *program, tab *browser.Tab, preview object) {
	id := preview.text("id")
	wanted := p.list("/v1/previews/"+id+"/addresses", url.Values{"change": {"create"}, "domain": {"example.net"}})
	if len(wanted) == 0 || len(wanted) == preview.number("summary.create") {
		t.Fatalf("%d rows are in example.net, want some", len(wanted))
	}
	matches := fmt.Sprintf("%d addresses match", len(wanted))
	tab.Select("Domain", fmt.Sprintf("example.net (%d)", len(wanted)))
	waitRows(tab, matches)
	checkAccessible(t, tab, "a filtered table")
	shared := tab.Address()
	tab.Click("button", "Export User Preview to .csv")
	for i, line := range downloaded(t, tab) {
		if line[0] != wanted[i].text("address") {
			t.Errorf("line %d of the CSV is %q, want %s", i, line, wanted[i].text("address"))
		}
	}
	tab.Fill("Search these addresses", "user000010")
	tab.WaitText("1 address matches")
	tab.Reload()
	tab.WaitText("1 address matches")
	if q := tab.Value("textbox", "Search these addresses"); q != "user000010" {
		t.Errorf("after a reload the search is %q", q)
	}
	tab.Click("link", "Users List")
	tab.WaitText("1 user")
	browser.Eval[bool](tab, `history.back() ?? true`)
	tab.WaitText("1 address matches")
	tab.Fill("Search these addresses", "nobody")
	tab.WaitText("Nothing matches the search")
	tab.Click("button", "Show everything")
	waitRows(tab, fmt.Sprintf("%d addresses", preview.number("summary.create")))
	tab.Click("tab", "Would be removed")
	waitRows(tab, "1 address")
	tab.Reload()
	tab.WaitText("gone@other.example")

	other := openPage(t, p, "/history")
	other.Open(shared)
	waitRows(other, matches)
}
