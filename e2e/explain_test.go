package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
)

// staff is a directory with somebody for each verdict.
const staff = `dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=staff,dc=example,dc=com
objectClass: organizationalUnit
ou: staff

dn: ou=archive,dc=example,dc=com
objectClass: organizationalUnit
ou: archive

dn: cn=Ann,ou=staff,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: user
cn: Ann
sn: Ann
proxyAddresses: SMTP:Ann@example.com
proxyAddresses: smtp:a*@example.com
department: Sales

dn: cn=Old,ou=archive,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: user
cn: Old
sn: Old
proxyAddresses: SMTP:old@example.com
department: Sales

dn: cn=Bob,ou=staff,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: user
cn: Bob
sn: Bob
proxyAddresses: SMTP:bob@example.com
proxyAddresses: smtp:ann@example.com
proxyAddresses: smtp:bob@partner.example
department: Support
userAccountControl: 514

dn: cn=Health,ou=staff,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: user
cn: Health
sn: Health
proxyAddresses: SMTP:health@example.com
msExchRecipientTypeDetails: 536870912
department: Sales

dn: cn=Nameless,ou=staff,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: user
cn: Nameless
sn: Nameless
proxyAddresses: smtp:nameless@example.com
department: Sales
`

// mailServer has accounts of CommuniGate Pro: addresses are made of names, and an alias is an entry.
const mailServer = `dn: o=Example
objectClass: organization
o: Example

dn: cn=example.com,o=Example
objectClass: CommuniGateDomain
cn: example.com

dn: cn=example.org,o=Example
objectClass: CommuniGateDomain
cn: example.org

dn: uid=carl,cn=example.com,o=Example
objectClass: inetOrgPerson
objectClass: CommuniGateAccount
uid: carl
cn: Carl
sn: Carl

dn: uid=carl,cn=example.org,o=Example
objectClass: inetOrgPerson
objectClass: CommuniGateAccount
uid: carl
cn: Carl
sn: Carl

dn: uid=boss,cn=example.com,o=Example
objectClass: alias
objectClass: extensibleObject
uid: boss
aliasedObjectName: uid=carl,cn=example.com,o=Example
`

func ldapWith(t *testing.T, base, text string) *ldapserver.Server {
	t.Helper()
	entries, err := ldif.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{BaseDN: base, Entries: ldapserver.EntriesOf(entries)})
}

// explain asks what a sync would make of somebody, and waits for the answer.
func (p *program) explain(request object) object {
	p.t.Helper()
	started := p.must(202, "POST", "/v1/explanations", request)
	return p.wait("/v1/explanations/" + started.text("id"))
}

