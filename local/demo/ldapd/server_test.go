package ldapd_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/local/demo/authority"
	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
)

// served is a running server and what a client needs to trust it.
type served struct {
	address string
	client  *tls.Config
}

func entry(dn string, attributes ...ldif.Attribute) ldif.Entry {
	return ldif.Entry{DN: dn, Attributes: attributes}
}

func attribute(name string, values ...string) ldif.Attribute {
	return ldif.Attribute{Name: name, Values: values}
}

func tree() []ldif.Entry {
	return []ldif.Entry{
		entry("DC=example,DC=com", attribute("objectClass", "domain")),
		entry("OU=Staff,DC=example,DC=com", attribute("objectClass", "organizationalUnit")),
		entry(`CN=Vogt\, Anke,OU=Staff,DC=example,DC=com`, attribute("objectClass", "top", "user"),
			attribute("cn", "Vogt, Anke"),
			attribute("mail", "anke@example.com"),
			attribute("proxyAddresses", "SMTP:anke@example.com", "smtp:a.vogt@example.com"),
			attribute("userAccountControl", "512"), attribute("objectGUID", "\x01\xff\xfe\x00")),
		entry("CN=Jürgen Groß,OU=Staff,DC=example,DC=com", attribute("objectClass", "top", "user"),
			attribute("cn", "Jürgen Groß"),
			attribute("userAccountControl", "514"),
			attribute("objectCategory", "CN=Person,CN=Schema,DC=example,DC=com"),
			attribute("objectGUID", "\x01\xff\xfd\x00")),
		entry("CN=Sales,DC=example,DC=com", attribute("objectClass", "top", "group"), attribute("cn", "Sales"),
			attribute("mail", "sales@example.com")),
	}
}

func config(t *testing.T) (ldapd.Config, *tls.Config) {
	t.Helper()
	ca, err := authority.New(authority.Config{Name: "test CA"})
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, err := ca.ServerTLS("localhost")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.PEM()))
	return ldapd.Config{
		Entries: tree(),
		RootDSE: entry("", attribute("objectClass", "top"), attribute("namingContexts", "DC=example,DC=com")),
		Accounts: []ldapd.Account{{DN: "CN=Sales,DC=example,DC=com",
			Names: []string{"sales@example.com", `EXAMPLE\sales`}, Password: "secret"}},
		ReferenceBase: "dc=example,dc=com", References: []string{"ldap://elsewhere.example.com/DC=elsewhere"},
		Behaviour: ldapd.Behaviour{
			WrongPassword: ldapd.Result{Code: ldapd.CodeInvalidCredentials, Message: "data 52e"},
			BindFirst:     ldapd.Result{Code: ldapd.CodeOperationsError, Message: "bind first"},
			NoSuchObject:  "no such object",
		},
		TLS: serverTLS, Log: slog.New(slog.DiscardHandler),
	}, &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

func serve(t *testing.T, adjust func(*ldapd.Config)) served {
	t.Helper()
	c, client := config(t)
	if adjust != nil {
		adjust(&c)
	}
	s, err := ldapd.New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(l)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return served{l.Addr().String(), client}
}

func (s served) dial(t *testing.T) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + s.address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetTimeout(10 * time.Second)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (s served) bound(t *testing.T) *ldap.Conn {
	t.Helper()
	conn := s.dial(t)
	if err := conn.Bind("sales@example.com", "secret"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func resultOf(t *testing.T, err error) (code uint16, text string, matched string) {
	t.Helper()
	if err == nil {
		return 0, "", ""
	}
	var e *ldap.Error
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want an LDAP result", err)
	}
	text = ""
	if e.Err != nil {
		text = e.Err.Error()
	}
	return e.ResultCode, text, e.MatchedDN
}

func subtree(base, filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes,
		nil)
}

func dns(r *ldap.SearchResult) []string {
	var names []string
	for _, e := range r.Entries {
		names = append(names, e.DN)
	}
	return names
}

