package demo_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo"
	"rollcall/local/demo/company"
	"rollcall/shared/settings"
)

// TestEmbeddedDirectoriesAreTheGenerators fails after a change to package company without `go generate ./local/demo`.
func TestEmbeddedDirectoriesAreTheGenerators(t *testing.T) {
	for _, serverType := range settings.ServerTypes() {
		got, err := demo.LDIF(serverType)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, company.LDIF(serverType)) {
			t.Errorf("data/%s.ldif is not what the generator writes; run go generate ./local/demo", serverType)
		}
	}
	if _, err := demo.LDIF("notes"); err == nil {
		t.Error("there is a demo directory for an unknown server type")
	}
}

func start(t *testing.T, dir string) (map[settings.ServerType]demo.Directory, func()) {
	t.Helper()
	directories, stop, err := demo.Start(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	byType := map[settings.ServerType]demo.Directory{}
	for _, d := range directories {
		byType[d.Connection.ServerType] = d
	}
	stopped := func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stopped)
	return byType, stopped
}

func clientTLS(c demo.Connection) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c.CACertificate))
	return &tls.Config{RootCAs: roots, ServerName: c.Host}
}

// dial connects with STARTTLS as the printed settings say.
func dial(t *testing.T, c demo.Connection) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetTimeout(10 * time.Second)
	if err := conn.StartTLS(clientTLS(c)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func search(base, filter string, scope int) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, nil, nil)
}

func TestDirectoriesServeTheirDefaults(t *testing.T) {
	directories, _ := start(t, t.TempDir())
	for _, c := range []struct {
		server           settings.ServerType
		contextAttribute string
		base             string
		filter           string
		want             int
	}{
		{settings.Exchange, "defaultNamingContext", "DC=example,DC=com", "(proxyAddresses=smtp:*)", 243},
		{settings.CommuniGate, "namingContexts", "o=Example",
			"(|(objectClass=CommuniGateAccount)(objectClass=CommuniGateGroup)(objectClass=alias))", 391},
		{settings.GroupWise, "namingContexts", "o=Example",
			"(&(mail=*)(|(objectClass=inetOrgPerson)(objectClass=person)" +
				"(objectClass=groupWiseDistributionList)(objectClass=groupWiseExternalEntity)" +
				"(objectClass=groupWiseResource)))", 235},
	} {
		t.Run(string(c.server), func(t *testing.T) {
			connection := directories[c.server].Connection
			conn := dial(t, connection)
			dse, err := conn.Search(search("", "(objectClass=*)", ldap.ScopeBaseObject))
			if err != nil {
				t.Fatal(err)
			}
			if got := dse.Entries[0].GetAttributeValue(c.contextAttribute); got != c.base {
				t.Errorf("%s = %q, want %q", c.contextAttribute, got, c.base)
			}
			if got := dse.Entries[0].GetAttributeValues("supportedExtension"); len(got) != 1 ||
				got[0] != "1.3.6.1.4.1.1466.20037" {
				t.Errorf("supportedExtension = %v", got)
			}
			if err := conn.Bind(connection.Username, connection.Password); err != nil {
				t.Fatal(err)
			}
			found, err := conn.SearchWithPaging(search(c.base, c.filter, ldap.ScopeWholeSubtree), 50)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Entries) != c.want {
				t.Errorf("%d entries, want %d", len(found.Entries), c.want)
			}
		})
	}
}

func TestBinds(t *testing.T) {
	directories, _ := start(t, t.TempDir())
	for _, c := range []struct {
		name     string
		server   settings.ServerType
		user     string
		wantCode uint16
		wantText string
	}{
		{"DN", settings.Exchange, "CN=Rollcall Reader,OU=Service Accounts,DC=example,DC=com", 0, ""},
		{"UPN", settings.Exchange, "reader@example.com", 0, ""},
		{"down-level name", settings.Exchange, `EXAMPLE\reader`, 0, ""},
		{"unknown", settings.Exchange, "nobody@example.com", ldap.LDAPResultInvalidCredentials, "data 52e"},
		{"DN", settings.CommuniGate, "uid=reader,cn=example.org,o=Example", 0, ""},
		{"account", settings.CommuniGate, "reader@example.org", 0, ""},
		{"unknown", settings.CommuniGate, "nobody@example.org", ldap.LDAPResultInvalidCredentials,
			"incorrect password"},
		{"DN", settings.GroupWise, "cn=reader,ou=Services,o=Example", 0, ""},
		{"unknown", settings.GroupWise, "cn=nobody,o=Example", ldap.LDAPResultInvalidCredentials, "-669"},
	} {
		t.Run(string(c.server)+" "+c.name, func(t *testing.T) {
			connection := directories[c.server].Connection
			conn := dial(t, connection)
			err := conn.Bind(c.user, connection.Password)
			if c.wantCode == 0 && err != nil {
				t.Fatal(err)
			}
			if c.wantCode != 0 && (!ldap.IsErrorWithCode(err, c.wantCode) ||
				!strings.Contains(err.Error(), c.wantText)) {
				t.Fatalf("error = %v, want code %d with %q", err, c.wantCode, c.wantText)
			}
			err = conn.Bind(connection.Username, "wrong")
			if !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
				t.Errorf("a wrong password gave %v", err)
			}
		})
	}
	t.Run("exchange refuses a password in plain text", func(t *testing.T) {
		connection := directories[settings.Exchange].Connection
		conn, err := ldap.DialURL("ldap://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(connection.Port)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		err = conn.Bind(connection.Username, connection.Password)
		if !ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired) {
			t.Errorf("bind gave %v", err)
		}
	})
}

