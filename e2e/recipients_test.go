package e2e

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
)

// hybrid serves the golden test's Exchange organisation, half of which has moved to Exchange Online.
func hybrid(t *testing.T) *ldapserver.Server {
	t.Helper()
	in, err := os.Open("../shared/extract/testdata/exchange-hybrid.ldif")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	entries, err := ldif.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	const base, objects = "DC=example,DC=com", "CN=Microsoft Exchange System Objects,"
	all := []ldif.Entry{{DN: base}}
	for _, above := range []string{objects, "CN=Monitoring Mailboxes," + objects, "CN=Users,", "OU=Staff,",
		"OU=Shared,", "OU=Rooms,", "OU=Teams,", "OU=Guests,", "OU=Groups,"} {
		all = append(all, ldif.Entry{DN: above + base})
	}
	for i := range all {
		all[i].Add("objectClass", "top")
	}
	for _, e := range entries {
		// OpenLDAP's user is an auxiliary class, and slapadd does not look.
		e.Add("objectClass", "inetOrgPerson")
		e.Add("structuralObjectClass", "inetOrgPerson")
		e.Add("cn", strings.TrimPrefix(strings.Split(e.DN, ",")[0], "CN="))
		e.Add("sn", "x")
		all = append(all, e)
	}
	return ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{BaseDN: base, Entries: ldapserver.EntriesOf(all)})
}

// TestRecipients imports a hybrid Exchange organisation, lets two of its people swap their addresses, and gives an
// alias to somebody new.
func TestRecipients(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := hybrid(t)
	p := account(t)
	first := p.preview(request(s, nil))
	wantDone(t, first)
	reasons := make(map[string]int)
	for _, row := range p.list("/v1/previews/"+first.text("id")+"/addresses", url.Values{"change": {"skipped"}}) {
		reasons[row.text("reason")]++
	}
	if reasons["system mailbox"] != 5 || reasons["private address in otherMailbox"] != 1 ||
		reasons["invalid address"] != 1 {
		t.Errorf("skipped %v, want 5 addresses of system mailboxes, a private one and a mailto: link", reasons)
	}
	types, _ := first.at("summary.byType").(map[string]any)
	for name, want := range map[string]float64{"user": 8, "shared": 3, "resource": 3, "group": 2} {
		if types[name] != want {
			t.Errorf("%v of type %s, want %v: %v", types[name], name, want, types)
		}
	}
	wantDone(t, p.sync(object{"previewId": first.text("id")}))
	p.must(200, "PATCH", "/v1/users/ann@example.com", object{"heldSpamReport": "daily"})

	proxies(t, s, "CN=Ann,OU=Staff", "SMTP:info@example.com", "smtp:ann@example.com")
	proxies(t, s, "CN=Info,OU=Shared", "SMTP:ann@example.com", "smtp:info@example.com")
	proxies(t, s, "CN=Guest,OU=Guests", "SMTP:ann@example.mail.onmicrosoft.com")
	options := object{"sendHSR": true, "removeAccounts": true}
	swapped := p.sync(object{"previewId": p.preview(request(s, nil)).text("id"), "options": options})
	wantDone(t, swapped)
	var got []string
	for _, u := range p.list("/v1/users", nil) {
		switch u.text("address") {
		case "ann@example.com", "info@example.com", "ann@example.mail.onmicrosoft.com":
			got = append(got, fmt.Sprint(u["address"], " ", u["kind"], " ", u["type"], " ", u["heldSpamReport"]))
		}
	}
	slices.Sort(got)
	want := []string{
		"ann@example.com primary shared off", "ann@example.mail.onmicrosoft.com primary user off",
		"info@example.com primary user daily",
	}
	if !slices.Equal(got, want) {
		t.Errorf("users %q, want %q", got, want)
	}
	again := p.preview(request(s, nil))
	if again.number("summary.create")+again.number("summary.update")+again.number("summary.delete") > 0 {
		t.Errorf("the next preview changes something: %v", again["summary"])
	}
}

// proxies gives an entry other addresses.
func proxies(t *testing.T, s *ldapserver.Server, rdn string, values ...string) {
	t.Helper()
	change := ldap.NewModifyRequest(rdn+","+s.BaseDN, nil)
	change.Replace("proxyAddresses", values)
	if err := signIn(t, s).Modify(change); err != nil {
		t.Fatal(err)
	}
}

// TestSubdomains accepts and excludes every domain below one.
func TestSubdomains(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := hybrid(t)
	p := account(t)
	body := request(s, nil)
	body["advanced"] = object{"acceptedDomains": []string{"*.OnMicrosoft.com", "partner.example"}}
	preview := p.preview(body)
	wantDone(t, preview)
	if n := preview.number("summary.addresses"); n != 2 {
		t.Errorf("%d addresses, want one of a subdomain and one of the domain: %v", n, preview["summary"])
	}
	body["advanced"] = object{"exclude": []string{"*.onmicrosoft.com", "*.example.com"}}
	excluded := p.list("/v1/previews/"+p.preview(body).text("id")+"/addresses",
		url.Values{"change": {"skipped"}, "q": {"ann@"}})
	if len(excluded) != 2 || excluded[0].text("reason")+excluded[1].text("reason") !=
		"excluded by the settings"+"private address in otherMailbox" {
		t.Errorf("skipped %v, want the address below onmicrosoft.com and the private one", excluded)
	}
	body["advanced"] = object{"acceptedDomains": []string{"*.com"}, "exclude": []string{"*@*.example.com"}}
	status, problem := p.call("POST", "/v1/previews", body)
	if text := fmt.Sprint(problem["errors"]); status != 422 || !strings.Contains(text, "*.example.com for every") ||
		!strings.Contains(text, "advanced.acceptedDomains[0]") || !strings.Contains(text, "advanced.exclude[0]") {
		t.Errorf("wrong patterns: %d %v", status, problem)
	}
}
