package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"rollcall/e2e/browser"
)

// stutter is the longest that the page's one thread may be kept from answering, in ms. A tenth of a second is felt; this leaves
// room for a machine that runs other tests at the same time.
const stutter = 250

// checkLargePreview reads, scrolls and searches a preview of a hundred thousand people, and measures how the page bears it.
func checkLargePreview(t *testing.T, p *program, id string, addresses int) {
	t.Helper()
	tab := openPage(t, p, "/history")
	// Only entries from here on count: what the browser does while it starts is not the page's.
	browser.Eval[bool](tab, `(() => {
	  window.longest = 0;
	  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: 'longtask' });
	  return true;
	})()`)
	longest := func(what string) {
		t.Helper()
		ms := browser.Eval[float64](tab, `(() => { const l = window.longest; window.longest = 0; return l; })()`)
		t.Logf("%s: the longest task took %.0f ms", what, ms)
		if ms > stutter {
			t.Errorf("%s: a task took %.0f ms, want at most %d", what, ms, stutter)
		}
	}
	began := time.Now()
	browser.Eval[string](tab, fmt.Sprintf(`location.hash = '/previews/%s'`, id))
	tab.WaitText("user000001@example.com")
	first := time.Since(began)
	// The table answers while the rest arrives.
	tab.Until(`(() => { const s = document.querySelector('.scroller'); s.scrollTop = 5000; return s.scrollTop > 1000; })()`)
	all := fmt.Sprintf(`document.querySelector('.table-status')?.innerText === '%s addresses'`, number(addresses))
	tab.Until(all)
	t.Logf("first rows after %s, all %d after %s", first.Round(time.Millisecond), addresses, time.Since(began).Round(time.Millisecond))
	longest("loading")

	gap := browser.Eval[float64](tab, `new Promise((resolve) => {
	  const s = document.querySelector('.scroller');
	  let last = performance.now(), worst = 0, frames = 0;
	  const step = (now) => {
	    worst = Math.max(worst, now - last);
	    last = now;
	    s.scrollTop = (s.scrollHeight - s.clientHeight) * frames / 120;
	    if (frames++ < 120) requestAnimationFrame(step); else resolve(worst);
	  };
	  requestAnimationFrame(step);
	})`)
	t.Logf("scrolling through in 120 frames: the longest frame took %.0f ms", gap)
	longest("scrolling")
	if n := browser.Eval[int](tab, `document.querySelectorAll('.sizer .row').length`); n > 80 {
		t.Errorf("%d rows are elements, want only those in sight and some around them", n)
	}
	tab.WaitText("user100000@example.net")
	rows := browser.Eval[[]string](tab, `[...document.querySelectorAll('.sizer .row')].slice(-3).map((r) => r.innerText.split('\n').slice(0, 2).join(' '))`)
	if want := "user100000@example.com Primary, u100000@example.com Alias, user100000@example.net Alias"; strings.Join(rows, ", ") != want {
		t.Errorf("the last rows are %q, want %q", strings.Join(rows, ", "), want)
	}
	if got := browser.Eval[string](tab, `document.querySelector('.virtual').getAttribute('aria-rowcount')`); got != fmt.Sprint(addresses+1) {
		t.Errorf("the table tells a screen reader of %s rows, want %d and the header", got, addresses)
	}

	tab.Fill("Search these addresses", "user09999")
	tab.WaitText("22 addresses match")
	longest("searching")
	tab.Fill("Search these addresses", "")
	tab.Until(all)
	longest("the end of the search")
	browser.Eval[bool](tab, `document.querySelector('.scroller').focus() ?? true`)
	tab.Press(kb.End)
	tab.WaitText("user100000@example.net")
	tab.Press(kb.Home)
	tab.WaitText("user000001@example.com")
	longest("the keys Home and End")
	tab.Screenshot(pictures() + "/large-1280-light.png")
	heap := browser.Eval[float64](tab, `performance.memory.usedJSHeapSize / 1048576`)
	t.Logf("the page's JavaScript takes %.0f MiB", heap)
}

// checkLargeSync watches a sync that the program took up again, through a reload.
func checkLargeSync(t *testing.T, p *program, path string) {
	t.Helper()
	tab := openPage(t, p, strings.TrimPrefix(path, "/v1"))
	tab.WaitText("Stop")
	tab.Reload()
	tab.WaitText("The sync is done")
	tab.WaitText("220,000 changes written")
	// An undo of this size can be stopped in the middle, and goes on from where it was.
	tab.Click("button", "Undo this sync")
	tab.WaitText("Undo Preview")
	tab.Click("button", "Undo Now")
	tab.WaitText(" of 220,000")
	tab.Click("button", "Stop")
	tab.WaitText("The sync was stopped")
	if !tab.Has("button", "Undo this sync") {
		t.Error("what was written before the stop cannot be undone")
	}
	tab.Click("button", "Undo this sync")
	tab.WaitText("Undo Preview")
	tab.Click("button", "Undo Now")
	tab.WaitText("The sync was undone")
}
