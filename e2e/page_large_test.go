package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"rollcall/e2e/browser"
)

// stutter is the longest that the page's one thread may work before it answers: what people take for at once.
const stutter = 150 * time.Millisecond

// smooth does something up to five times, until its longest task is short enough: other programs on the machine slow
// the page's down now and then, and what the page itself does wrong comes back each time.
func smooth(t *testing.T, tab *browser.Tab, what string, try func()) {
	t.Helper()
	var all []time.Duration
	for range 5 {
		longest := tab.LongestTask(try).Round(time.Millisecond)
		if all = append(all, longest); longest <= stutter {
			t.Logf("%s: the longest task took %s", what, all)
			return
		}
	}
	t.Errorf("%s: the longest tasks took %s, want one of at most %s", what, all, stutter)
}

// scrollThrough scrolls from the first row to the last in 120 frames.
const scrollThrough = `new Promise((resolve) => {
  const s = document.querySelector('.scroller');
  let frames = 0;
  const step = () => {
    s.scrollTop = (s.scrollHeight - s.clientHeight) * frames / 120;
    if (frames++ < 120) requestAnimationFrame(step); else resolve(frames);
  };
  requestAnimationFrame(step);
})`

// checkLargePreview reads, scrolls and searches a preview of a hundred thousand people, and measures how the page bears
// it.
func checkLargePreview(t *testing.T, p *program, id string, addresses int) {
	t.Helper()
	tab := openPage(t, p, "/history")
	began := time.Now()
	browser.Eval[string](tab, fmt.Sprintf(`location.hash = '/previews/%s'`, id))
	tab.WaitText("user000001@example.com")
	first := time.Since(began)
	// The table answers while the rest arrives.
	tab.Until(`(() => {
	  const s = document.querySelector('.scroller');
	  s.scrollTop = 5000;
	  return s.scrollTop > 1000;
	})()`)
	all := number(addresses) + " addresses"
	waitRows(tab, all)
	tab.WaitText("Results Preview: " + number(addresses) + " addresses to add, 0 not in the directory")
	t.Logf("first rows after %s, all %d after %s", first.Round(time.Millisecond), addresses,
		time.Since(began).Round(time.Millisecond))

	smooth(t, tab, "scrolling through", func() { browser.Eval[float64](tab, scrollThrough) })
	if n := browser.Eval[int](tab, `document.querySelectorAll('.sizer .row').length`); n > 80 {
		t.Errorf("%d rows are elements, want only those in sight and some around them", n)
	}
	tab.WaitText("user100000@example.net")
	rows := browser.Eval[[]string](tab, `[...document.querySelectorAll('.sizer .row')].slice(-3)
	  .map((r) => r.innerText.split('\n').slice(0, 2).join(' '))`)
	want := "user100000@example.com Primary, u100000@example.com Alias, user100000@example.net Alias"
	if strings.Join(rows, ", ") != want {
		t.Errorf("the last rows are %q, want %q", strings.Join(rows, ", "), want)
	}
	got := browser.Eval[string](tab, `document.querySelector('.virtual').getAttribute('aria-rowcount')`)
	if got != fmt.Sprint(addresses+1) {
		t.Errorf("a screen reader hears of %s rows, want %d and the header", got, addresses)
	}

	smooth(t, tab, "searching", func() {
		tab.Fill("Search these addresses", "user09999")
		tab.WaitText("22 addresses match")
		tab.Fill("Search these addresses", "")
		waitRows(tab, all)
	})
	smooth(t, tab, "reading all of it again", func() {
		tab.Click("tab", "Skipped")
		tab.WaitText("Nothing was skipped")
		tab.Click("tab", "Will be added")
		waitRows(tab, all)
	})
	smooth(t, tab, "sorting", func() {
		tab.Click("button", "Distinguished name")
		tab.Until(`document.querySelector('[aria-rowindex="3"] .kind')?.innerText === 'Alias'`)
		tab.Click("button", "Address")
		waitRows(tab, all)
	})
	smooth(t, tab, "filtering", func() {
		tab.Select("Domain", "example.net (20,000)")
		tab.WaitText("20,000 addresses match")
		tab.Select("Domain", "All domains")
		waitRows(tab, all)
	})
	browser.Eval[bool](tab, `document.querySelector('[role=grid] [tabindex="0"]').focus() ?? true`)
	tab.PressWithControl(kb.End)
	tab.WaitText("user100000@example.net")
	tab.PressWithControl(kb.Home)
	tab.WaitText("user000001@example.com")
	// A link with a search is answered by the server, long before the page could have all rows.
	tab.Open(fmt.Sprintf("%s/#/previews/%s?q=user09999", p.base, id))
	tab.Reload()
	waitRows(tab, "22 addresses match")
	tab.Screenshot(pictures + "/large-1280-light.png")
	// A text in the middle of addresses takes a look at all of them, which the page tells as it goes.
	tab.Click("link", "History")
	tab.WaitText("No sync has run yet")
	said := browser.Eval[[]string](tab, fmt.Sprintf(`new Promise((resolve) => {
	  const said = [];
	  new MutationObserver((_, observer) => {
	    const text = document.querySelector('.table-status')?.textContent ?? '';
	    if (text !== said.at(-1)) said.push(text);
	    if (text !== '22 addresses match') return;
	    observer.disconnect();
	    resolve(said);
	  }).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
	  location.hash = '/previews/%s?q=ser09999';
	})`, id))
	if !slices.ContainsFunc(said, func(text string) bool {
		return strings.Contains(text, "so far; looked at ") && strings.HasSuffix(text, " of "+number(addresses))
	}) {
		t.Errorf("a search said %q, want how far it has looked", said)
	}
	heap := browser.Eval[float64](tab, `performance.memory.usedJSHeapSize / 1048576`)
	t.Logf("the page's JavaScript takes %.0f MiB", heap)
}

