package browser

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// finder gives the page window.__find, which returns the visible elements with a role and a name. It reads the names
// that the browser's accessibility tree would have: aria-label, the label, or the text.
const finder = `(() => {
  const roles = {
    button: 'button,[role=button]', link: 'a[href]', tab: '[role=tab]',
    checkbox: 'input[type=checkbox]:not([role])', switch: '[role=switch]',
    textbox: 'input:not([type=checkbox]),textarea', combobox: 'select',
    heading: 'h1,h2,h3', summary: 'summary', dialog: 'dialog[open]',
  };
  const text = (e) => e.innerText.replace(/\s+/g, ' ').trim();
  const name = (e) => e.getAttribute('aria-label') ?? text(e.labels?.length ? e.labels[0] : e);
  const visible = (e) => e.checkVisibility({ visibilityProperty: true }) &&
    (!document.querySelector('dialog[open]') || e.closest('dialog[open]'));
  const named = (e, role, wanted) => name(e) === wanted || role === 'tab' && name(e).startsWith(wanted);
  const found = (role, wanted) => [...document.querySelectorAll(roles[role])]
    .filter((e) => visible(e) && named(e, role, wanted));
  return found(%s, %s);
})()`

func find(role, name string) string {
	return fmt.Sprintf(finder, strconv.Quote(role), strconv.Quote(name))
}

// leaving is what Chromium says of a script that it ran while the page went to another address, as a sign-in does.
const leaving = "Inspected target navigated or closed"

// until waits until a script is true, and fails with what was waited for.
func (tab *Tab) until(script, what string) {
	tab.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for {
		is, err := evaluate[bool](tab, script)
		if err != nil && !strings.Contains(err.Error(), leaving) {
			tab.t.Fatal(err)
		}
		if is {
			return
		}
		if time.Now().After(deadline) {
			tab.t.Fatalf("waited %s for %s", waitLimit, what)
		}
		time.Sleep(40 * time.Millisecond)
	}
}

// WaitFor waits until there is an enabled element with a role and a name.
func (tab *Tab) WaitFor(role, name string) {
	tab.t.Helper()
	tab.until(find(role, name)+`.some((e) => !e.disabled)`, role+" "+strconv.Quote(name))
}

// Has reports whether there is an element with a role and a name now.
func (tab *Tab) Has(role, name string) bool {
	tab.t.Helper()
	return Eval[int](tab, find(role, name)+`.length`) > 0
}

// WaitText waits until the page shows a text. Space counts as one space each.
func (tab *Tab) WaitText(text string) {
	tab.t.Helper()
	tab.until(`(document.body?.innerText ?? '').replace(/\s+/g, ' ').includes(`+strconv.Quote(text)+`)`,
		"the text "+strconv.Quote(text))
}

// WaitNoText waits until the page does not show a text.
func (tab *Tab) WaitNoText(text string) {
	tab.t.Helper()
	tab.until(`!(document.body?.innerText ?? '').replace(/\s+/g, ' ').includes(`+strconv.Quote(text)+`)`,
		"the text to go: "+strconv.Quote(text))
}

// Until waits until a script is true.
func (tab *Tab) Until(script string) {
	tab.t.Helper()
	tab.until(script, script)
}

// Text returns what the page shows, with space counted as one space each.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return strings.Join(strings.Fields(Eval[string](tab, `document.body?.innerText ?? ''`)), " ")
}

// Click clicks with the mouse on the element with a role and a name.
func (tab *Tab) Click(role, name string) {
	tab.t.Helper()
	tab.WaitFor(role, name)
	tab.clickOn(find(role, name)+`.find((e) => !e.disabled)`, role+" "+name)
}

