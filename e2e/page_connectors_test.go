package e2e

import (
	"strings"
	"testing"

	"rollcall/e2e/browser"
	"rollcall/shared/connector"
)

// addConnector adds a connector on the page, and returns the code that it shows.
func addConnector(tab *browser.Tab, name string) string {
	tab.Fill("Name", name)
	tab.Click("button", "Add a connector")
	tab.WaitFor("button", "Copy the command for the enrolment")
	command := browser.Eval[string](tab, `document.querySelector('.enrolment code').innerText`)
	_, code, _ := strings.Cut(command, " -code ")
	return code
}

// checkConnectors adds a connector on the page, enrols an instance, chooses it for a preview, which waits for it, and
// revokes it.
func checkConnectors(t *testing.T, p *program, tab *browser.Tab) {
	t.Helper()
	target := connector.Target{Host: "dc1.example.com", Port: 389, Username: "reader@example.com"}
	tab.Click("link", "Connectors")
	tab.WaitText("No connector yet")
	tab.Click("button", "Add a connector")
	tab.WaitText("Enter 1 to 100 bytes, such as HQ.")
	checkAccessible(t, tab, "Connectors with an error")
	code := addConnector(tab, "HQ")
	tab.WaitText("Waiting for its first instance")
	hq := enrol(p, code, "srv-hq-1", target)
	hq.poll()
	tab.WaitText("srv-hq-1 has enrolled")
	tab.WaitText("Online")
	tab.WaitText("reader@example.com at dc1.example.com port 389")

	tab.Click("link", "LDAP Import")
	tab.WaitFor("combobox", "Read the directory")
	tab.Select("Read the directory", "Through HQ")
	tab.Fill("LDAP Server", target.Host)
	tab.Fill("Username", "another@example.com")
	tab.WaitText("It has none for this server, port and username.")
	tab.WaitText("-username another@example.com < password.txt")
	if tab.Has("textbox", "Password") || tab.Has("checkbox", "Use SSL") {
		t.Error("the page asks for what the connector has")
	}
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.WaitText("certificates are the connector’s own")
	checkLooks(t, tab, "settings-connector")
	tab.Click("button", "Why is an address not there?")
	tab.Fill("Address or DN", "ann@example.com")
	tab.Click("button", "Explain")
	tab.WaitText("Waiting for the connector HQ since")
	tab.Click("button", "Close")
	hq.poll()
	tab.Fill("Username", target.Username)
	tab.WaitText("It stays with HQ, and is never entered here. srv-hq-1 has one for this server, port and username.")
	hq.poll()
	tab.Reload()
	tab.WaitText("srv-hq-1 has one for this server") // the draft has the choice
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Waiting for the connector HQ since")
	tab.WaitText("port 389, through HQ, started")
	checkAccessible(t, tab, "a preview that waits for a connector")
	tab.Click("button", "Cancel")
	tab.WaitFor("button", "Preview Users to Sync")

	through := func(id string) object {
		return object{"connection": object{"serverType": "exchange", "host": target.Host, "username": target.Username,
			"connectorId": id}}
	}
	lab := p.must(201, "POST", "/v1/connectors", object{"name": "Lab"}).text("id")
	waiting := p.must(202, "POST", "/v1/previews", through(lab)).text("id")
	tab.Open(p.base + "/#/previews/" + waiting)
	tab.WaitText("Waiting for the connector Lab since")
	tab.WaitText("No instance of it has enrolled yet.")
	p.must(204, "DELETE", "/v1/connectors/"+lab, nil)
	tab.WaitText("The connector of these settings was revoked.")
	tab.WaitFor("button", "Go to Read the directory")

	id := p.must(200, "GET", "/v1/connectors", nil).objects("items")[0].text("id")
	p.must(200, "PUT", "/v1/settings", through(id))
	sync := p.must(202, "POST", "/v1/syncs", object{}).text("id")
	// What the settings say later is nothing of this sync's.
	direct := object{"connection": object{"serverType": "exchange", "host": "dc2.example.com"}}
	p.must(200, "PUT", "/v1/settings", direct)
	tab.Open(p.base + "/#/syncs/" + sync)
	tab.Reload() // nothing is known yet but the sync
	tab.WaitText("Waiting for the connector HQ since")
	tab.Click("button", "Stop")
	tab.WaitText("The sync was stopped")
	tab.WaitText("LDAP Server dc1.example.com through HQ")
	p.must(200, "PUT", "/v1/settings", through(id))
	tab.Click("link", "Overview")
	tab.WaitText("By hand only from dc1.example.com through HQ")
	tab.Click("link", "Connectors")
	tab.Click("button", "Revoke")
	tab.WaitText("The saved sync of dc1.example.com reads through it")
	tab.Click("button", "Revoke HQ")
	tab.WaitText("No connector yet")
	tab.Click("link", "Overview")
	tab.WaitText("through a connector that was revoked")
	tab.Click("link", "History")
	tab.Until(`[...document.querySelectorAll('.history .sub')]
	  .some((e) => e.innerText === 'dc1.example.com through a connector that was revoked')`)
	tab.Click("link", browser.Eval[string](tab, `document.querySelector('.history a').innerText`))
	tab.WaitText("LDAP Server dc1.example.com through a connector that was revoked")
	tab.Click("link", "Audit Log")
	tab.WaitText("Revoked a connector")
	tab.WaitText("What: an instance enrolled")
}
