package browser

import (
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// WaitFrame waits until a script is true in the page's first frame, whatever its origin on the same host, and returns
// what the frame shows then. What the browser refused to show there shows nothing.
func (tab *Tab) WaitFrame(script string) string {
	tab.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for time.Now().Before(deadline) {
		if frame := tab.frame(); frame != nil {
			if text, ok := tab.inFrame(frame.ID, script); ok {
				return text
			}
		}
		time.Sleep(40 * time.Millisecond)
	}
	tab.t.Fatalf("waited %s for the frame: %s", waitLimit, script)
	return ""
}

// inFrame returns what a frame shows, if a script is true in it. A frame that goes to another page has no answer.
func (tab *Tab) inFrame(frame cdp.FrameID, script string) (text string, ok bool) {
	tab.t.Helper()
	world := call(tab, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: frame})
	byValue := true
	answer := call(tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression:    "(" + script + ") ? 'yes ' + (document.body?.innerText ?? '') : 'no'",
		ContextID:     world.ExecutionContextID,
		ReturnByValue: &byValue,
	})
	if answer.ExceptionDetails != nil || answer.Result == nil {
		return "", false
	}
	text, ok = strings.CutPrefix(strings.Trim(string(answer.Result.Value), `"`), "yes ")
	return strings.Join(strings.Fields(strings.ReplaceAll(text, `\n`, " ")), " "), ok
}

// FrameRefused reports whether the browser refused to show the page's first frame.
func (tab *Tab) FrameRefused() bool {
	tab.t.Helper()
	frame := tab.frame()
	return frame != nil && frame.UnreachableURL != ""
}

// frame is the page's first frame, nil where it has none.
func (tab *Tab) frame() *cdp.Frame {
	tab.t.Helper()
	frames := call(tab, page.GetFrameTree, cdp.Empty{}).FrameTree.ChildFrames
	if len(frames) == 0 {
		return nil
	}
	return frames[0].Frame
}