func TestFilters(t *testing.T) {
	const (
		root, staff = "DC=example,DC=com", "OU=Staff,DC=example,DC=com"
		anke        = `CN=Vogt\, Anke,OU=Staff,DC=example,DC=com`
		juergen     = "CN=Jürgen Groß,OU=Staff,DC=example,DC=com"
		sales       = "CN=Sales,DC=example,DC=com"
	)
	conn := serve(t, nil).bound(t)
	for filter, want := range map[string][]string{
		"(mail=*)":                                          {anke, sales},
		"(MAIL=ANKE@example.com)":                           {anke},
		"(proxyAddresses=smtp:*)":                           {anke},
		"(proxyAddresses=*vogt*@example.*)":                 {anke},
		"(mail=*@example.com)":                              {anke, sales},
		"(mail=a*a@example.com)":                            nil,
		"(cn=JÜRGEN*)":                                      {juergen},
		"(&(objectClass=user)(!(mail=*)))":                  {juergen},
		"(|(cn=sales)(cn=Vogt, Anke))":                      {anke, sales},
		"(userAccountControl:1.2.840.113556.1.4.803:=2)":    {juergen},
		"(!(userAccountControl:1.2.840.113556.1.4.803:=2))": {root, staff, anke, sales},
		"(userAccountControl:1.2.840.113556.1.4.804:=3)":    {juergen},
		"(userAccountControl>=513)":                         {juergen},
		"(userAccountControl<=1000)":                        {anke, juergen},
		"(cn:caseIgnoreMatch:=sales)":                       {sales},
		"(cn:1.2.3.4:=sales)":                               nil,
		"(!(cn:1.2.3.4:=sales))":                            nil,
		"(objectGUID=\\01\\ff\\fe\\00)":                     {anke},
		"(objectCategory=person)":                           {juergen},
		"(&)":                                               {root, staff, anke, juergen, sales},
		"(|)":                                               nil,
		"(cn~=sales)":                                       {sales},
		"(&(|(objectClass=group)(objectClass=user))(!(cn=Jürgen Groß)))": {anke, sales},
	} {
		t.Run(filter, func(t *testing.T) {
			got, err := conn.Search(subtree("dc=example, DC=com", filter, "1.1"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, dns(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScopesAndBases(t *testing.T) {
	s := serve(t, nil)
	conn := s.bound(t)
	for _, c := range []struct {
		name    string
		base    string
		scope   int
		want    int
		code    uint16
		matched string
	}{
		{"base", "OU=Staff,DC=example,DC=com", ldap.ScopeBaseObject, 1, 0, ""},
		{"one level", "DC=example,DC=com", ldap.ScopeSingleLevel, 2, 0, ""},
		{"subtree", "OU=Staff,DC=example,DC=com", ldap.ScopeWholeSubtree, 3, 0, ""},
		{"an escaped comma, written otherwise", `cn=vogt\2c Anke,ou=staff,dc=EXAMPLE,dc=com`,
			ldap.ScopeBaseObject, 1, 0, ""},
		{"root DSE", "", ldap.ScopeBaseObject, 1, 0, ""},
		{"subtree of the empty base", "", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultNoSuchObject, ""},
		{"missing", "CN=a,OU=Gone,OU=Staff,DC=example,DC=com",
			ldap.ScopeWholeSubtree, 0, ldap.LDAPResultNoSuchObject, "OU=Staff,DC=example,DC=com"},
		{"no name", "staff", ldap.ScopeWholeSubtree, 0, ldap.LDAPResultInvalidDNSyntax, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := conn.Search(ldap.NewSearchRequest(c.base, c.scope, 0, 0, 0, false, "(objectClass=*)", nil, nil))
			code, _, matched := resultOf(t, err)
			if code != c.code || matched != c.matched || (err == nil && len(got.Entries) != c.want) {
				t.Errorf("code %d, matched %q, %v; want code %d, matched %q, %d entries",
					code, matched, got, c.code, c.matched, c.want)
			}
		})
	}
	t.Run("anonymous sees the root DSE alone", func(t *testing.T) {
		anonymous := s.dial(t)
		dse, err := anonymous.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)",
			[]string{"NAMINGCONTEXTS"}, nil))
		if err != nil || dse.Entries[0].GetAttributeValue("namingContexts") != "DC=example,DC=com" ||
			len(dse.Entries[0].Attributes) != 1 {
			t.Errorf("root DSE: %v, %v", dse, err)
		}
		_, err = anonymous.Search(subtree("DC=example,DC=com", "(objectClass=*)"))
		if code, text, _ := resultOf(t, err); code != ldap.LDAPResultOperationsError || text != "bind first" {
			t.Errorf("search gave %d %q", code, text)
		}
	})
}

func TestReferencesStandAtTheDomainRoot(t *testing.T) {
	conn := serve(t, nil).bound(t)
	for base, want := range map[string][]string{
		"DC=example,DC=com":          {"ldap://elsewhere.example.com/DC=elsewhere"},
		"OU=Staff,DC=example,DC=com": nil,
	} {
		got, err := conn.Search(subtree(base, "(objectClass=*)"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Referrals, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", base, diff)
		}
	}
}

func TestPaging(t *testing.T) {
	conn := serve(t, nil).bound(t)
	all, err := conn.Search(subtree("DC=example,DC=com", "(objectClass=*)"))
	if err != nil {
		t.Fatal(err)
	}
	for size := uint32(1); size <= 6; size++ {
		t.Run("pages of "+strconv.Itoa(int(size)), func(t *testing.T) {
			paged, err := conn.SearchWithPaging(subtree("DC=example,DC=com", "(objectClass=*)"), size)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(dns(all), dns(paged)); diff != "" {
				t.Error(diff)
			}
			if len(paged.Referrals) != 1 {
				t.Errorf("references came %d times", len(paged.Referrals))
			}
		})
	}
	t.Run("a cookie of another search", func(t *testing.T) {
		paging := ldap.NewControlPaging(2)
		first := subtree("DC=example,DC=com", "(objectClass=*)")
		first.Controls = []ldap.Control{paging}
		got, err := conn.Search(first)
		if err != nil {
			t.Fatal(err)
		}
		answer, ok := ldap.FindControl(got.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(answer.Cookie) == 0 || answer.PagingSize != 5 {
			t.Fatalf("paging control = %+v, want an estimate of 5 and a cookie", answer)
		}
		paging.SetCookie(answer.Cookie)
		other := subtree("DC=example,DC=com", "(mail=*)")
		other.Controls = []ldap.Control{paging}
		_, err = conn.Search(other)
		if code, _, _ := resultOf(t, err); code != ldap.LDAPResultUnwillingToPerform {
			t.Errorf("code %d", code)
		}
	})
}

func TestLimitsAndControls(t *testing.T) {
	conn := serve(t, nil).bound(t)
	t.Run("size limit", func(t *testing.T) {
		r := subtree("DC=example,DC=com", "(objectClass=*)")
		r.SizeLimit = 2
		got, err := conn.Search(r)
		if code, _, _ := resultOf(t, err); code != ldap.LDAPResultSizeLimitExceeded || len(got.Entries) != 2 {
			t.Errorf("code %d with %v", code, dns(got))
		}
	})
	t.Run("unknown critical control", func(t *testing.T) {
		r := subtree("DC=example,DC=com", "(objectClass=*)")
		r.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4", true, "")}
		_, err := conn.Search(r)
		if code, _, _ := resultOf(t, err); code != ldap.LDAPResultUnavailableCriticalExtension {
			t.Errorf("code %d", code)
		}
	})
	t.Run("unknown control that is not critical", func(t *testing.T) {
		r := subtree("DC=example,DC=com", "(objectClass=*)")
		r.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4", false, "")}
		if _, err := conn.Search(r); err != nil {
			t.Error(err)
		}
	})
	t.Run("attributes", func(t *testing.T) {
		got, err := conn.Search(subtree("DC=example,DC=com", "(mail=anke*)", "MAIL", "nothing"))
		if err != nil || len(got.Entries) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		want := []*ldap.EntryAttribute{ldap.NewEntryAttribute("mail", []string{"anke@example.com"})}
		if diff := cmp.Diff(want, got.Entries[0].Attributes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("types only", func(t *testing.T) {
		r := subtree("DC=example,DC=com", "(mail=anke*)", "mail")
		r.TypesOnly = true
		got, err := conn.Search(r)
		if err != nil || len(got.Entries) != 1 || len(got.Entries[0].Attributes) != 1 ||
			len(got.Entries[0].Attributes[0].Values) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("writing", func(t *testing.T) {
		code, _, _ := resultOf(t, conn.Del(ldap.NewDelRequest("CN=Sales,DC=example,DC=com", nil)))
		if code != ldap.LDAPResultUnwillingToPerform {
			t.Errorf("code %d", code)
		}
	})
}
