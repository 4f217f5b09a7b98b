package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo"
	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldif"
	"rollcall/shared/settings"
)

// request returns the body of a preview of a server, over STARTTLS.
func request(s *ldapserver.Server, change func(connection object)) object {
	connection := object{
		"serverType": "exchange", "host": s.Host, "port": s.Port, "username": s.Username, "password": s.Password,
		"caCertificate": s.CACertificate,
	}
	if change != nil {
		change(connection)
	}
	return object{"connection": connection}
}

// useSSL makes a request use the server's SSL port.
func useSSL(s *ldapserver.Server) func(object) {
	return func(c object) { c["useSSL"], c["port"] = true, s.SSLPort }
}

// wantDone fails unless a run is done, and shows why it is not.
func wantDone(t *testing.T, run object) {
	t.Helper()
	if run.text("state") != "done" {
		t.Fatalf("the run is %s: %v, guard %v", run.text("state"), run["error"], run["guard"])
	}
}

// TestOpenLDAPFromSettingsToUsers walks the whole job, once with STARTTLS and once with SSL.
func TestOpenLDAPFromSettingsToUsers(t *testing.T) {
	t.Parallel()
	const people = 120
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people)})
	addresses := ldapserver.PeopleAddresses(people)
	for name, change := range map[string]func(object){"STARTTLS": nil, "SSL": useSSL(s)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := account(t)
			body := request(s, change)
			body["schedule"] = object{"intervalHours": 6}
			saved := p.must(200, "PUT", "/v1/settings", body)
			if saved.at("connection.passwordSet") != true || saved.at("connection.password") != nil {
				t.Errorf("saved connection %v; want passwordSet and no password", saved["connection"])
			}
			preview := p.preview(object{})
			wantDone(t, preview)
			if got := preview.number("summary.create"); got != addresses {
				t.Errorf("the preview creates %d, want %d", got, addresses)
			}
			rows := p.list("/v1/previews/"+preview.text("id")+"/addresses", nil)
			lines := p.csv("/v1/previews/" + preview.text("id") + "/export")
			if len(rows) != addresses || len(lines) != addresses {
				t.Errorf("%d rows and %d lines of CSV, want %d", len(rows), len(lines), addresses)
			}
			for i := range min(len(rows), len(lines)) {
				row := rows[i]
				want := strings.Join([]string{row.text("address"), row.text("kind"), row.text("primaryAddress"),
					row.text("type"), row.text("change")}, ",")
				if got := strings.Join(lines[i][:5], ","); got != want {
					t.Fatalf("line %d of the CSV is %q, and row %d of the preview %q", i, got, i, want)
				}
			}
			first := p.sync(object{"previewId": preview.text("id"), "options": object{"sendHSR": true}})
			wantDone(t, first)
			changes := p.csv("/v1/syncs/" + first.text("id") + "/export")
			if first.number("applied.create") != addresses || len(changes) != addresses || changes[0][7] != "applied" {
				t.Errorf("the sync did %v, and its CSV has %d lines; want %d", first["applied"], len(changes),
					addresses)
			}
			users := p.list("/v1/users", nil)
			daily := 0
			for _, u := range users {
				if u.text("heldSpamReport") == "daily" {
					daily++
				}
			}
			if len(users) != addresses || daily != people {
				t.Errorf("%d users, %d with reports; want %d and %d", len(users), daily, addresses, people)
			}
			again := p.sync(object{})
			wantDone(t, again)
			if again.number("summary.unchanged") != addresses || again.number("progress.toApply") != 0 {
				t.Errorf("the second sync: %v; want everything unchanged", again["summary"])
			}
		})
	}
}

