package ldapd_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/local/demo/ldapd"
	"rollcall/local/demo/ldif"
)

func TestBind(t *testing.T) {
	s := serve(t, nil)
	strict := serve(t, func(c *ldapd.Config) {
		c.Behaviour.PlainBind = ldapd.Result{Code: ldapd.CodeStrongerAuthRequired}
		c.Behaviour.Anonymous = ldapd.Result{Code: ldapd.CodeInappropriateAuthentication}
	})
	for _, c := range []struct {
		name           string
		server         served
		user, password string
		want           uint16
	}{
		{"DN", s, "cn=SALES, dc=example,dc=com", "secret", 0},
		{"UPN", s, "Sales@Example.com", "secret", 0},
		{"domain and account", s, `example\sales`, "secret", 0},
		{"wrong password", s, "sales@example.com", "Secret", ldap.LDAPResultInvalidCredentials},
		{"unknown name", s, "nobody@example.com", "secret", ldap.LDAPResultInvalidCredentials},
		{"text that is no name", s, `\`, "secret", ldap.LDAPResultInvalidCredentials},
		{"before TLS where that is refused", strict, "sales@example.com", "secret", ldap.LDAPResultStrongAuthRequired},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, text, _ := resultOf(t, c.server.dial(t).Bind(c.user, c.password)); code != c.want {
				t.Errorf("code %d %q, want %d", code, text, c.want)
			}
		})
	}
	t.Run("anonymous is taken", func(t *testing.T) {
		if err := s.dial(t).UnauthenticatedBind(""); err != nil {
			t.Error(err)
		}
	})
	t.Run("anonymous is refused", func(t *testing.T) {
		code, _, _ := resultOf(t, strict.dial(t).UnauthenticatedBind(""))
		if code != ldap.LDAPResultInappropriateAuthentication {
			t.Errorf("code %d", code)
		}
	})
	t.Run("a name without a password", func(t *testing.T) {
		code, _, _ := resultOf(t, s.dial(t).UnauthenticatedBind("sales@example.com"))
		if code != ldap.LDAPResultUnwillingToPerform {
			t.Errorf("code %d", code)
		}
	})
	t.Run("a failed bind ends the one before", func(t *testing.T) {
		conn := s.bound(t)
		if err := conn.Bind("sales@example.com", "wrong"); err == nil {
			t.Fatal("bound with a wrong password")
		}
		_, err := conn.Search(subtree("DC=example,DC=com", "(objectClass=*)"))
		if code, _, _ := resultOf(t, err); code != ldap.LDAPResultOperationsError {
			t.Errorf("search gave %d", code)
		}
	})
}

func TestTLS(t *testing.T) {
	s := serve(t, func(c *ldapd.Config) { c.Behaviour.PlainBind = ldapd.Result{Code: ldapd.CodeStrongerAuthRequired} })
	t.Run("STARTTLS, then bind", func(t *testing.T) {
		conn := s.dial(t)
		if err := conn.StartTLS(s.client); err != nil {
			t.Fatal(err)
		}
		if err := conn.Bind("sales@example.com", "secret"); err != nil {
			t.Error(err)
		}
	})
	t.Run("TLS from the first byte on the same port", func(t *testing.T) {
		conn, err := ldap.DialURL("ldaps://"+s.address, ldap.DialWithTLSConfig(s.client))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.Bind("sales@example.com", "secret"); err != nil {
			t.Error(err)
		}
		if code, _, _ := resultOf(t, conn.StartTLS(s.client)); code != ldap.LDAPResultOperationsError &&
			code != ldap.ErrorNetwork {
			t.Errorf("STARTTLS inside TLS gave %d", code)
		}
	})
	t.Run("without the authority", func(t *testing.T) {
		err := s.dial(t).StartTLS(&tls.Config{ServerName: "localhost"})
		if err == nil || !strings.Contains(err.Error(), "unknown authority") { // go-ldap keeps only the text
			t.Errorf("error = %v", err)
		}
	})
	t.Run("data behind a STARTTLS request is refused", func(t *testing.T) {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		startTLS := append([]byte{0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16}, "1.3.6.1.4.1.1466.20037"...)
		unbind := []byte{0x30, 5, 2, 1, 2, 0x42, 0}
		if _, err := conn.Write(append(startTLS, unbind...)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 16)); err == nil {
			t.Errorf("the server answered %d bytes", n)
		}
	})
}

func TestCloseEndsIdleSessions(t *testing.T) {
	c, _ := config(t)
	s, err := ldapd.New(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	done := make(chan error)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for an idle client")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, entries := range map[string][]ldif.Entry{
		"a bad name":                      {entry("example")},
		"a name that ends in a backslash": {entry(`cn=a\`)},
		"the same name":                   {entry("cn=a,dc=example"), entry("CN=A, DC=example")},
	} {
		if _, err := ldapd.New(ldapd.Config{Entries: entries}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
