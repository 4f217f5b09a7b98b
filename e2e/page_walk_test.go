package e2e

import (
	"testing"
)

func TestLooks(t *testing.T) {
	p := startProgram(t, t.TempDir())
	tab := openPage(t, p, "/import")
	tab.WaitFor("button", "Preview Users to Sync")
	checkLooks(t, tab, "settings")
	fillConnection(tab, demoServer(t, p, "exchange"))
	checkLooks(t, tab, "advanced")
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")
	tab.WaitText("452 addresses")
	checkLooks(t, tab, "preview")
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	tab.WaitText("Took")
}
