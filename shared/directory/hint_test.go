package directory_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// TestWhatADirectoryThatGivesNothingSeemsToHave reads directories in which the default filter finds nobody.
func TestWhatADirectoryThatGivesNothingSeemsToHave(t *testing.T) {
	t.Parallel()
	root := func(more map[string][]string) map[string][]string {
		out := map[string][]string{"namingContexts": {"dc=example,dc=com"},
			"supportedControl": {ldap.ControlTypePaging}}
		for name, values := range more {
			out[name] = values
		}
		return out
	}
	ad := root(map[string][]string{"defaultNamingContext": {"dc=example,dc=com"},
		"supportedCapabilities": {"1.2.840.113556.1.4.800"}, "vendorName": {"Samba Team"}})
	ds := root(map[string][]string{"vendorName": {"389 Project"}, "vendorVersion": {"389-Directory/2.3.1"}})
	for name, test := range map[string]struct {
		serverType settings.ServerType
		root       map[string][]string
		// has are the attributes that entries have, and entries how many there are at all.
		has     []string
		entries int
		change  func(*directory.Query)
		says    []string
		silent  []string
	}{
		"Exchange, of which there is only mail": {settings.Exchange, ad, []string{"mail"}, 9, nil,
			[]string{"Below dc=example,dc=com there are entries with mail.", "enter the filter string (mail=*)."},
			[]string{"looks like", "override"}},
		"mail and aliases elsewhere": {settings.GroupWise, ds, []string{"mail", "mailAlternateAddress"}, 9, nil,
			[]string{"looks like 389 Directory Server.", "the filter string (|(mail=*)(mailAlternateAddress=*))",
				"in the attribute overrides mailAlternateAddress for the aliases"}, []string{"for the primary"}},
		"attributes that no type reads": {settings.GroupWise, root(nil),
			[]string{"mailPrimaryAddress", "mailAlternativeAddress"}, 9, nil,
			[]string{"mailPrimaryAddress for the primary address and mailAlternativeAddress for the aliases"}, nil},
		"overrides that have them": {settings.GroupWise, ds, []string{"mailAlternateAddress"}, 9,
			func(q *directory.Query) { q.Named = []string{"mailalternateaddress"} },
			[]string{"(mailAlternateAddress=*)"}, []string{"override"}},
		"the wrong server type": {settings.CommuniGate, ad, []string{"proxyAddresses", "mail"}, 9, nil,
			[]string{"looks like Active Directory: choose the server type Microsoft Exchange Server."}, nil},
		"eDirectory": {settings.Exchange, root(map[string][]string{"vendorName": {"NetIQ Corporation"}}), nil, 9, nil,
			[]string{"choose the server type Novell GroupWise"}, nil},
		"a domain without directory integration": {settings.CommuniGate, root(nil), nil, 1, nil,
			[]string{"there is no entry that cn=reader may read", "directory integration is on"}, nil},
		"no addresses at all": {settings.Exchange, root(nil), nil, 9, nil,
			[]string{"No entry below dc=example,dc=com has an address"}, []string{"integration"}},
		"a filter that somebody entered": {settings.Exchange, ad, []string{"mail"}, 9,
			func(q *directory.Query) { q.Filter = "(cn=nobody)" }, nil, []string{"."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var questions atomic.Int64
			s := &script{root: test.root, search: func(c *session, n int, r search) bool {
				if n == 1 {
					c.page("")
					return true
				}
				attribute, presence := strings.CutSuffix(strings.TrimPrefix(r.filter, "("), "=*)")
				questions.Add(1)
				ofSeveral := strings.HasPrefix(r.filter, "(|")
				if !presence && !ofSeveral || !slices.Equal(r.attributes, []string{"objectClass"}) {
					t.Errorf("the hint asks %s for %q", r.filter, r.attributes)
				}
				found := 0
				if slices.Contains(test.has, attribute) || ofSeveral && len(test.has) > 0 {
					found = 1
				} else if attribute == "objectClass" {
					found = min(test.entries, 2)
				}
				for range found {
					c.entry("cn=a", nil)
				}
				c.done(map[bool]int64{true: ldap.LDAPResultSizeLimitExceeded}[found > 0])
				return true
			}}
			g := read(t, s, directory.Config{}, func(to *settings.Connection, q *directory.Query) {
				to.ServerType, q.Found = test.serverType, func() int { return 0 }
				if test.change != nil {
					test.change(q)
				}
			})
			if g.err != nil || len(g.entries) > 0 {
				t.Fatalf("entries %q, error %v", g.entries, g.err)
			}
			if len(test.has) == 0 && questions.Load() > 2 {
				t.Errorf("%d questions, where one says that there is nothing", questions.Load())
			}
			for _, says := range test.says {
				if !strings.Contains(g.info.Hint, says) {
					t.Errorf("the hint %q lacks %q", g.info.Hint, says)
				}
			}
			for _, silent := range test.silent {
				if strings.Contains(g.info.Hint, silent) {
					t.Errorf("the hint %q has %q", g.info.Hint, silent)
				}
			}
		})
	}
}

// TestAHintIsNoPartOfTheRead has servers that fail once they were read, and entries without addresses.
func TestAHintIsNoPartOfTheRead(t *testing.T) {
	t.Parallel()
	nothing := func() int { return 0 }
	for name, test := range map[string]struct {
		entries int
		found   func() int
		answer  func(*session) bool
		hint    bool
	}{
		"hung up":         {0, nothing, func(*session) bool { return false }, true},
		"refused":         {0, nothing, func(c *session) bool { c.done(11); return true }, true},
		"nothing in them": {2, nothing, func(c *session) bool { c.done(0); return true }, true},
		"something":       {2, func() int { return 1 }, func(c *session) bool { c.done(0); return true }, false},
		"nobody who asks": {0, nil, func(c *session) bool { c.done(0); return true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{root: offersPaging, search: func(c *session, n int, _ search) bool {
				if n > 1 {
					return test.answer(c)
				}
				for range test.entries {
					c.person("a")
				}
				c.page("")
				return true
			}}
			g := read(t, s, directory.Config{},
				func(_ *settings.Connection, q *directory.Query) { q.Found = test.found })
			if g.err != nil || len(g.entries) != test.entries || (g.info.Hint != "") != test.hint {
				t.Errorf("%d entries, hint %q, error %v; want %d and a hint: %t", len(g.entries), g.info.Hint, g.err,
					test.entries, test.hint)
			}
		})
	}
}
