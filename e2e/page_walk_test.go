package e2e

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/browser"
	"rollcall/e2e/servers/ldapserver"
)

// serverNames are the server types as the page calls them.
var serverNames = map[string]string{"exchange": "Microsoft Exchange Server", "communigate": "CommuniGate Pro",
	"groupwise": "Novell GroupWise"}

// downloaded waits for the one CSV in a tab's folder and reads it.
func downloaded(t *testing.T, tab *browser.Tab) [][]string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(tab.Downloads, "*.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 1 {
			data, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff"))).ReadAll()
			if err != nil {
				t.Fatalf("read the CSV: %v", err)
			}
			return records[1:]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no CSV was downloaded: %v", files)
		}
	}
}

// walk does the seven steps of the reference product on a page whose connection is filled in: preview, results, export,
// CSV, sync. It returns the preview as the API has it.
func walk(t *testing.T, p *program, tab *browser.Tab) object {
	t.Helper()
	tab.Click("button", "Preview Users to Sync")
	tab.WaitText("Results Preview")
	preview := p.must(200, "GET", "/v1/previews/"+lastPart(tab.Address()), nil)
	addresses, skipped := preview.number("summary.addresses"), preview.number("summary.skipped")
	tab.WaitText("Will be added " + number(addresses))
	waitRows(tab, number(addresses)+" addresses")

	tab.Click("button", "Export User Preview to .csv")
	tab.Until(`/\brollcall-\S+-preview-\d{4}-\d\d-\d\dT\d{6}Z\.csv, ` + number(addresses+skipped) +
		` rows/.test(document.body.innerText)`)
	lines := downloaded(t, tab)
	rows := p.list("/v1/previews/"+preview.text("id")+"/addresses", nil)
	if len(lines) != addresses+skipped || len(rows) != len(lines) {
		t.Fatalf("the CSV has %d lines and the preview %d rows, want %d", len(lines), len(rows), addresses+skipped)
	}
	for i, row := range rows {
		if want := []string{row.text("kind"), row.text("primaryAddress"), row.text("type"),
			row.text("change")}; strings.Join(lines[i][1:5], ",") != strings.Join(want, ",") {
			t.Fatalf("line %d of the CSV is %q, want %q", i, lines[i], want)
		}
	}

	tab.Check("checkbox", "Send HSRs to newly imported Users", true)
	tab.Click("button", "Sync Now")
	tab.WaitText("The sync is done")
	tab.WaitText(number(addresses) + " changes written")
	users := p.list("/v1/users", nil)
	daily := 0
	for _, u := range users {
		if u.text("heldSpamReport") == "daily" {
			daily++
		}
	}
	if len(users) != addresses || daily != preview.number("summary.primary") {
		t.Errorf("%d users, %d with reports; want %d and %d", len(users), daily, addresses,
			preview.number("summary.primary"))
	}
	return preview
}

