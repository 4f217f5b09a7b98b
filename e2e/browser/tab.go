package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
)

// waitLimit is how long something may take to appear on a page.
const waitLimit = 30 * time.Second

// Tab is one page of a test, in a browser context of its own: it shares no storage with others.
type Tab struct {
	t   testing.TB
	ctx context.Context
	// Downloads is the folder that files go to.
	Downloads string

	mu       sync.Mutex
	problems []string
	expected []string
}

// Tab opens an empty page for a test and closes it at the test's end, when it fails the test for every error, warning
// or violation of the page's policy that it saw and that ExpectProblem did not name.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	tab := &Tab{t: t, ctx: ctx, Downloads: t.TempDir()}
	t.Cleanup(func() {
		if t.Failed() {
			tab.leaveTraces()
		}
		cancel()
		for _, p := range tab.TakeProblems() {
			t.Errorf("the console says: %s", p)
		}
	})
	tab.open()
	return tab
}

// Second opens another tab that shares the storage that tabs share, as a second tab of a person does.
func (tab *Tab) Second() *Tab {
	tab.t.Helper()
	ctx, cancel := chromedp.NewContext(tab.ctx)
	second := &Tab{t: tab.t, ctx: ctx, Downloads: tab.Downloads}
	tab.t.Cleanup(func() {
		cancel()
		for _, p := range second.TakeProblems() {
			tab.t.Errorf("the second tab's console says: %s", p)
		}
	})
	second.open()
	return second
}

func (tab *Tab) open() {
	tab.t.Helper()
	if err := chromedp.Listen(tab.ctx, tab.listen); err != nil {
		tab.t.Fatal(err)
	}
	call(tab, log.Enable, cdp.Empty{})
	call(tab, runtime.Enable, cdp.Empty{})
	tab.do(chromedp.EmulateViewport(1280, 900))
	_, err := chromedp.CallBrowser(tab.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: tab.Downloads,
		BrowserContextID: chromedp.FromContext(tab.ctx).BrowserContextID,
	})
	if err != nil {
		tab.t.Fatal(err)
	}
}

// listen notes what the browser's console would show.
func (tab *Tab) listen(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.note(fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		tab.note("exception: " + e.ExceptionDetails.Text + " " + description(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning ||
			e.Type == runtime.ConsoleAPICalledTypeAssert {
			var text []string
			for _, arg := range e.Args {
				text = append(text, description(arg))
			}
			tab.note("console." + string(e.Type) + ": " + strings.Join(text, " "))
		}
	}
}

func (tab *Tab) note(problem string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if slices.ContainsFunc(tab.expected, func(part string) bool { return strings.Contains(problem, part) }) {
		return
	}
	tab.problems = append(tab.problems, problem)
}

// TakeProblems returns what the console showed so far, and forgets it.
func (tab *Tab) TakeProblems() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	taken := tab.problems
	tab.problems = nil
	return taken
}

// ExpectProblem names a part of what the console may show: a browser notes every answer of 400 and more there.
func (tab *Tab) ExpectProblem(part string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.expected = append(tab.expected, part)
}

// WaitProblem waits until the console shows a problem with a text in it, and expects it from then on; others that it
// showed stay.
func (tab *Tab) WaitProblem(what, part string) {
	tab.t.Helper()
	has := func(problem string) bool { return strings.Contains(problem, part) }
	for deadline := time.Now().Add(waitLimit); ; time.Sleep(20 * time.Millisecond) {
		tab.mu.Lock()
		found := slices.ContainsFunc(tab.problems, has)
		if found {
			tab.problems = slices.DeleteFunc(tab.problems, has)
			tab.expected = append(tab.expected, part)
		}
		tab.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(deadline) {
			tab.t.Fatalf("%s: the console does not say %q", what, part)
		}
	}
}

func description(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	return string(o.Value) + o.Description
}

// do does actions within the time that anything may take.
func (tab *Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 2*waitLimit)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// call sends one command of the DevTools protocol.
func call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 2*waitLimit)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		tab.t.Fatal(err)
	}
	return result
}

// Header adds a header to every request of the tab.
func (tab *Tab) Header(name, value string) {
	tab.t.Helper()
	call(tab, network.Enable, network.EnableParams{})
	call(tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{name: value}})
}

// emulateNetwork sets what the network is like: ms, and bytes a second. Newer versions of the protocol have it under
// another name, which not every Chromium knows.
var emulateNetwork = cdp.Command[networkConditions, cdp.Empty]{Method: "Network.emulateNetworkConditions"}

type networkConditions struct {
	Offline            bool    `json:"offline"`
	Latency            float64 `json:"latency"`
	DownloadThroughput float64 `json:"downloadThroughput"`
	UploadThroughput   float64 `json:"uploadThroughput"`
}

// Slow makes every request of the tab take a time, and all answers together come at a rate in bytes a second.
func (tab *Tab) Slow(latency time.Duration, rate int) {
	tab.t.Helper()
	call(tab, network.Enable, network.EnableParams{})
	call(tab, emulateNetwork, networkConditions{Latency: float64(latency.Milliseconds()),
		DownloadThroughput: float64(rate), UploadThroughput: float64(rate)})
}

// TrustAll accepts every certificate.
func (tab *Tab) TrustAll() {
	tab.t.Helper()
	call(tab, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
}

// Print has the page look as it does on paper, or on the screen again.
func (tab *Tab) Print(on bool) {
	tab.t.Helper()
	media := map[bool]string{true: "print"}[on]
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
}

// Open loads an address.
func (tab *Tab) Open(address string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(address))
}

// Reload loads the page again, as F5 does.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do(chromedp.Reload())
}

// Address returns the page's address.
func (tab *Tab) Address() string {
	tab.t.Helper()
	return Eval[string](tab, `location.href`)
}

// Size sets the window's size in CSS pixels.
func (tab *Tab) Size(width, height int64) {
	tab.t.Helper()
	tab.do(chromedp.EmulateViewport(width, height))
}

// Dark sets whether the person prefers dark colours. Motion is reduced either way, so that pictures are alike.
func (tab *Tab) Dark(dark bool) {
	tab.t.Helper()
	value := map[bool]string{true: "dark", false: "light"}[dark]
	call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// Eval evaluates JavaScript, which may be a promise.
func Eval[T any](tab *Tab, script string) T {
	tab.t.Helper()
	value, err := evaluate[T](tab, script)
	if err != nil {
		tab.t.Fatal(err)
	}
	return value
}

func evaluate[T any](tab *Tab, script string) (T, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, 2*waitLimit)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Screenshot writes the whole page as PNG, at most 4000 pixels of its height.
func (tab *Tab) Screenshot(path string) {
	tab.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tab.t.Fatal(err)
	}
	size := call(tab, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
	beyond := true
	answer := call(tab, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size.Width, Height: min(size.Height, 4000),
			Scale: 1},
	})
	if err := os.WriteFile(path, answer.Data, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// leaveTraces logs what the page shows, for who reads why a test failed.
func (tab *Tab) leaveTraces() {
	ctx, cancel := context.WithTimeout(tab.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	if err == nil {
		tab.t.Logf("the page showed %.6000s", text)
	}
}