// checkLargeSync watches a sync that the program took up again, through a reload.
func checkLargeSync(t *testing.T, p *program, path string) {
	t.Helper()
	// A page may take longer to open than the sync to end: it is told what the sync was like until it has shown it
	// twice.
	running := p.must(200, "GET", path, nil)
	if state := running.text("state"); state != "queued" && state != "running" {
		t.Fatalf("the sync that was cut off is %s", state)
	}
	var told atomic.Bool
	own := *p
	own.base = newProxy(t, p.base, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path || told.Load() {
			return false
		}
		answer(w, running)
		return true
	})
	tab := openPage(t, &own, strings.TrimPrefix(path, "/v1"))
	tab.WaitFor("button", "Stop")
	tab.Reload()
	tab.WaitFor("button", "Stop")
	told.Store(true)
	// What takes a while is waited for as runs are: the page then has it within its next look.
	p.wait(path)
	tab.WaitText("The sync is done")
	tab.WaitText("220,000 changes written")
	// An undo of this size can be stopped in the middle, and goes on from where it was.
	undo := func() (path string) {
		const row = `document.querySelector('.sizer .row') !== null`
		tab.Until(row)
		tab.Click("button", "Undo this sync")
		tab.Until(`location.hash.startsWith('#/previews/')`)
		p.wait("/v1/previews/" + lastPart(tab.Address()))
		tab.WaitText("Undo Preview")
		tab.Until(row)
		tab.Click("button", "Undo Now")
		tab.Until(`location.hash.startsWith('#/syncs/')`)
		return "/v1/syncs/" + lastPart(tab.Address())
	}
	path = undo()
	tab.WaitFor("button", "Stop")
	for run := p.must(200, "GET", path, nil); run.number("progress.toApply") == 0; run = p.must(200, "GET", path, nil) {
		if run.text("state") == "done" {
			t.Fatalf("the undo could not be caught at work: %v", run)
		}
		time.Sleep(5 * time.Millisecond)
	}
	// All of the undo takes less than a second.
	p.inTheMiddle(func() { tab.Click("button", "Stop") })
	tab.WaitText("The sync was stopped")
	if !tab.Has("button", "Undo this sync") {
		t.Error("what was written before the stop cannot be undone")
	}
	p.wait(undo())
	tab.WaitText("The sync was undone")
}
