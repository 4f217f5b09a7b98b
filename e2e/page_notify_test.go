package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/e2e/browser"
)

// checkNotifications chooses on the page who is told, sends a test, and sees the receiver end the subscription and
// begin again.
func checkNotifications(t *testing.T, p *program, tab *browser.Tab) {
	t.Helper()
	if *platform == onFunctions {
		return // A deployment posts to no server on this machine.
	}
	var gone atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer receiver.Close()
	tab.Click("link", "Notifications")
	tab.WaitText("No mails are sent here")
	tab.Fill("Mail addresses", "ann@example.com\nnobody")
	tab.Fill("Webhook URL", receiver.URL)
	tab.Click("button", "Save")
	tab.WaitText("Entry 2 is no mail address")
	tab.WaitText("Is required for a new URL")
	checkAccessible(t, tab, "Notifications with errors")
	tab.Fill("Mail addresses", "")
	tab.Click("button", "Generate")
	tab.WaitFor("button", "Copy")
	tab.Check("checkbox", "The Users List changed", true)
	tab.Click("button", "Save")
	tab.WaitText("Leave it empty to keep the stored one")
	saved := p.must(200, "GET", "/v1/notifications", nil)
	if saved.text("webhook.url") != receiver.URL || saved.at("webhook.secretSet") != true ||
		len(saved.at("events").([]any)) != 5 {
		t.Errorf("saved: %v", saved)
	}
	tab.Click("button", "Send test")
	tab.WaitText("The receiver answered 200 OK.")
	gone.Store(true)
	tab.Click("button", "Send test")
	tab.WaitText("The receiver answered 410 Gone.")
	tab.WaitText("The webhook has ended")
	tab.Until(`document.querySelector(".toast") === null`)
	checkLooks(t, tab, "notifications")
	tab.Click("button", "Save")
	tab.WaitNoText("The webhook has ended")
	if again := p.must(200, "GET", "/v1/notifications", nil); again.at("webhook.endedAt") != nil {
		t.Errorf("begun again: %v", again)
	}
	if strings.Contains(tab.Text(), "whsec_") {
		t.Error("the page shows the stored secret")
	}
}
