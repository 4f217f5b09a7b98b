package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/connector/connectortest"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// comparedAttributes are text, bytes, several values, and one that nobody has.
var comparedAttributes = []string{"objectClass", "cn", "mail", "proxyAddresses", "objectGUID", "entryUUID",
	"description"}

// findings are what a search came to: each entry's attributes in order, and the references.
type findings struct {
	Entries    map[string][]string
	References []string
}

// TestTheReaderAnswersAsGoLDAP holds the reader's answers against the general client's: each entry, attribute and
// value.
func TestTheReaderAnswersAsGoLDAP(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	s := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(2500)})
	sameAnswers(t, s, s.BaseDN, 2503)
	t.Run("ldapsearch accepts what the corpus of filters says", func(t *testing.T) { filtersOfLdapsearch(t, s) })
}

// filtersOfLdapsearch gives each filter of the parser's corpus to OpenLDAP's own client.
func filtersOfLdapsearch(t *testing.T, s *ldapserver.Server) {
	data, err := os.ReadFile("../shared/directory/testdata/filters.txt")
	if err != nil {
		t.Fatal(err)
	}
	server := "ldap://" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		filter := strings.TrimSuffix(line[6:], "\n")
		output, err := exec.CommandContext(t.Context(), "ldapsearch", "-LLL", "-x", "-H", server, "-b", "", "-s",
			"base", filter, "1.1").CombinedOutput()
		refused := strings.Contains(string(output), "Bad search filter")
		if err != nil && !refused {
			t.Fatalf("ldapsearch (package ldap-utils) %s: %v\n%s", filter, err, output)
		}
		if refused == (line[4] == '+') {
			t.Errorf("ldapsearch and the corpus disagree about %s: %s", filter, output)
		}
	}
}

// connection reads a server with its own user, without encryption where it offers none.
func connection(s *ldapserver.Server) settings.Connection {
	to := settings.Connection{ServerType: settings.Exchange, Host: s.Host, Port: s.SSLPort, UseSSL: true,
		Username: s.Username, Password: secret.New(s.Password), CACertificate: s.CACertificate}
	if s.SSLPort == 0 {
		to.Port, to.UseSSL, to.Encryption = s.Port, false, settings.None
	}
	return to
}

// sameAnswers reads all entries below a base with both clients. There are at least so many.
func sameAnswers(t *testing.T, s *ldapserver.Server, base string, least int) {
	t.Helper()
	want, got := generalAnswer(t, s, base), readerAnswer(t, s, base)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go-ldap (-) and the reader (+) differ:\n%.3000s", diff)
	}
	if len(got.Entries) < least {
		t.Errorf("%d entries, want %d", len(got.Entries), least)
	}
	samePlan(t, s, base)
}

// samePlan records a read as a connector does, and compares the plan that it plays with that of a direct read.
func samePlan(t *testing.T, s *ldapserver.Server, base string) {
	t.Helper()
	imp := settings.Import{Connection: connection(s), Advanced: settings.Advanced{SearchBase: base}}
	reader := directory.New(directory.Config{})
	player, err := connectortest.Record(t.Context(), reader, reader, imp)
	if err != nil {
		t.Fatal(err)
	}
	want, err := connectortest.PlanOf(t.Context(), reader, imp, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := connectortest.PlanOf(t.Context(), player, imp, nil)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(run.Certificate{})); diff != "" || err != nil {
		t.Errorf("a direct read (-) and a recorded one (+) differ: %v\n%.3000s", err, diff)
	}
}

func readerAnswer(t *testing.T, s *ldapserver.Server, base string) findings {
	t.Helper()
	out := findings{Entries: map[string][]string{}}
	query := directory.Query{SearchBase: base, Filter: "(objectClass=*)", Attributes: comparedAttributes}
	info, err := directory.New(directory.Config{}).Read(t.Context(), connection(s), query, func(run.Step) {},
		func(e *directory.Entry) error {
			lines := []string{}
			for _, a := range e.Attributes {
				for _, v := range a.Values {
					lines = append(lines, fmt.Sprintf("%s=%q", a.Name, v))
				}
			}
			out.Entries[string(e.DN)] = lines
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	out.References = slices.Sorted(slices.Values(info.References))
	return out
}

func generalAnswer(t *testing.T, s *ldapserver.Server, base string) findings {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(s.CACertificate))
	address := "ldaps://" + net.JoinHostPort(s.Host, strconv.Itoa(s.SSLPort))
	if s.SSLPort == 0 {
		address = "ldap://" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	}
	conn, err := ldap.DialURL(address, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: s.Host}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Bind(s.Username, s.Password); err != nil {
		t.Fatal(err)
	}
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", comparedAttributes, nil)
	found, err := conn.SearchWithPaging(request, 1000)
	if err != nil {
		t.Fatal(err)
	}
	out := findings{Entries: map[string][]string{}, References: slices.Sorted(slices.Values(found.Referrals))}
	for _, e := range found.Entries {
		lines := []string{}
		for _, a := range e.Attributes {
			for _, v := range a.ByteValues {
				lines = append(lines, fmt.Sprintf("%s=%q", a.Name, v))
			}
		}
		out.Entries[e.DN] = lines
	}
	return out
}
