package ldapserver_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers"
	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo"
	"rollcall/local/demo/ldif"
	"rollcall/shared/settings"
)

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenLDAP(t *testing.T) {
	const people = 2500
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(people)})
	checkConnections(t, s)
	t.Run("people and addresses", func(t *testing.T) {
		found := find(t, bound(t, s), s.BaseDN, "(proxyAddresses=smtp:*)", "proxyAddresses", "objectGUID")
		addresses := map[string]bool{}
		for _, e := range found.Entries {
			for _, v := range e.GetAttributeValues("proxyAddresses") {
				addresses[v] = true
			}
			if len(e.GetRawAttributeValue("objectGUID")) != 16 {
				t.Fatalf("%s has an objectGUID of %d bytes", e.DN, len(e.GetRawAttributeValue("objectGUID")))
			}
		}
		if len(found.Entries) != people || len(addresses) != ldapserver.PeopleAddresses(people) {
			t.Errorf("%d entries with %d addresses, want %d with %d", len(found.Entries), len(addresses), people,
				ldapserver.PeopleAddresses(people))
		}
	})
	t.Run("ldapsearch finds the same", func(t *testing.T) {
		if got := ldapsearch(t, s, "(mail=*)"); got != people {
			t.Errorf("%d entries, want %d", got, people)
		}
	})
	t.Run("anonymous sees nothing", func(t *testing.T) {
		conn := dial(t, url("ldap", s.Host, s.Port))
		found, err := conn.Search(subtree(s.BaseDN, "(objectClass=*)"))
		if err == nil && len(found.Entries) > 0 {
			t.Errorf("%d entries", len(found.Entries))
		}
	})
	t.Run("the administrator writes", func(t *testing.T) {
		conn := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := conn.Bind(s.AdminUsername, s.AdminPassword); err != nil {
			t.Fatal(err)
		}
		if err := conn.Del(ldap.NewDelRequest("uid=user000001,ou=people,"+s.BaseDN, nil)); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenLDAPLimits(t *testing.T) {
	like := ldapserver.OpenLDAPConfig{Entries: ldapserver.People(1200)}
	t.Run("as Active Directory", func(t *testing.T) {
		c := like
		c.SizeLimit = "size.soft=1000 size.hard=1000 size.pr=10000 size.prtotal=unlimited"
		conn := bound(t, ldapserver.OpenLDAP(t, c))
		found, err := conn.Search(subtree(ldapserver.PeopleBase, "(mail=*)", "1.1"))
		wantCode(t, err, ldap.LDAPResultSizeLimitExceeded)
		if len(found.Entries) != 1000 {
			t.Errorf("an unpaged search gave %d entries, want 1000", len(found.Entries))
		}
		if got := len(find(t, conn, ldapserver.PeopleBase, "(mail=*)", "1.1").Entries); got != 1200 {
			t.Errorf("a paged search gave %d entries, want 1200", got)
		}
	})
	t.Run("paging refused", func(t *testing.T) {
		c := like
		c.SizeLimit = "size.prtotal=disabled"
		_, err := bound(t, ldapserver.OpenLDAP(t, c)).SearchWithPaging(subtree(ldapserver.PeopleBase, "(mail=*)"), 1000)
		wantCode(t, err, ldap.LDAPResultAdminLimitExceeded)
	})
}

func TestOpenLDAPCertificates(t *testing.T) {
	t.Run("a wrong name", func(t *testing.T) {
		s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{CertificateNames: []string{"wrong.example.com"}})
		_, err := tls.Dial("tcp", strings.TrimPrefix(url("", s.Host, s.SSLPort), "://"), trust(s))
		var name x509.HostnameError
		if !errors.As(err, &name) || name.Certificate.DNSNames[0] != "wrong.example.com" {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("no TLS at all", func(t *testing.T) {
		s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{WithoutTLS: true})
		conn := dial(t, url("ldap", s.Host, s.Port))
		if err := conn.StartTLS(&tls.Config{ServerName: s.Host}); err == nil {
			t.Fatal("STARTTLS worked")
		}
		plain := dial(t, url("ldap", s.Host, s.Port))
		if err := plain.Bind(s.Username, s.Password); err != nil || s.SSLPort != 0 || s.CACertificate != "" {
			t.Errorf("bind gave %v, SSL port %d, CA %q", err, s.SSLPort, s.CACertificate)
		}
	})
}

// TestOpenLDAPTakesAnyTree loads the demo directories, whose trees are those of all three server types.
func TestOpenLDAPTakesAnyTree(t *testing.T) {
	for serverType, base := range map[settings.ServerType]string{
		settings.Exchange: "DC=example,DC=com", settings.CommuniGate: "o=Example", settings.GroupWise: "o=Example",
	} {
		t.Run(string(serverType), func(t *testing.T) {
			raw, err := demo.LDIF(serverType)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := ldif.Read(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{BaseDN: base, Entries: ldapserver.EntriesOf(entries)})
			conn := bound(t, s)
			if got := len(find(t, conn, base, "(objectClass=*)", "1.1").Entries); got != len(entries)+1 {
				t.Errorf("%d entries, want %d and the reader", got, len(entries))
			}
			// A filter on a class or attribute that the schema lacked would be Undefined and find nothing.
			for _, class := range []string{"user", "CommuniGateAccount", "alias", "groupWiseResource"} {
				want := 0
				for _, e := range entries {
					for _, v := range e.Get("objectClass") {
						if v == class {
							want++
						}
					}
				}
				if got := len(find(t, conn, base, "(objectClass="+class+")", "1.1").Entries); got != want {
					t.Errorf("%d entries of class %s, want %d", got, class, want)
				}
			}
		})
	}
}

func TestOpenLDAPTakesExchange55(t *testing.T) {
	entries := []ldif.Entry{{DN: "o=Example"}, {DN: "cn=jane,o=Example"}}
	entries[0].Add("objectClass", "organization")
	entries[0].Add("o", "Example")
	entries[1].Add("objectClass", "organizationalPerson", "remote-address")
	entries[1].Add("cn", "jane")
	entries[1].Add("sn", "Doe")
	entries[1].Add("mail", "jane@example.com")
	entries[1].Add("otherMailbox", "smtp$j.doe@example.com", "MS$EXAMPLE/JANE")
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{BaseDN: "o=Example", Entries: ldapserver.EntriesOf(entries)})
	found := find(t, bound(t, s), "o=Example", "(&(mail=*)(objectClass=remote-address)(otherMailbox=*))",
		"otherMailbox")
	if len(found.Entries) != 1 || found.Entries[0].GetAttributeValue("otherMailbox") != "smtp$j.doe@example.com" {
		t.Errorf("found %v", found.Entries)
	}
}

func TestOpenLDAPSaysWhatIsWrong(t *testing.T) {
	servers.Need(t)
	_, err := ldapserver.StartOpenLDAP(t.Context(), t.TempDir(), ldapserver.OpenLDAPConfig{BaseDN: "o=Other"})
	if err == nil || !strings.Contains(err.Error(), "slapadd") {
		t.Errorf("entries outside the suffix gave %v", err)
	}
}

func TestAMissingPackageIsNamed(t *testing.T) {
	_, err := ldapserver.Find("no-such-server", "no-such-package")
	if !errors.Is(err, ldapserver.ErrMissingPackage) || !strings.Contains(err.Error(), "e2e/install/debian.sh") ||
		!strings.Contains(err.Error(), "no-such-package") {
		t.Errorf("error = %v", err)
	}
}
