package extract_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/local/demo/ldif"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/settings"
)

var update = flag.Bool("update", false, "write the golden files again")

// collect reads a testdata LDIF file as a directory would be read.
func collect(t *testing.T, file string, server settings.ServerType, advanced settings.Advanced) *extract.Result {
	t.Helper()
	in, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	entries, err := ldif.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := extract.NewRules(server, advanced)
	if err != nil {
		t.Fatal(err)
	}
	c := extract.NewCollector(rules)
	for _, e := range entries {
		entry := directory.Entry{DN: []byte(e.DN)}
		for _, a := range e.Attributes {
			var values [][]byte
			for _, v := range a.Values {
				values = append(values, []byte(v))
			}
			entry.Attributes = append(entry.Attributes, directory.Attribute{Name: a.Name, Values: values})
		}
		c.Add(&entry)
		// A reader uses the entry's memory again: nothing may point into it.
		for _, a := range entry.Attributes {
			for _, v := range a.Values {
				clear(v)
			}
		}
		clear(entry.DN)
	}
	return c.Result()
}

// describe prints what was found, a line each.
func describe(f *extract.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d entries\n", f.Entries())
	nextClaim, nextSkipped := f.Claims(), f.Skipped()
	for c := nextClaim(); c != nil; c = nextClaim() {
		fmt.Fprintf(&b, "%s\t%s\t%s of %s\t%s\t%s\t%s", c.Key, c.Address, c.Kind, c.PrimaryAddress, c.Type,
			c.SourceID, c.DN)
		if c.Inferred {
			b.WriteString("\t" + c.InferredNote)
		}
		for _, n := range c.Notes {
			b.WriteString("\t(" + n + ")")
		}
		b.WriteString("\n")
	}
	for s := nextSkipped(); s != nil; s = nextSkipped() {
		fmt.Fprintf(&b, "skipped\t%q\t%s of %q\t%s\t%s\t%s", s.Address, s.Kind, s.PrimaryAddress, s.Type, s.DN,
			s.Reason)
		if s.Detail != "" {
			b.WriteString(": " + s.Detail)
		}
		if s.Present {
			b.WriteString("\tpresent")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	overrides := settings.Attributes{Primary: []string{"mail"},
		Aliases: []string{"mailAlternateAddress", "mailLocalAddress"}, ID: ""}
	tests := map[string]struct {
		file     string
		server   settings.ServerType
		advanced settings.Advanced
	}{
		"exchange":            {"exchange.ldif", settings.Exchange, settings.Advanced{}},
		"exchange-users-only": {"exchange.ldif", settings.Exchange, settings.Advanced{Include: []string{"user"}}},
		"exchange-one-domain": {"exchange.ldif", settings.Exchange,
			settings.Advanced{AcceptedDomains: []string{"EXAMPLE.com"}}},
		"exchange-skip-disabled": {"exchange.ldif", settings.Exchange, settings.Advanced{SkipDisabled: true}},
		"exchange-collapse-domains": {"exchange.ldif", settings.Exchange,
			settings.Advanced{CollapseAliasDomains: true}},
		"exchange-subdomains": {"exchange-hybrid.ldif", settings.Exchange,
			settings.Advanced{AcceptedDomains: []string{"*.OnMicrosoft.com", "partner.example"}}},
		"exchange-hybrid": {"exchange-hybrid.ldif", settings.Exchange, settings.Advanced{}},
		"exchange-hybrid-shared-and-rooms": {"exchange-hybrid.ldif", settings.Exchange,
			settings.Advanced{Include: []string{"shared", "resource"}}},
		"exchange2003": {"exchange2003.ldif", settings.Exchange, settings.Advanced{}},
		"exchange55":   {"exchange55.ldif", settings.Exchange, settings.Advanced{}},
		"communigate":  {"communigate.ldif", settings.CommuniGate, settings.Advanced{}},
		"communigate-groups-only": {"communigate.ldif", settings.CommuniGate,
			settings.Advanced{Include: []string{"group"}}},
		"groupwise-nds":  {"groupwise-nds.ldif", settings.GroupWise, settings.Advanced{}},
		"groupwise-gwia": {"groupwise-gwia.ldif", settings.GroupWise, settings.Advanced{}},
		"389ds": {"389ds.ldif", settings.GroupWise, settings.Advanced{Attributes: settings.Attributes{
			Primary: []string{"mail"}, Aliases: []string{"mailAlternateAddress", "mailAlternativeAddress"},
			ID: "nsUniqueId"}}},
		"openldap": {"openldap.ldif", settings.GroupWise, settings.Advanced{Attributes: overrides}},
		"openldap-own-id": {"openldap.ldif", settings.Exchange, settings.Advanced{Attributes: settings.Attributes{
			Primary: []string{"mail"}, Aliases: []string{"mailAlternateAddress"}, ID: "employeeNumber"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := describe(collect(t, test.file, test.server, test.advanced))
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("found (-golden +got):\n%s", diff)
			}
		})
	}
}

func TestAttributesAreAskedForOnce(t *testing.T) {
	t.Parallel()
	rules, err := extract.NewRules(settings.Exchange,
		settings.Advanced{Attributes: settings.Attributes{Primary: []string{"MAIL", "x-primary"}, ID: "entryuuid"}})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, a := range rules.Attributes() {
		if key := strings.ToLower(a); seen[key] {
			t.Errorf("%s is asked for twice", a)
		} else {
			seen[key] = true
		}
	}
	for _, a := range []string{"proxyaddresses", "mail", "othermailbox", "objectguid", "x-primary", "entryuuid",
		"objectclass"} {
		if !seen[a] {
			t.Errorf("%s is not asked for", a)
		}
	}
}