// number is a number as the page shows it, below a million.
func number(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

func lastPart(address string) string { return address[strings.LastIndex(address, "/")+1:] }

// TestPageWalksTheDemoDirectories does the whole job with each demo directory, and reads what it found.
func TestPageWalksTheDemoDirectories(t *testing.T) {
	t.Parallel()
	p := startProgram(t, t.TempDir())
	for serverType, name := range serverNames {
		t.Run(serverType, func(t *testing.T) {
			own := *p
			own.t, own.account = t, serverType
			tab := openPage(t, &own, "/import")
			tab.Select("Server Type", name)
			tab.Check("checkbox", "Use SSL", true)
			if port := tab.Value("textbox", "TCP Port"); port != "636" {
				t.Errorf("the port with SSL is %s, want 636", port)
			}
			// The demo's server takes TLS from the first byte on its one port.
			s := demoServer(t, p, serverType)
			fillConnection(tab, s)
			tab.Check("checkbox", "Use SSL", false)
			tab.Check("checkbox", "Use SSL", true)
			if port := tab.Value("textbox", "TCP Port"); port != strconv.Itoa(s.Port) {
				t.Errorf("the port follows Use SSL to %s although %d was typed", port, s.Port)
			}
			preview := walk(t, &own, tab)
			if preview.at("settings.connection.useSSL") != true {
				t.Errorf("the connection was %v, want SSL", preview.at("settings.connection"))
			}
		})
	}
}

// TestPageWalksSamba does the whole job with a real Active Directory, with Use SSL, and everything else that only the
// browser can show of a preview: an alias under its primary, the search, a row's details.
func TestPageWalksSamba(t *testing.T) {
	t.Parallel()
	s, p := sambaDomain(t), account(t)
	tab := openPage(t, p, "/import")
	tab.Fill("LDAP Server", s.Host)
	tab.Fill("Username", s.Username)
	tab.Fill("Password", s.Password)
	if port := tab.Value("textbox", "TCP Port"); port != "389" {
		t.Errorf("the port is %s, want 389", port)
	}
	tab.Check("checkbox", "Use SSL", true)
	if port := tab.Value("textbox", "TCP Port"); port != "636" {
		t.Errorf("the port with SSL is %s, want 636", port)
	}
	tab.Check("checkbox", "Apply Advanced Settings", true)
	tab.Fill("CA Certificate", s.CACertificate)
	preview := walk(t, p, tab)
	if preview.at("settings.connection.useSSL") != true || preview.number("settings.connection.port") != s.SSLPort {
		t.Errorf("the connection was %v, want SSL on port %d", preview.at("settings.connection"), s.SSLPort)
	}
	if n := preview.number("summary.addresses"); n != ldapserver.CompanyAddresses {
		t.Errorf("%d addresses, want %d", n, ldapserver.CompanyAddresses)
	}

	tab.Open(p.base + "/#/previews/" + preview.text("id"))
	tab.WaitText("Results Preview")
	waitRows(tab, number(ldapserver.CompanyAddresses)+" addresses")
	tab.Fill("Search these addresses", "info")
	tab.WaitText("2 addresses match")
	rows := browser.Eval[[]string](tab, `[...document.querySelectorAll('.sizer .row')]
	  .map((r) => r.innerText.split('\n').slice(0, 3).join(' '))`)
	if len(rows) != 2 ||
		rows[0] != "info@example.com Primary Shared mailbox" ||
		rows[1] != "information@example.com Alias Shared mailbox" {
		t.Errorf("the rows are %q, want the alias under its primary", rows)
	}
	tab.Click("button", "information@example.com")
	tab.Until(`document.querySelector('dialog .code')?.innerText === 'CN=Information,` + ldapserver.CompanyBase + `'`)
	tab.Click("button", "Close")
	tab.Click("tab", "Skipped")
	tab.WaitText("Nothing was skipped")
}

// TestPagePresetsFindWhatTheySay previews each filter preset against the demo directories.
func TestPagePresetsFindWhatTheySay(t *testing.T) {
	t.Parallel()
	p := startProgram(t, t.TempDir())
	tab := openPage(t, p, "/import")
	tab.Check("checkbox", "Apply Advanced Settings", true)
	domains := map[string]string{"exchange": "example.net", "communigate": "example.org", "groupwise": "example.com"}
	finds := map[string]string{
		"exchange Users only": "user", "exchange Groups only": "group", "exchange Contacts only": "contact",
		"exchange Public folders only":                          "publicFolder",
		"exchange Users and shared mailboxes":                   "shared user",
		"exchange Users, shared mailboxes, rooms and equipment": "resource shared user",
		"communigate Users only, with their aliases":            "user", "communigate Groups only": "group",
		"groupwise Users only": "user", "groupwise Distribution lists only": "group",
		"groupwise Resources only": "resource", "groupwise External entities only": "contact",
	}
	tried := 0
	for serverType, name := range serverNames {
		own := *p
		own.account = serverType
		tab.Select("Server Type", name)
		presets := browser.Eval[[]string](tab, `[...[...document.querySelectorAll('label')]
		  .find((l) => l.innerText === 'Filter preset').control.options].map((o) => o.text)`)
		for _, preset := range presets {
			if preset == "Own filter string" {
				continue
			}
			tab.Select("Filter preset", preset)
			if preset == "One domain" {
				tab.Fill("Domain", domains[serverType])
			}
			filter := tab.Value("textbox", "Filter String")
			body := object{"connection": demoConnection(t, p, serverType), "advanced": object{"filter": filter}}
			preview := own.preview(body)
			wantDone(t, preview)
			var types []string
			byType, _ := preview.at("summary.byType").(map[string]any)
			for _, typ := range []string{"contact", "group", "publicFolder", "resource", "shared", "unknown", "user"} {
				if n, _ := byType[typ].(float64); n > 0 {
					types = append(types, typ)
				}
			}
			if want, ok := finds[serverType+" "+preset]; preview.number("summary.addresses") == 0 || ok &&
				strings.Join(types, " ") != want {
				t.Errorf("%s, %q (%s) finds %v, want %s", serverType, preset, filter, byType, want)
			} else if ok {
				tried++
			}
			if preset == "One domain" {
				in := own.list("/v1/previews/"+preview.text("id")+"/addresses",
					url.Values{"q": {"@" + domains[serverType]}, "change": {"create"}})
				if len(in) == 0 {
					t.Errorf("%s, %s: nothing of %s", serverType, preset, domains[serverType])
				}
			}
		}
	}
	if tried != len(finds) {
		t.Errorf("%d presets found their types, want all %d", tried, len(finds))
	}
}

// demoConnection is a demo directory's connection as the API takes it.
func demoConnection(t *testing.T, p *program, serverType string) object {
	s := demoServer(t, p, serverType)
	return object{"serverType": serverType, "host": s.Host, "port": s.Port, "username": s.Username,
		"password": s.Password, "caCertificate": s.CACertificate}
}
