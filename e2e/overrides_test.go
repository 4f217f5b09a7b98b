package e2e

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/ldif"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// follow yields the entries of several trees, one after the other.
func follow(trees ...iter.Seq[*ldif.Entry]) iter.Seq[*ldif.Entry] {
	return func(yield func(*ldif.Entry) bool) {
		for _, tree := range trees {
			for e := range tree {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// override is a search with attribute overrides, and what a preview of it comes to: so many primaries and aliases, or
// an error.
type override struct {
	advanced         object
	primary, aliases int
	code             string
	// says must be in the notes, the error or the guard's message.
	says string
}

// attributes are attribute overrides.
func attributes(primary, alias, id string) object {
	return object{"primary": []string{primary}, "aliases": []string{alias}, "id": id}
}

// checkOverrides makes a preview of each search.
func checkOverrides(t *testing.T, s *ldapserver.Server, change func(object), overrides map[string]override) {
	for name, o := range overrides {
		t.Run(name, func(t *testing.T) {
			body := request(s, change)
			body["advanced"] = o.advanced
			preview := account(t).preview(body)
			said := fmt.Sprint(preview["notes"], preview.text("error.message"), preview.text("guard.message"))
			if o.code == "" {
				wantDone(t, preview)
			}
			if preview.text("error.code") != o.code || !strings.Contains(said, o.says) {
				t.Errorf("error %v, notes %v, guard %v; want code %q and %q", preview["error"], preview["notes"],
					preview["guard"], o.code, o.says)
			}
			if o.code == "" && (preview.number("summary.primary") != o.primary ||
				preview.number("summary.aliases") != o.aliases) {
				t.Errorf("summary %v, want %d primaries and %d aliases", preview["summary"], o.primary, o.aliases)
			}
		})
	}
}

// secretSearches reach for passwords by what only a server's schema tells.
func secretSearches(name string) map[string]override {
	return map[string]override{
		name + " as primary": {advanced: object{"attributes": object{"primary": []string{name}}},
			code: "secret_attribute", says: "schema"},
		name + " in a filter": {advanced: object{"filter": "(&(mail=*)(" + name + "=a*))"},
			code: "secret_attribute", says: "schema"},
	}
}

// merged joins tables of searches.
func merged(tables ...map[string]override) map[string]override {
	out := map[string]override{}
	for _, table := range tables {
		maps.Copy(out, table)
	}
	return out
}

// plainText lets a request read without encryption.
func plainText(c object) { c["allowUnencrypted"] = true }

// TestOverridesOn389 shares one server among all that is asked of 389 Directory Server.
func TestOverridesOn389(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	const sales = 300
	s := ldapserver.DS389(t, ldapserver.DS389Config{
		Entries: follow(ldapserver.People(1200), ldapserver.Sales(sales, "mailAlternateAddress"))})
	t.Run("the reader answers as go-ldap", func(t *testing.T) { sameAnswers(t, s, s.BaseDN, 1200+sales+4) })
	base, filter := ldapserver.SalesBase, "(mail=*)"
	checkOverrides(t, s, plainText, merged(secretSearches("nsBindPassword-oid"), map[string]override{
		"by name": {advanced: object{"searchBase": base, "filter": filter,
			"attributes": attributes("mail", "mailAlternateAddress", "nsUniqueId")}, primary: sales, aliases: sales},
		"by another name": {advanced: object{"searchBase": base, "filter": "(rfc822MailBox=*)",
			"attributes": attributes("rfc822mailbox", "MAILalternateAddress", "")}, primary: sales, aliases: sales},
		"by OID": {advanced: object{"searchBase": strings.ReplaceAll(base, ",dc", ";dc"), "filter": filter,
			"attributes": attributes("0.9.2342.19200300.100.1.3", "2.16.840.1.113730.3.1.13",
				"2.16.840.1.113730.3.1.542")}, primary: sales, aliases: sales},
		"a name that the schema lacks": {advanced: object{"searchBase": base, "filter": filter,
			"attributes": attributes("mail", "mailAlternatAddress", "")}, primary: sales,
			says: "no attribute mailAlternatAddress"},
		"nothing by default, and why": {advanced: object{"searchBase": base},
			says: "looks like 389 Directory Server. Below OU=Sales\\, North,dc=example,dc=com there are entries with " +
				"mail, mailAlternateAddress. To read them, enter the filter string " +
				"(|(mail=*)(mailAlternateAddress=*)), and in the attribute overrides mailAlternateAddress for the " +
				"aliases."},
	}))
	t.Run("through a connector", func(t *testing.T) {
		ask := request(s, func(c object) { c["encryption"] = "none" })
		ask["advanced"] = object{"filter": "(mail=*)"}
		readsThroughAConnector(t, ask)
	})
	t.Run("its look-through limit", func(t *testing.T) {
		body := request(s, func(c object) { plainText(c); c["username"] = ldapserver.LimitedUsername })
		body["advanced"] = object{"filter": "(description=*)"}
		preview := account(t).preview(body)
		if preview.text("error.code") != "incomplete_read" ||
			!strings.Contains(preview.text("error.message"), "result 11") {
			t.Errorf("state %s, error %v, notes %v; want incomplete_read", preview.text("state"), preview["error"],
				preview["notes"])
		}
	})
	admin := signIn(t, s)
	hiddenBase(t, s, admin)
	minimumSSF(t, s, admin)
}

// hiddenBase hides the entry of the search base, and nothing below it.
func hiddenBase(t *testing.T, s *ldapserver.Server, admin *ldap.Conn) {
	t.Helper()
	base := "ou=people," + s.BaseDN
	hide := ldap.NewModifyRequest(base, nil)
	hide.Add("aci", []string{`(targetattr="*")(targetfilter="(ou=people)")(version 3.0; acl "hide"; deny (all) ` +
		`userdn="ldap:///` + s.Username + `";)`})
	if err := admin.Modify(hide); err != nil {
		t.Fatal(err)
	}
	info, err := directory.New(directory.Config{}).Read(t.Context(), connection(s),
		directory.Query{SearchBase: base, Filter: "(mail=*)"}, func(run.Step) {},
		func(*directory.Entry) error { return nil })
	if err != nil || info.Entries != 1200 || !strings.Contains(strings.Join(info.Notes, "; "), "but entries below it") {
		t.Errorf("%d entries, notes %q, error %v; want 1200 and a note about the base", info.Entries, info.Notes, err)
	}
}

// minimumSSF makes the server refuse what is not encrypted.
func minimumSSF(t *testing.T, s *ldapserver.Server, admin *ldap.Conn) {
	t.Helper()
	change := ldap.NewModifyRequest("cn=config", nil)
	change.Replace("nsslapd-minssf", []string{"128"})
	if err := admin.Modify(change); err != nil {
		t.Fatal(err)
	}
	_, _, err := readOnce(t, settings.Connection{ServerType: settings.GroupWise, Host: s.Host, Port: s.Port,
		Username: s.Username, Password: secret.New(s.Password), Encryption: settings.None})
	var e *directory.Error
	if !errors.As(err, &e) || e.Code != directory.CodeEncryptionRequired ||
		!strings.Contains(e.Message, "(encryption)") {
		t.Errorf("error %v, want %s", err, directory.CodeEncryptionRequired)
	}
}

func TestOverridesOnOpenLDAP(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	const sales = 20
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{
		Entries: follow(ldapserver.People(3), ldapserver.Sales(sales, "mailLocalAddress"))})
	base := ldapserver.SalesBase
	checkOverrides(t, s, nil, merged(secretSearches("loginSecret"), secretSearches("1.3.6.1.4.1.4203.666.11.77.3.50"),
		map[string]override{
			"by name": {advanced: object{"searchBase": base, "filter": "(mail=*)",
				"attributes": attributes("mail", "mailLocalAddress", "entryUUID")}, primary: sales, aliases: sales},
			"by another name": {advanced: object{"searchBase": base, "filter": "(rfc822Mailbox=*)",
				"attributes": attributes("RFC822mailbox", "mailLocalAddress", "userid")},
				primary: sales, aliases: sales},
			"by OID": {advanced: object{"searchBase": base, "filter": "(0.9.2342.19200300.100.1.3=*)",
				"attributes": attributes("0.9.2342.19200300.100.1.3", "2.16.840.1.113730.3.1.13", "1.3.6.1.1.16.4")},
				primary: sales, aliases: sales},
		}))
	t.Run("nothing by a type's default, and why", func(t *testing.T) {
		body := request(s, func(c object) { c["serverType"] = "communigate" })
		body["advanced"] = object{"searchBase": base}
		preview := account(t).preview(body)
		wantDone(t, preview)
		message := preview.text("guard.message")
		for _, says := range []string{"looks like OpenLDAP.", "entries with mail, mailLocalAddress.",
			"directory integration is on"} {
			if !strings.Contains(message, says) {
				t.Errorf("the guard says %q; want %q in it", message, says)
			}
		}
		if preview.text("guard.reason") != "empty_read" {
			t.Errorf("guard %v, want empty_read", preview["guard"])
		}
	})
}

// overridesOfSamba reads the domain by OIDs, with an attribute whose values come in ranges.
func overridesOfSamba(t *testing.T, s *ldapserver.Server) {
	quoted := strings.ReplaceAll(strings.Replace(ldapserver.CompanyBase, "Company", `"Company"`, 1), ",", "; ")
	checkOverrides(t, s, nil, map[string]override{
		"overrides by OID": {advanced: object{"searchBase": quoted, "filter": "(proxyAddresses=smtp:*)",
			"attributes": attributes("0.9.2342.19200300.100.1.3", "1.2.840.113556.1.2.210", "1.2.840.113556.1.4.2")},
			primary: ldapserver.CompanyEntries, aliases: ldapserver.CompanyAddresses - ldapserver.CompanyEntries},
	})
	t.Run("the wrong server type, and which is right", func(t *testing.T) {
		preview := account(t).preview(request(s, func(c object) { c["serverType"] = "communigate" }))
		wantDone(t, preview)
		if message := preview.text("guard.message"); !strings.Contains(message,
			"looks like Active Directory: choose the server type Microsoft Exchange Server.") ||
			!strings.Contains(message, "entries with proxyAddresses, mail.") {
			t.Errorf("guard %v", preview["guard"])
		}
	})
}