// ClickThrough presses the mouse on the element with a role and a name and releases it once a script is true: what a
// person does takes a tenth of a second, in which a page may draw itself again.
func (tab *Tab) ClickThrough(role, name, script string) {
	tab.t.Helper()
	tab.WaitFor(role, name)
	at := tab.spot(find(role, name)+`.find((e) => !e.disabled)`, role+" "+name)
	tab.do(chromedp.MouseEvent(chromedp.MousePressed, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	tab.Until(script)
	tab.do(chromedp.MouseEvent(chromedp.MouseReleased, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// place is where something is in the window, and whether a click there would meet it.
type place struct {
	X, Y float64
	Hit  bool
}

// clickOn clicks on the middle of what a script returns.
func (tab *Tab) clickOn(script, what string) {
	tab.t.Helper()
	at := tab.spot(script, what)
	tab.do(chromedp.MouseClickXY(at.X, at.Y))
}

// spot scrolls to what a script returns, and says where a click meets it.
func (tab *Tab) spot(script, what string) place {
	tab.t.Helper()
	// Rows of a table that is drawn again may go between finding and clicking: then it is found again.
	for range 20 {
		at := Eval[place](tab, `(async () => {
		  const e = `+script+`;
		  if (!e) return { X: 0, Y: 0, Hit: false };
		  e.scrollIntoView({ block: 'center', behavior: 'instant' });
		  // The mouse meets what was drawn last: a scroll must have been drawn first.
		  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
		  const r = e.getBoundingClientRect();
		  const X = r.x + r.width / 2, Y = r.y + r.height / 2;
		  const top = document.elementFromPoint(X, Y);
		  return { X, Y, Hit: e.contains(top) || Boolean(top?.contains(e)) };
		})()`)
		if at.Hit {
			return at
		}
		time.Sleep(50 * time.Millisecond)
	}
	tab.t.Fatalf("%s cannot be clicked: something lies over it, or it is gone", what)
	return place{}
}

// Fill puts the focus into the text field with a name, and types a text in place of what is there.
func (tab *Tab) Fill(name, text string) {
	tab.t.Helper()
	tab.WaitFor("textbox", name)
	Eval[bool](tab, `(() => { const e = `+find("textbox", name)+`[0]; e.focus(); e.select(); return true; })()`)
	if text == "" {
		tab.do(chromedp.KeyEvent(kb.Delete))
		return
	}
	call(tab, input.InsertText, input.InsertTextParams{Text: text})
}

// Value returns what is in the text field or list with a name.
func (tab *Tab) Value(role, name string) string {
	tab.t.Helper()
	tab.WaitFor(role, name)
	return Eval[string](tab, find(role, name)+`[0].value`)
}

// Check makes a checkbox or switch be on or off, by clicking it where it is not.
func (tab *Tab) Check(role, name string, on bool) {
	tab.t.Helper()
	tab.WaitFor(role, name)
	if tab.Checked(role, name) != on {
		tab.Click(role, name)
	}
}

// Checked reports whether a checkbox or switch is on.
func (tab *Tab) Checked(role, name string) bool {
	tab.t.Helper()
	tab.WaitFor(role, name)
	return Eval[bool](tab, find(role, name)+`[0].checked`)
}

// Select chooses the option with a text in the list with a name, as the keyboard does.
func (tab *Tab) Select(name, option string) {
	tab.t.Helper()
	tab.WaitFor("combobox", name)
	Eval[bool](tab, `(() => {
	  const e = `+find("combobox", name)+`[0];
	  const option = [...e.options].find((o) => o.text === `+strconv.Quote(option)+`);
	  if (!option) throw new Error('no such option');
	  e.focus();
	  e.value = option.value;
	  e.dispatchEvent(new Event('input', { bubbles: true }));
	  e.dispatchEvent(new Event('change', { bubbles: true }));
	  return true;
	})()`)
}

// Press presses a key, such as kb.Tab or "a", as often as it is named.
func (tab *Tab) Press(keys ...string) {
	tab.t.Helper()
	for _, key := range keys {
		tab.do(chromedp.KeyEvent(key))
	}
}

// PressWithControl presses a key while Control is held.
func (tab *Tab) PressWithControl(key string) {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// Hover moves the mouse onto what a script returns.
func (tab *Tab) Hover(script string) {
	tab.t.Helper()
	at := tab.spot(script, script)
	tab.do(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y))
}

// Tap touches what a script returns with a finger.
func (tab *Tab) Tap(script string) {
	tab.t.Helper()
	at := tab.spot(script, script)
	call(tab, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	for _, touch := range []input.DispatchTouchEventParams{
		{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: at.X, Y: at.Y}}},
		{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
	} {
		call(tab, input.DispatchTouchEvent, touch)
	}
	call(tab, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{})
}

// FieldError returns what a field's own error says, empty where it has none.
func (tab *Tab) FieldError(role, name string) string {
	tab.t.Helper()
	return Eval[string](tab, `(() => {
	  const e = `+find(role, name)+`[0];
	  return (e.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id))
	    .filter((d) => d?.classList.contains('field-error') && !d.hidden).map((d) => d.innerText).join(' ');
	})()`)
}

// Focused returns the name of the element that has the focus: its label, or its text.
func (tab *Tab) Focused() string {
	tab.t.Helper()
	return Eval[string](tab, `(() => {
	  const e = document.activeElement;
	  const own = e.labels?.length ? e.labels[0].innerText : e.innerText ?? '';
	  return e.getAttribute('aria-label') ?? own.replace(/\s+/g, ' ').trim();
	})()`)
}

// Type types a text where the focus is.
func (tab *Tab) Type(text string) {
	tab.t.Helper()
	call(tab, input.InsertText, input.InsertTextParams{Text: text})
}
