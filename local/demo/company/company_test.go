package company_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo/company"
	"rollcall/local/demo/ldif"
	"rollcall/shared/settings"
)

func TestTreeSurvivesLDIF(t *testing.T) {
	for _, serverType := range settings.ServerTypes() {
		t.Run(string(serverType), func(t *testing.T) {
			want := company.Tree(serverType)
			got, err := ldif.Read(bytes.NewReader(company.LDIF(serverType)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTreeHasWhatRealOnesHave checks that the demo has the cases that it exists to show.
func TestTreeHasWhatRealOnesHave(t *testing.T) {
	has := func(entries []ldif.Entry, attribute string, match func(string) bool) int {
		n := 0
		for _, e := range entries {
			for _, v := range e.Get(attribute) {
				if match(v) {
					n++
				}
			}
		}
		return n
	}
	is := func(want string) func(string) bool { return func(v string) bool { return v == want } }
	contains := func(part string) func(string) bool {
		return func(v string) bool { return strings.Contains(v, part) }
	}
	nonASCIILocalPart := func(v string) bool {
		local, _, found := strings.Cut(v, "@")
		return found && strings.ContainsFunc(local, func(r rune) bool { return r > 0x7f })
	}
	for _, c := range []struct {
		name      string
		server    settings.ServerType
		attribute string
		match     func(string) bool
		want      int
	}{
		{"people", settings.Exchange, "department", contains(""), company.People},
		{"people", settings.CommuniGate, "givenName", contains(""), company.People},
		{"people", settings.GroupWise, "nGWPostOffice", contains(""), company.People},
		{"primary addresses", settings.Exchange, "proxyAddresses",
			func(v string) bool { return strings.HasPrefix(v, "SMTP:") }, 243},
		{"shared mailboxes", settings.Exchange, "msExchRecipientTypeDetails", is("4"), 8},
		{"rooms", settings.Exchange, "msExchRecipientTypeDetails", is("16"), 5},
		{"contacts", settings.Exchange, "msExchRecipientTypeDetails", is("64"), 16},
		{"public folders", settings.Exchange, "msExchRecipientTypeDetails", is("4096"), 1},
		{"arbitration mailboxes", settings.Exchange, "msExchRecipientTypeDetails", is("8388608"), 2},
		{"hidden entries", settings.Exchange, "msExchHideFromAddressLists", is("TRUE"), 8},
		{"X500 addresses", settings.Exchange, "proxyAddresses",
			func(v string) bool { return strings.HasPrefix(v, "X500:") }, 50},
		{"duplicates of a group", settings.Exchange, "proxyAddresses", is("smtp:Sales@example.com"), 5},
		{"no address", settings.Exchange, "proxyAddresses", is("smtp:two@@example.com"), 1},
		{"local part outside ASCII, SMTP and SIP", settings.Exchange, "proxyAddresses", nonASCIILocalPart, 2},
		{"IDN as A-labels", settings.Exchange, "proxyAddresses", contains("@xn--bcher-kva.example"), 1},
		{"aliases", settings.CommuniGate, "aliasedObjectName", contains(""), 165},
		{"dangling alias", settings.CommuniGate, "aliasedObjectName", contains("uid=gone.away,"), 1},
		{"groups", settings.CommuniGate, "objectClass", is("CommuniGateGroup"), 8},
		{"duplicates of a group by case", settings.CommuniGate, "mail", is("Sales@Example.ORG"), 1},
		{"local part outside ASCII", settings.CommuniGate, "mail", nonASCIILocalPart, 1},
		{"distribution lists", settings.GroupWise, "objectClass", is("groupWiseDistributionList"), 8},
		{"resources", settings.GroupWise, "objectClass", is("groupWiseResource"), 17},
		{"external entities", settings.GroupWise, "objectClass", is("groupWiseExternalEntity"), 16},
		{"duplicates of a resource by case", settings.GroupWise, "mail", is("Info@Example.NET"), 1},
		{"local part outside ASCII", settings.GroupWise, "mail", nonASCIILocalPart, 1},
	} {
		t.Run(string(c.server)+" "+c.name, func(t *testing.T) {
			if got := has(company.Tree(c.server), c.attribute, c.match); got != c.want {
				t.Errorf("found %d, want %d", got, c.want)
			}
		})
	}
}

func TestEveryEntryHasItsSuperior(t *testing.T) {
	for _, serverType := range settings.ServerTypes() {
		seen := map[string]bool{}
		for i, e := range company.Tree(serverType) {
			if seen[strings.ToLower(e.DN)] {
				t.Errorf("%s: %q is there twice", serverType, e.DN)
			}
			seen[strings.ToLower(e.DN)] = true
			parent := e.DN
			for {
				var ok bool
				_, parent, ok = strings.Cut(parent, ",")
				if !ok || seen[strings.ToLower(parent)] {
					break
				}
			}
			if i > 0 && parent == "" {
				t.Errorf("%s: %q stands before its superior", serverType, e.DN)
			}
		}
	}
}