// TestExplanationsOnOpenLDAP asks for somebody of each verdict, and holds some of the answers to what a sync does.
func TestExplanationsOnOpenLDAP(t *testing.T) {
	t.Parallel()
	s := ldapWith(t, "", staff)
	p := account(t)
	body := request(s, nil)
	body["advanced"] = object{
		"searchBase": "ou=staff,dc=example,dc=com", "filter": "(&(proxyAddresses=*)(department=Sales))",
	}
	p.must(200, "PUT", "/v1/settings", body)
	all := object{"searchBase": "ou=staff,dc=example,dc=com", "filter": "(proxyAddresses=*)"}
	with := func(name string, value any) object {
		advanced := maps.Clone(all)
		advanced[name] = value
		return advanced
	}
	for name, test := range map[string]struct {
		request                       object
		verdict, says, clause, failed string
		entries                       int
	}{
		"imported":  {object{"address": "ANN@example.com"}, "imported", "the next sync adds it", "", "", 2},
		"two claim": {object{"address": "ann@example.com", "advanced": all}, "imported", "also in cn=Bob", "", "", 2},
		"a star":    {object{"address": "a*@example.com"}, "imported", "an alias of Ann@example.com", "", "", 1},
		"no star":   {object{"address": "*@example.com"}, "not_found", "Check its spelling", "", "", 0},
		"a DN": {object{"dn": "CN=Ann, OU=staff,dc=example,dc=com"}, "imported",
			"Ann@example.com is a primary address", "",
			"", 2},
		"filter": {object{"address": "bob@example.com"}, "not_matched", "(department=Sales) does not match",
			"(department=Sales)", "", 1},
		"base":     {object{"address": "old@example.com"}, "outside_base", "outside the search base", "", "", 1},
		"nobody":   {object{"address": "nobody@example.com"}, "not_found", "No entry", "", "", 0},
		"no such":  {object{"dn": "cn=Nobody,dc=example,dc=com"}, "not_found", "no entry cn=Nobody", "", "", 0},
		"system":   {object{"address": "health@example.com"}, "skipped", "system mailbox", "", "systemMailbox", 1},
		"nameless": {object{"address": "nameless@example.com"}, "skipped", "no primary", "", "noPrimary", 1},
		"loser": {object{"dn": "cn=Bob,ou=staff,dc=example,dc=com", "advanced": all}, "imported",
			"bob@example.com", "", "", 1},
		"exclusion": {object{"address": "ann@example.com", "advanced": with("exclude", []string{"*@example.com"})},
			"left_out", "the exclusion *@example.com", "", "exclude", 2},
		"type": {object{"address": "ann@example.com", "advanced": with("include", []string{"group"})}, "left_out",
			"Object types", "", "include", 2},
		"domain": {object{"address": "bob@partner.example",
			"advanced": with("acceptedDomains", []string{"example.com"})}, "left_out",
			"partner.example", "", "acceptedDomains", 1},
		"disabled": {object{"address": "bob@example.com", "advanced": with("skipDisabled", true)}, "left_out",
			"account is disabled", "", "skipDisabled", 1},
		"another filter": {object{"address": "ann@example.com",
			"advanced": object{"filter": "(&(mail=*)(!(department=Sales)))"}}, "not_matched",
			"does not match", "(mail=*)", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := p.explain(test.request)
			wantDone(t, got)
			entries := got.objects("entries")
			if got.text("verdict") != test.verdict || !strings.Contains(got.text("sentence"), test.says) ||
				len(entries) != test.entries {
				t.Fatalf("%s, %d entries: %s\nwant %s and %d entries with %q", got.text("verdict"), len(entries),
					got.text("sentence"), test.verdict, test.entries, test.says)
			}
			if len(entries) == 0 {
				return
			}
			entry := entries[0]
			if entry.text("failedClause") != test.clause {
				t.Errorf("the clause %q fails, want %q", entry.text("failedClause"), test.clause)
			}
			failed := ""
			for _, rule := range entry.objects("rules") {
				if rule["ok"] != true && failed == "" {
					failed = rule.text("rule")
				}
			}
			if failed != test.failed {
				t.Errorf("the rule %q fails, want %q: %v", failed, test.failed, entry["rules"])
			}
		})
	}
	t.Run("no address", func(t *testing.T) {
		t.Parallel()
		for field, request := range map[string]object{
			"address": {}, "address ": {"address": "a@example.com", "dn": "cn=a"}, "address  ": {"address": "ann"},
			"dn": {"dn": "nonsense"},
		} {
			status, problem := p.call("POST", "/v1/explanations", request)
			if !strings.Contains(fmt.Sprint(problem["errors"]), strings.TrimSpace(field)) || status != 422 {
				t.Errorf("%v: %d %v, want 422 of %s", request, status, problem, field)
			}
		}
	})
	t.Run("a wrong password", func(t *testing.T) {
		t.Parallel()
		wrong := request(s, func(c object) { c["password"] = "wrong" })
		wrong["dn"] = "cn=Ann,ou=staff,dc=example,dc=com"
		if got := p.explain(wrong); got.text("state") != "failed" || got.text("error.step") != "bind" {
			t.Errorf("state %s, error %v", got.text("state"), got["error"])
		}
	})
}

