package ldapserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"rollcall/e2e/servers/ldapserver"
)

func trust(s *ldapserver.Server) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s.CACertificate))
	return &tls.Config{RootCAs: roots, ServerName: s.Host}
}

func url(scheme, host string, port int) string {
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

func dial(t *testing.T, address string, options ...ldap.DialOpt) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetTimeout(2 * time.Minute)
	return conn
}

// bound connects with STARTTLS and binds as the reader.
func bound(t *testing.T, s *ldapserver.Server) *ldap.Conn {
	t.Helper()
	conn := dial(t, url("ldap", s.Host, s.Port))
	if err := conn.StartTLS(trust(s)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Bind(s.Username, s.Password); err != nil {
		t.Fatal(err)
	}
	return conn
}

func subtree(base, filter string, attributes ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes,
		nil)
}

// find pages through a search, 1000 entries a page.
func find(t *testing.T, conn *ldap.Conn, base, filter string, attributes ...string) *ldap.SearchResult {
	t.Helper()
	found, err := conn.SearchWithPaging(subtree(base, filter, attributes...), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantCode(t *testing.T, err error, code uint16) {
	t.Helper()
	if !ldap.IsErrorWithCode(err, code) {
		t.Errorf("error = %v, want code %d", err, code)
	}
}

// checkConnections proves both ways to TLS, that a wrong password is refused, and that strangers see nothing.
func checkConnections(t *testing.T, s *ldapserver.Server) {
	t.Helper()
	t.Run("STARTTLS", func(t *testing.T) { bound(t, s) })
	t.Run("SSL", func(t *testing.T) {
		conn := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := conn.Bind(s.Username, s.Password); err != nil {
			t.Error(err)
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		_, err := ldap.DialURL(url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(&tls.Config{ServerName: s.Host}))
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) && (err == nil || !strings.Contains(err.Error(), "unknown authority")) {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		conn := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		wantCode(t, conn.Bind(s.Username, "wrong"), ldap.LDAPResultInvalidCredentials)
	})
	t.Run("administrator", func(t *testing.T) {
		conn := dial(t, url("ldaps", s.Host, s.SSLPort), ldap.DialWithTLSConfig(trust(s)))
		if err := conn.Bind(s.AdminUsername, s.AdminPassword); err != nil {
			t.Error(err)
		}
	})
}

// ldapsearch counts the entries that OpenLDAP's own client finds, over STARTTLS.
func ldapsearch(t *testing.T, s *ldapserver.Server, filter string) int {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, ca, s.CACertificate)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "ldapsearch", "-LLL", "-x", "-ZZ", "-H", url("ldap", s.Host, s.Port), "-D",
		s.Username, "-w", s.Password,
		"-E", "pr=1000/noprompt", "-b", s.BaseDN, filter, "1.1")
	command.Env = append(command.Environ(), "LDAPTLS_CACERT="+ca)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("ldapsearch (package ldap-utils): %v\n%s", err, output)
	}
	return strings.Count(string(output), "\ndn: ") + strings.Count(string(output[:min(4, len(output))]), "dn: ")
}