// TestConnectionFailuresSayWhatToDo breaks each step of the connection.
func TestConnectionFailuresSayWhatToDo(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	good := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(3)})
	misnamed := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{CertificateNames: []string{"dc1.example.com",
		"dc2.example.com"}})
	plain := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{WithoutTLS: true, Entries: ldapserver.People(3)})
	silentHost, silentPort := ldapserver.Silent(t)
	deadHost, deadPort := ldapserver.Unreachable(t)
	other, err := authority.Load(t.TempDir(), authority.Config{Name: "Another CA"})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		server           *ldapserver.Server
		change           func(object)
		code, step, says string
	}{
		// RFC 7686: no resolver asks the network for such a name, which may be slow to say no, or not there.
		"unknown name": {good, func(c object) { c["host"] = "no-such-host.onion" }, "host_not_found", "resolve",
			"no-such-host.onion"},
		"unreachable": {good, func(c object) { c["host"], c["port"] = deadHost, deadPort }, "connect_refused",
			"connect", "Check the port"},
		"silent": {good, func(c object) { c["host"], c["port"] = silentHost, silentPort }, "timeout",
			"tls", "firewall"},
		"silent with SSL": {good, func(c object) {
			c["host"], c["port"], c["useSSL"] = silentHost, silentPort,
				true
		}, "timeout", "tls", "firewall"},
		"wrong name": {misnamed, nil, "tls_name_mismatch", "tls", "dc1.example.com, dc2.example.com"},
		"wrong name, SSL": {misnamed, useSSL(misnamed), "tls_name_mismatch", "tls",
			"dc1.example.com, dc2.example.com"},
		"unknown CA": {good, func(c object) { c["caCertificate"] = other.PEM() }, "tls_unknown_authority",
			"tls", "paste the CA certificate"},
		"no CA at all": {good, func(c object) { delete(c, "caCertificate") }, "tls_unknown_authority", "tls",
			"issued by"},
		"no STARTTLS":         {plain, nil, "starttls_refused", "tls", "Use SSL"},
		"SSL to a plain port": {good, func(c object) { c["useSSL"] = true }, "", "tls", "SSL"},
		"wrong password": {good, func(c object) { c["password"] = "wrong" }, "invalid_credentials", "bind",
			"wrong username or password"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			preview := account(t).preview(request(test.server, test.change))
			if preview.text("state") != "failed" || test.code != "" && preview.text("error.code") != test.code ||
				preview.text("error.step") != test.step ||
				!strings.Contains(preview.text("error.message"), test.says) {
				t.Errorf("state %s, error %v; want code %s at step %s with %q", preview.text("state"), preview["error"],
					test.code, test.step, test.says)
			}
			steps := preview.objects("connection")
			last := steps[len(steps)-1]
			if last["step"] != test.step || last["ok"] != false {
				t.Errorf("the last step is %v, want %s with a cross", last, test.step)
			}
		})
	}
	t.Run("unencrypted where it is allowed", func(t *testing.T) {
		t.Parallel()
		preview := account(t).preview(request(plain, func(c object) { c["allowUnencrypted"] = true }))
		wantDone(t, preview)
		if !strings.Contains(fmt.Sprint(preview["notes"]), "not encrypted") {
			t.Errorf("notes %v do not say that the connection was not encrypted", preview["notes"])
		}
	})
}

// TestWrongSearchesRemoveNobody searches in the wrong place, with the wrong filter, and where nothing is.
func TestWrongSearchesRemoveNobody(t *testing.T) {
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20)})
	p := account(t)
	wantDone(t, p.sync(object{"previewId": p.preview(request(s, nil)).text("id")}))
	before := len(p.list("/v1/users", nil))
	body := func(advanced object) object {
		b := request(s, nil)
		b["advanced"] = advanced
		return b
	}
	missing := p.preview(body(object{"searchBase": "ou=nowhere,dc=example,dc=com"}))
	if missing.text("error.code") != "base_not_found" ||
		!strings.Contains(missing.text("error.message"), "dc=example,dc=com") {
		t.Errorf("a base that does not exist: %v", missing["error"])
	}
	status, problem := p.call("POST", "/v1/previews",
		body(object{"filter": "(&(mail=*)(cn=a)", "searchBase": "nonsense"}))
	if text := fmt.Sprint(problem["errors"]); status != 422 || !strings.Contains(text, "advanced.filter") ||
		!strings.Contains(text, "character") || !strings.Contains(text, "advanced.searchBase") {
		t.Errorf("a bad filter and base: %d %v; want both fields and the character", status, problem)
	}
	empty := p.preview(body(object{"filter": "(mail=nobody@example.com)"}))
	wantDone(t, empty)
	if empty.text("guard.reason") != "empty_read" || empty.at("guard.blocked") != true {
		t.Errorf("an empty read's guard is %v", empty["guard"])
	}
	sync := p.sync(object{"previewId": empty.text("id"), "options": object{"removeAccounts": true},
		"confirmRemovals": empty.number("guard.removals")})
	if sync.text("state") != "failed" || sync.text("error.code") != "empty_read" {
		t.Errorf("the sync of an empty read is %s: %v", sync.text("state"), sync["error"])
	}
	if after := len(p.list("/v1/users", nil)); after != before {
		t.Errorf("%d users, want the %d there were", after, before)
	}
}