func TestSSLOnTheSamePort(t *testing.T) {
	directories, _ := start(t, t.TempDir())
	for serverType, d := range directories {
		address := "ldaps://" + net.JoinHostPort(d.Connection.Host, strconv.Itoa(d.Connection.Port))
		conn, err := ldap.DialURL(address, ldap.DialWithTLSConfig(clientTLS(d.Connection)))
		if err != nil {
			t.Errorf("%s: %v", serverType, err)
			continue
		}
		if err := conn.Bind(d.Connection.Username, d.Connection.Password); err != nil {
			t.Errorf("%s: %v", serverType, err)
		}
		conn.Close()
	}
}

// body is what POST /v1/previews reads of a settings file.
type body struct {
	Connection demo.Connection `json:"connection"`
}

func readBody(t *testing.T, d demo.Directory) body {
	t.Helper()
	info, err := os.Stat(d.SettingsFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("settings file: %v, %v; want mode 0600", info, err)
	}
	raw, err := os.ReadFile(d.SettingsFile)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var b body
	if err := decoder.Decode(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRestartKeepsPortsAndAuthority(t *testing.T) {
	dir := t.TempDir()
	first, stop := start(t, dir)
	for _, d := range first {
		if diff := cmp.Diff(d.Connection, readBody(t, d).Connection); diff != "" {
			t.Error(diff)
		}
	}
	stop()
	second, stop := start(t, dir)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("a restart changed the directories: %s", diff)
	}
	// Somebody else has the ports now: the directories move, and their settings files say so.
	stop()
	for _, d := range first {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Connection.Port)))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	third, _ := start(t, dir)
	for serverType, d := range third {
		if d.Connection.Port == first[serverType].Connection.Port {
			t.Errorf("%s listens on a port that was taken", serverType)
		}
		if diff := cmp.Diff(d.Connection, readBody(t, d).Connection); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheContextStopsThem(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	directories, stop, err := demo.Start(ctx, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(directories[0].Connection.Port))
	if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		conn.Close()
		t.Error("a directory still listens")
	}
}

func TestPrint(t *testing.T) {
	var out bytes.Buffer
	err := demo.Print(&out, []demo.Directory{{Name: "Microsoft Exchange", SettingsFile: "demo/exchange.json",
		CAFile: "demo/ca.pem",
		Connection: demo.Connection{Host: "localhost", Port: 10389, Username: "reader@example.com",
			Password: "demo-reader-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "  Microsoft Exchange     localhost:10389  reader@example.com  password demo-reader-1\n" +
		"                         {\"connection\":…} ready in demo/exchange.json\n" +
		"  Their CA certificate   demo/ca.pem\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if err := demo.Print(brokenWriter{}, []demo.Directory{{}}); !errors.Is(err, errBroken) {
		t.Errorf("error = %v", err)
	}
}

func TestHandlerServesTheConnectionsByServerType(t *testing.T) {
	recorder := httptest.NewRecorder()
	demo.Handler([]demo.Directory{
		{Connection: demo.Connection{ServerType: settings.Exchange, Port: 10389, Password: "demo-reader-1"}},
		{Connection: demo.Connection{ServerType: settings.GroupWise, Port: 12389}},
	}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/demo.json", nil))
	var got map[settings.ServerType]demo.Connection
	if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[settings.Exchange].Password != "demo-reader-1" || got[settings.GroupWise].Port != 12389 {
		t.Errorf("the handler serves %s", recorder.Body)
	}
}

var errBroken = errors.New("broken")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }
