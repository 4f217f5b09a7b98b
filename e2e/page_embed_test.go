package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/browser"
)

// portalPage is what a portal that follows docs/portal.md sends: the page in a frame, and its token when it is asked.
const portalPage = `<!doctype html><title>Portal</title>
<iframe title="Rollcall" width="1000" height="700" src="%[1]s/#/users"></iframe>
<script>
  const frame = document.querySelector('iframe'), asked = [];
  const answer = { type: 'rollcall.portal', token: 'access-1', expiresIn: 3600,
    theme: { 'color-scheme': 'dark', '--accent': '#00aa77', '--ground': 'url(https://evil.example.com/)' } };
  addEventListener('message', ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== '%[1]s') return;
    asked.push(data.type);
    frame.contentWindow.postMessage(answer, origin);
  });
</script>`

// serves a page at an address of its own.
func otherOrigin(t *testing.T, page func() string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPageInAFrame shows the page in a frame of a portal at another origin, which hands over its token and its colours,
// and in one of an origin that is not listed.
func TestPageInAFrame(t *testing.T) {
	t.Parallel()
	p, i := account(t), newIssuer(t)
	p.must(201, "POST", "/v1/users", object{"address": "anna@example.com"})
	var base string
	listed := otherOrigin(t, func() string { return fmt.Sprintf(portalPage, base) })
	stranger := otherOrigin(t, func() string { return fmt.Sprintf(portalPage, base) })
	base = deployed(t, p, i, listed)
	i.mu.Lock()
	i.access = append(i.access, "access-1")
	i.mu.Unlock()
	own := *p
	own.base, own.account = base, ""
	tab := openPage(t, &own, "/users") // by itself it has people sign in
	tab.WaitText("Sign in to Rollcall")

	tab.Open(listed)
	text := tab.WaitFrame(`document.body.innerText.includes('anna@example.com')`)
	for _, word := range []string{"Audit Log", "Sign out", "Help"} {
		if strings.Contains(text, word) {
			t.Errorf("in the frame the header shows %q: %s", word, text)
		}
	}
	tab.WaitFrame(`getComputedStyle(document.documentElement).getPropertyValue('--accent') === '#00aa77'`)
	tab.WaitFrame(`getComputedStyle(document.documentElement).colorScheme === 'dark'`)
	tab.WaitFrame(`!getComputedStyle(document.documentElement).getPropertyValue('--ground').includes('evil')`)
	tab.WaitFrame(`JSON.stringify({ ...localStorage, ...sessionStorage }) === '{}'`)

	// A token that counts no more is asked for again, and what another window of the portal's sends is not taken.
	tab.ExpectProblem("status of 401")
	i.mu.Lock()
	i.access = []string{"access-2"}
	i.mu.Unlock()
	browser.Eval[bool](tab, `(() => {
	  answer.token = 'access-2';
	  const other = document.body.appendChild(document.createElement('iframe'));
	  other.contentWindow.eval("parent.frames[0].postMessage({ type: 'rollcall.portal', token: 'stolen', theme: " +
	    "{ '--line': 'red' } }, '*')");
	  frame.src = frame.src.replace(/#.*/, '#/history');
	  return true;
	})()`)
	tab.WaitFrame(`document.body.innerText.includes('No sync has run yet')`)
	tab.WaitFrame(`getComputedStyle(document.documentElement).getPropertyValue('--line') !== 'red'`)
	if got := browser.Eval[[]string](tab, `asked`); !slices.Equal(got, []string{"rollcall.ready",
		"rollcall.token-wanted"}) {
		t.Errorf("the page asked the portal for %q", got)
	}
	if got := i.granted(); len(got) != 0 {
		t.Errorf("in the frame the page went to the issuer: %q", got)
	}

	tab.ExpectProblem("frame-ancestors")
	tab.Open(stranger)
	for deadline := time.Now().Add(30 * time.Second); !tab.FrameRefused(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a portal that is not listed shows the page")
		}
	}
	if got := browser.Eval[[]string](tab, `asked`); len(got) != 0 {
		t.Errorf("a portal that is not listed was asked for %q", got)
	}
}