// TestPageBoundaries reads directories around the page size of 1000, from a server that limits like Active Directory.
func TestPageBoundaries(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	const manner = "size.soft=1000 size.hard=1000 size.pr=10000 size.prtotal=unlimited"
	for _, people := range []int{999, 1000, 1001, 2000, 2500} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			t.Parallel()
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people),
				SizeLimit: manner})
			p := account(t)
			preview := p.preview(request(s, nil))
			wantDone(t, preview)
			if preview.number("summary.entries") != people ||
				preview.number("summary.addresses") != ldapserver.PeopleAddresses(people) {
				t.Errorf("summary %v, want %d entries and %d addresses", preview["summary"], people,
					ldapserver.PeopleAddresses(people))
			}
			if got := len(p.list("/v1/previews/"+preview.text("id")+"/addresses",
				url.Values{"kind": {"primary"}, "limit": {"999"}})); got != people {
				t.Errorf("the rows' pages hold %d primaries, want %d", got, people)
			}
		})
	}
	t.Run("a limit that paging does not lift", func(t *testing.T) {
		t.Parallel()
		s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(2500),
			SizeLimit: "size.soft=1000 size.hard=1000 size.prtotal=disabled"})
		preview := account(t).preview(request(s, nil))
		if preview.text("error.code") != "incomplete_read" ||
			!strings.Contains(preview.text("error.message"), "limit") {
			t.Errorf("state %s, error %v; want incomplete_read", preview.text("state"), preview["error"])
		}
	})
}

// TestPagesThatAServerRefuses reads from servers that give smaller pages only, or none.
func TestPagesThatAServerRefuses(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	for limit, note := range map[string]string{
		"size.pr=250":           "server refused pages of 1000 entries (result 11), so pages of 250 were read",
		"size.prtotal=disabled": "server refused paged results (result 11), so the directory was read in one piece",
	} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			const people = 600
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people),
				SizeLimit: "size.soft=unlimited size.hard=unlimited " + limit})
			preview := account(t).preview(request(s, nil))
			wantDone(t, preview)
			if preview.number("summary.entries") != people || !strings.Contains(fmt.Sprint(preview["notes"]), note) {
				t.Errorf("summary %v, notes %v; want %d entries and %q", preview["summary"], preview["notes"], people,
					note)
			}
		})
	}
}

// TestOtherServerTypesOnOpenLDAP reads the demo companies from a server that nobody here wrote.
func TestOtherServerTypesOnOpenLDAP(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	for serverType, base := range map[settings.ServerType]string{settings.CommuniGate: "o=Example",
		settings.GroupWise: "o=Example", settings.Exchange: "DC=example,DC=com"} {
		t.Run(string(serverType), func(t *testing.T) {
			t.Parallel()
			data, err := demo.LDIF(serverType)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := ldif.Read(strings.NewReader(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{BaseDN: base, Entries: ldapserver.EntriesOf(entries)})
			p := account(t)
			preview := p.preview(request(s, func(c object) { c["serverType"] = serverType }))
			wantDone(t, preview)
			if n := preview.number("summary.primary"); n < 200 {
				t.Errorf("%d primaries, want the 200 people and more: %v", n, preview["summary"])
			}
			if preview.number("summary.skipped") == 0 {
				t.Error("no value was skipped, and each company has bad ones")
			}
			wantDone(t, p.sync(object{"previewId": preview.text("id")}))
			if got := len(p.list("/v1/users", nil)); got != preview.number("summary.addresses") {
				t.Errorf("%d users, want %d", got, preview.number("summary.addresses"))
			}
		})
	}
}
