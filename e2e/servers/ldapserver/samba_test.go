package ldapserver_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
)

// TestSamba shares one domain: to provision it takes longer than all that is asked of it.
func TestSamba(t *testing.T) {
	s := ldapserver.Samba(t, ldapserver.SambaConfig{Entries: ldapserver.ActiveDirectory()})
	checkConnections(t, s)
	conn := bound(t, s)
	t.Run("a bind without TLS is refused", func(t *testing.T) {
		wantCode(t, dial(t, url("ldap", s.Host, s.Port)).Bind(s.Username, s.Password),
			ldap.LDAPResultStrongAuthRequired)
	})
	t.Run("down-level name", func(t *testing.T) {
		secured := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := secured.Bind(`EXAMPLE\reader`, s.Password); err != nil {
			t.Error(err)
		}
	})
	t.Run("root DSE", func(t *testing.T) {
		dse, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)",
			[]string{"defaultNamingContext"}, nil))
		if err != nil || dse.Entries[0].GetAttributeValue("defaultNamingContext") != s.BaseDN {
			t.Errorf("%v, %v", dse, err)
		}
	})
	t.Run("the domain root gives references", func(t *testing.T) {
		found := find(t, conn, s.BaseDN, "(proxyAddresses=smtp:*)", "1.1")
		if len(found.Entries) != ldapserver.CompanyEntries || len(found.Referrals) == 0 {
			t.Errorf("%d entries and %d references, want %d and some", len(found.Entries), len(found.Referrals),
				ldapserver.CompanyEntries)
		}
		if below := find(t, conn, ldapserver.CompanyBase, "(proxyAddresses=smtp:*)", "1.1"); len(below.Referrals) != 0 {
			t.Errorf("below the root came references: %v", below.Referrals)
		}
	})
	t.Run("types and account control", func(t *testing.T) {
		const all = ldapserver.CompanyEntries
		for filter, want := range map[string]int{
			"(msExchRecipientTypeDetails=1)":                                              ldapserver.CompanyUsers + 1,
			"(msExchRecipientTypeDetails=4)":                                              1,
			"(&(objectClass=group)(proxyAddresses=*))":                                    2,
			"(&(objectClass=contact)(msExchRecipientTypeDetails=64))":                     2,
			"(&(mail=*)(userAccountControl:1.2.840.113556.1.4.803:=2))":                   1,
			"(&(objectCategory=person)(objectClass=user)(proxyAddresses=*))":              ldapserver.CompanyUsers + 2,
			"(&(proxyAddresses=smtp:*)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))": all - 1,
		} {
			if got := len(find(t, conn, ldapserver.CompanyBase, filter, "1.1").Entries); got != want {
				t.Errorf("%s finds %d entries, want %d", filter, got, want)
			}
		}
	})
	t.Run("addresses", func(t *testing.T) {
		addresses := map[string]bool{}
		for _, e := range find(t, conn, ldapserver.CompanyBase, "(proxyAddresses=*)", "proxyAddresses").Entries {
			for _, v := range e.GetAttributeValues("proxyAddresses") {
				addresses[v[len("smtp:"):]] = true
			}
		}
		if len(addresses) != ldapserver.CompanyAddresses {
			t.Errorf("%d addresses, want %d", len(addresses), ldapserver.CompanyAddresses)
		}
	})
	t.Run("ranges", func(t *testing.T) {
		for ask, want := range map[string]struct {
			name   string
			values int
		}{
			"proxyAddresses;range=0-1499":    {"proxyAddresses;range=0-1499", 1500},
			"proxyAddresses;range=3000-4499": {"proxyAddresses;range=3000-*", 200},
		} {
			found := find(t, conn, "CN=Many,"+ldapserver.CompanyBase, "(objectClass=*)", ask)
			a := found.Entries[0].Attributes
			if len(a) != 1 || a[0].Name != want.name || len(a[0].Values) != want.values {
				t.Errorf("%s gave %v", ask, a)
			}
		}
	})
	t.Run("global catalog", func(t *testing.T) {
		catalog := dial(t, url("ldaps", s.Host, s.GlobalCatalogSSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := catalog.Bind(s.Username, s.Password); err != nil {
			t.Fatal(err)
		}
		if got := len(find(t, catalog, s.BaseDN, "(proxyAddresses=smtp:*)",
			"1.1").Entries); got != ldapserver.CompanyEntries {
			t.Errorf("%d entries, want %d", got, ldapserver.CompanyEntries)
		}
	})
	t.Run("ldapsearch finds the same", func(t *testing.T) {
		if got := ldapsearch(t, s, "(proxyAddresses=smtp:*)"); got != ldapserver.CompanyEntries {
			t.Errorf("%d entries, want %d", got, ldapserver.CompanyEntries)
		}
	})
	t.Run("the administrator writes", func(t *testing.T) {
		admin := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := admin.Bind(s.AdminUsername, s.AdminPassword); err != nil {
			t.Fatal(err)
		}
		if err := admin.Del(ldap.NewDelRequest("CN=Courier,"+ldapserver.CompanyBase, nil)); err != nil {
			t.Error(err)
		}
	})
}
