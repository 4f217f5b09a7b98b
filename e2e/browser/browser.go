// Package browser drives a headless Chromium for tests, the way a person does: it finds what is on a page by its role
// and name, clicks with the mouse and types with the keyboard. It exists so that the page's tests read as what somebody
// does with it.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// ErrMissing means that there is no Chromium. The tests fail on it: a test that skips proves nothing.
var ErrMissing = errors.New("chromium is missing; install it with e2e/install/debian.sh")

// startLimit is how long Chromium may take to start, on a machine that does much else.
const startLimit = time.Minute

// Browser is a running Chromium. Its tabs share nothing: each has cookies and storage of its own.
type Browser struct {
	ctx    context.Context
	cancel context.CancelFunc
	dir    string
}

// Start starts Chromium with a profile of its own. The caller closes it.
func Start() (*Browser, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(startLimit),
		// Chromium's sandbox does not start as root, which tests in a container are. It only opens pages of this
		// project.
		chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-GB"),
		// Pictures are as wide as their window on every machine.
		chromedp.Flag("hide-scrollbars", true),
		// Loopback only, whatever a page would load.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancelBrowser := chromedp.NewContext(allocator)
	b := &Browser{ctx: ctx, dir: dir, cancel: func() { cancelBrowser(); cancelAllocator() }}
	if err := chromedp.Do(ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return b, nil
}

// Close ends Chromium and removes its profile.
func (b *Browser) Close() {
	// Cancel waits for the browser to end; what it says then is of no use.
	_ = chromedp.Cancel(b.ctx)
	b.cancel()
	os.RemoveAll(b.dir)
}

// program returns Chromium's path.
func program() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrMissing
}