// TestExplanationsAreWhatASyncDoes asks before and after a sync, and finds the questions in the audit log.
func TestExplanationsAreWhatASyncDoes(t *testing.T) {
	t.Parallel()
	s := ldapWith(t, "", staff)
	p := account(t)
	p.must(200, "PUT", "/v1/settings", request(s, nil))
	wantRow := func(change string, stored bool) {
		t.Helper()
		got := p.explain(object{"address": "a*@example.com"})
		if got.text("entries") == "" && got.text("verdict") != "imported" {
			t.Fatalf("explained as %v", got)
		}
		row := got.objects("entries")[0].objects("rows")[0]
		if row.text("change") != change || row.text("primaryAddress") != "Ann@example.com" ||
			(got["stored"] != nil) != stored {
			t.Errorf("the row is %v and stored is %v, want %s", row, got["stored"], change)
		}
	}
	wantRow("create", false)
	wantDone(t, p.sync(object{}))
	wantRow("unchanged", true)
	// A preview of a server that says nothing holds nobody up.
	silentHost, silentPort := ldapserver.Silent(t)
	waiting := p.must(202, "POST", "/v1/previews",
		request(s, func(c object) { c["host"], c["port"] = silentHost, silentPort })).text("id")
	wantRow("unchanged", true)
	state := p.must(200, "GET", "/v1/previews/"+waiting, nil).text("state")
	if state != "queued" && state != "running" {
		t.Errorf("the preview is %s before the explanation was done", state)
	}
	p.must(200, "POST", "/v1/previews/"+waiting+"/cancel", nil)
	if log := p.list("/v1/audit", nil); fmt.Sprint(log[1]["action"], log[1].text("details.address")) !=
		"explanation.starteda*@example.com" {
		t.Errorf("the newest entries of the audit log are %v", log[:3])
	}
}

// TestExplanationsOfCommuniGate finds accounts by the names that their addresses are made of, and aliases with what
// they point to.
func TestExplanationsOfCommuniGate(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := ldapWith(t, "o=Example", mailServer)
	p := account(t)
	for name, test := range map[string]struct {
		address, filter, verdict, says string
	}{
		"an account": {"carl@example.org", "", "imported", "uid=carl,cn=example.org,o=Example"},
		"an alias":   {"boss@example.com", "", "imported", "an alias of carl@example.com"},
		"an alias without account": {"boss@example.com", "(objectClass=alias)", "skipped",
			"The filter leaves its account"},
		"an account in no domain":   {"carl@example.net", "", "not_found", "No entry"},
		"an account that is not in": {"carl@example.com", "(objectClass=alias)", "not_matched", "(objectClass=alias)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := request(s, func(c object) { c["serverType"] = "communigate" })
			body["address"], body["advanced"] = test.address, object{"filter": test.filter}
			got := p.explain(body)
			if got.text("verdict") != test.verdict || !strings.Contains(got.text("sentence"), test.says) {
				t.Errorf("%v, want %s with %q", got, test.verdict, test.says)
			}
		})
	}
}

// TestExplanationsOnSamba asks Active Directory, where the address is one of thousands of values of an entry.
func TestExplanationsOnSamba(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := sambaDomain(t)
	p := account(t)
	for name, test := range map[string]struct {
		ask           object
		verdict, says string
	}{
		"one of many values": {object{"address": "many3000@example.com"}, "imported", "an alias of many@example.com"},
		"by a DN":            {object{"dn": "cn=user 01," + ldapserver.CompanyBase}, "imported", "user01@example.com"},
		"outside": {object{"address": "user01@example.com",
			"advanced": object{"searchBase": "CN=Users," + ldapserver.SambaBase}}, "outside_base", "CN=User 01"},
		"disabled": {object{"address": "information@example.com", "advanced": object{"skipDisabled": true}}, "left_out",
			"disabled"},
		"a bit of an attribute": {object{"address": "info@example.com", "advanced": object{
			"filter": "(&(proxyAddresses=*)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"}}, "not_matched",
			"(!(userAccountControl:1.2.840.113556.1.4.803:=2)) does not match"},
		"nobody": {object{"address": "nobody@example.com"}, "not_found", "No entry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := request(s, nil)
			maps.Copy(body, test.ask)
			got := p.explain(body)
			if got.text("verdict") != test.verdict || !strings.Contains(got.text("sentence"), test.says) {
				t.Errorf("%v, want %s with %q", got, test.verdict, test.says)
			}
		})
	}
}
