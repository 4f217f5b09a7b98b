package extract

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// entryOf makes an entry of "name: value" lines.
func entryOf(dn string, lines ...string) *directory.Entry {
	e := &directory.Entry{DN: []byte(dn)}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		e.Attributes = append(e.Attributes, directory.Attribute{Name: name, Values: [][]byte{[]byte(value)}})
	}
	return e
}

// outcomes lists what entries come to: "key kind", or "key: reason" with a mark where the address counts as present.
func outcomes(t *testing.T, server settings.ServerType, a settings.Advanced, entries ...*directory.Entry) []string {
	t.Helper()
	rules, err := NewRules(server, a)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCollector(rules)
	for _, e := range entries {
		c.Add(e)
	}
	found := c.Result()
	var out []string
	for claim := range all(found.Claims) {
		out = append(out, fmt.Sprintf("%s %s", claim.Key, claim.Kind))
	}
	for s := range all(found.Skipped) {
		line := fmt.Sprintf("%s: %s", s.Key, s.Reason)
		if s.Present {
			line += ", present"
		}
		out = append(out, line)
	}
	return out
}

// aliasTo is a CommuniGate alias that points to another entry of its domain.
func aliasTo(name, target string) *directory.Entry {
	return entryOf("uid="+name+",cn=example.net", "objectClass: alias", "uid: "+name,
		"aliasedObjectName: uid="+target+",cn=example.net")
}

// TestALongChainOfAliases follows one to its end, and costs no more than its aliases: a hostile directory may have
// hundreds of thousands.
func TestALongChainOfAliases(t *testing.T) {
	t.Parallel()
	const length = 200_000
	entries := make([]*directory.Entry, 0, length+2)
	for i := range length {
		entries = append(entries, aliasTo(fmt.Sprintf("a%d", i), fmt.Sprintf("a%d", i+1)))
	}
	account := entryOf(fmt.Sprintf("uid=a%d,cn=example.net", length), "objectClass: CommuniGateAccount", "uid: ann")
	found := outcomes(t, settings.CommuniGate, settings.Advanced{}, append(entries, account)...)
	aliases := 0
	for _, line := range found {
		if strings.HasSuffix(line, " alias") {
			aliases++
		}
	}
	if aliases != length || len(found) != length+1 {
		t.Errorf("%d of %d aliases were joined, of %d addresses", aliases, length, len(found))
	}
}

func TestAliasEntries(t *testing.T) {
	t.Parallel()
	const dn = "uid=ann,cn=example.org"
	account := entryOf(dn, "objectClass: CommuniGateAccount", "uid: ann", "userAccountControl: 514")
	group := entryOf(dn, "objectClass: CommuniGateGroup", "uid: ann")
	broken := entryOf(dn, "objectClass: CommuniGateAccount", "mail: no address")
	alias := entryOf("uid=a,cn=example.net", "objectClass: alias", "uid: a", "aliasedObjectName: "+dn)
	second := entryOf("uid=b,cn=example.net", "objectClass: alias", "uid: b", "aliasedObjectName: uid=a,cn=example.net")
	same := entryOf("uid=ann,cn=example.net", "objectClass: alias", "uid: ann", "aliasedObjectName: "+dn)
	for name, c := range map[string]struct {
		advanced settings.Advanced
		entries  []*directory.Entry
		want     []string
	}{
		"joined whichever comes first": {entries: []*directory.Entry{second, alias, account},
			want: []string{"a@example.net alias", "ann@example.org primary", "b@example.net alias"}},
		"of no account": {entries: []*directory.Entry{alias},
			want: []string{"a@example.net: alias points to no account, present"}},
		"that point to each other": {entries: []*directory.Entry{second,
			entryOf("uid=a,cn=example.net", "objectClass: alias", "uid: a", "aliasedObjectName: uid=b,cn=example.net")},
			want: []string{"a@example.net: aliases point to each other, present",
				"b@example.net: aliases point to each other, present"}},
		"that lead into a circle, beside a chain": {entries: []*directory.Entry{
			aliasTo("a", "b"), aliasTo("b", "c"), aliasTo("c", "b"), aliasTo("d", "d"), aliasTo("e", "f"),
			aliasTo("f", "g")},
			want: []string{"a@example.net: aliases point to each other, present",
				"b@example.net: aliases point to each other, present",
				"c@example.net: aliases point to each other, present",
				"d@example.net: aliases point to each other, present",
				"e@example.net: alias points to no account, present",
				"f@example.net: alias points to no account, present"}},
		// The settings leave the account out on purpose, so that its aliases are absent as it is itself.
		"of a type that is not included": {settings.Advanced{Include: []string{"user"}},
			[]*directory.Entry{group, alias, second},
			[]string{"a@example.net: type not included", "ann@example.org: type not included",
				"b@example.net: type not included"}},
		"of a disabled account": {settings.Advanced{SkipDisabled: true}, []*directory.Entry{account, alias},
			[]string{"a@example.net: account disabled", "ann@example.org: account disabled"}},
		"of an account without a usable primary": {entries: []*directory.Entry{broken, alias},
			want: []string{"a@example.net: entry has no primary address, present",
				"no…: invalid address, present"}},
		"in a domain that is not accepted": {settings.Advanced{AcceptedDomains: []string{"example.org"}},
			[]*directory.Entry{account, alias},
			[]string{"ann@example.org primary", "a@example.net: domain not accepted"}},
		"with the account's own local part": {settings.Advanced{CollapseAliasDomains: true},
			[]*directory.Entry{account, same, alias},
			[]string{"a@example.net alias", "ann@example.org primary",
				"ann@example.net: same local part as its primary"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcomes(t, settings.CommuniGate, c.advanced, c.entries...)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoAddressIsDroppedSilently(t *testing.T) {
	t.Parallel()
	override := settings.Advanced{Attributes: settings.Attributes{Primary: []string{"mail"},
		Aliases: []string{"mailAlternateAddress"}}}
	for name, c := range map[string]struct {
		server   settings.ServerType
		advanced settings.Advanced
		lines    []string
		want     []string
	}{
		// $ may stand in a local part; only otherMailbox puts a type before it.
		"a dollar sign in overridden attributes": {settings.GroupWise, override,
			[]string{"mail: a$b@example.com", "mailAlternateAddress: c$d@example.com"},
			[]string{"a$b@example.com primary", "c$d@example.com alias"}},
		"a dollar sign in proxyAddresses": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:a$b@example.com", "proxyAddresses: c$d@example.com"},
			[]string{"a$b@example.com primary", "c$d@example.com alias"}},
		"types of otherMailbox": {settings.Exchange, settings.Advanced{},
			[]string{"mail: ann@example.com", "otherMailbox: smtp$a@example.com", "otherMailbox: CCMAIL$Ann at Old",
				"otherMailbox: X400:c=us"},
			[]string{"a@example.com alias", "ann@example.com primary"}},
		"an alias that looks like the primary": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:ann@example.com", "proxyAddresses: smtp:An\u200bn@example.com"},
			[]string{"ann@example.com primary", "an\u200bn@example.com: invalid address, present"}},
		"a primary with a right-to-left override": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:\u202eann@example.com", "proxyAddresses: smtp:a@example.com"},
			[]string{"a@example.com: entry has no primary address, present",
				"\u202eann@example.com: invalid address, present"}},
		"a second mail of Exchange": {settings.Exchange, settings.Advanced{},
			[]string{"mail: ann@example.com", "mail: a@example.com"},
			[]string{"a@example.com alias", "ann@example.com primary"}},
		"a second mail of CommuniGate": {settings.CommuniGate, settings.Advanced{},
			[]string{"mail: ann@example.com", "mail: a@example.com"},
			[]string{"a@example.com alias", "ann@example.com primary"}},
		"a second SMTP: value": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:ann@example.com", "proxyAddresses: SMTP:a@example.com",
				"mail: ignored@example.com"},
			[]string{"a@example.com primary", "ann@example.com alias"}},
		"a mailto: link": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:ann@example.com", "proxyAddresses: mailto:a@example.com"},
			[]string{"ann@example.com primary", "mailto:a@example.com: invalid address, present"}},
		"a mailto: link before an address": {settings.GroupWise, override,
			[]string{"mail: MAILTO:a@example.com", "mail: ann@example.com"},
			[]string{"ann@example.com primary", "mailto:a@example.com: invalid address, present"}},
		"a mailto: link alone": {settings.GroupWise, settings.Advanced{}, []string{"mail: mailto:a@example.com"},
			[]string{"mailto:a@example.com: invalid address, present"}},
		"a private address beside proxyAddresses": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: SMTP:ann@example.com", "otherMailbox: ann@home.example",
				"otherMailbox: smtp:a@home.example", "otherMailbox: smtp$a@example.com",
				"otherMailbox: Ann@Example.com"},
			[]string{"a@example.com alias", "ann@example.com primary",
				"a@home.example: private address in otherMailbox",
				"ann@home.example: private address in otherMailbox"}},
		"a private address beside other proxyAddresses": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: X500:/o=x", "mail: ann@example.com", "otherMailbox: ann@home.example"},
			[]string{"ann@example.com primary", "ann@home.example: private address in otherMailbox"}},
		"a private address and no primary": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: smtp:ann@example.com", "otherMailbox: ann@home.example"},
			[]string{"ann@example.com: entry has no primary address, present",
				"ann@home.example: private address in otherMailbox"}},
		"otherMailbox without proxyAddresses": {settings.Exchange, settings.Advanced{},
			[]string{"mail: ann@example.com", "otherMailbox: ann@example.net"},
			[]string{"ann@example.com primary", "ann@example.net alias"}},
		"a final sigma and another one": {settings.GroupWise, override,
			[]string{"mail: νικος@example.com", "mailAlternateAddress: νικοσ@example.com"},
			[]string{"νικος@example.com primary", "νικοσ@example.com alias"}},
		"a final sigma and another one without a primary": {settings.Exchange, settings.Advanced{},
			[]string{"proxyAddresses: smtp:νικος@example.com", "proxyAddresses: smtp:νικοσ@example.com",
				"proxyAddresses: smtp:İlker@example.com", "proxyAddresses: smtp:ilker@example.com"},
			[]string{"ilker@example.com: entry has no primary address, present",
				"i\u0307lker@example.com: entry has no primary address, present",
				"νικος@example.com: entry has no primary address, present",
				"νικοσ@example.com: entry has no primary address, present"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, outcomes(t, c.server, c.advanced, entryOf("cn=ann", c.lines...))); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzAnyEntry adds entries with any attributes, two of them so that aliases may find accounts.
func FuzzAnyEntry(f *testing.F) {
	f.Add(uint8(0), "proxyAddresses", "SMTP:a@b.example", "objectClass", "user", "CN=a")
	f.Add(uint8(1), "aliasedObjectName", "uid=x,cn=b.example", "uid", "a", "uid=a,cn=b.example")
	f.Add(uint8(1), "aliasedObjectName", "uid=a,cn=b.example", "objectClass", "alias", "uid=a,cn=b.example")
	f.Add(uint8(2), "mail;lang-de", "\xff@b.example", "GUID", "\x00", ",cn=")
	f.Fuzz(func(t *testing.T, server uint8, name1, value1, name2, value2, dn string) {
		types := settings.ServerTypes()
		rules, err := NewRules(types[int(server)%len(types)],
			settings.Advanced{CollapseAliasDomains: server&8 != 0, SkipDisabled: server&16 != 0})
		if err != nil {
			t.Fatal(err)
		}
		c := NewCollector(rules)
		attributes := []directory.Attribute{{Name: name1, Values: [][]byte{[]byte(value1)}},
			{Name: name2, Values: [][]byte{[]byte(value2), []byte(value1)}}}
		c.Add(&directory.Entry{DN: []byte(dn), Attributes: attributes})
		c.Add(&directory.Entry{DN: []byte("uid=x," + dn),
			Attributes: append(attributes,
				directory.Attribute{Name: "objectClass", Values: [][]byte{[]byte("alias")}})})
		found := c.Result()
		if found.Entries() != 2 {
			t.Errorf("%d entries were read, want 2", found.Entries())
		}
		last := ""
		for claim := range all(found.Claims) {
			if key, err := address.Canonical(claim.Key); err != nil || key != claim.Key {
				t.Errorf("claim of %q, which is canonically %q, %v", claim.Key, key, err)
			}
			if claim.Key < last {
				t.Errorf("%q stands behind %q", claim.Key, last)
			}
			last = claim.Key
		}
		for s := range all(found.Skipped) {
			if s.Reason == "" || strings.ContainsFunc(s.Address+s.DN+s.PrimaryAddress, isControl) {
				t.Errorf("%+v has no reason, or controls in what is shown", s)
			}
		}
	})
}

// entryBytes is what one Exchange entry with 2.2 addresses may keep, growth of the slices included: a million addresses
// then take some 200 MB of the 1 GB that they must fit into. The plan and the stored users need the rest.
const entryBytes = 310

func TestMemoryOfManyEntries(t *testing.T) {
	rules, err := NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const entries = 50_000
	before := heap()
	c := NewCollector(rules)
	for i := range entries {
		e := entryOf(fmt.Sprintf("CN=Person %d,OU=Staff,DC=example,DC=com", i), "objectClass: user",
			"objectGUID: "+fmt.Sprintf("%016d", i),
			fmt.Sprintf("proxyAddresses: SMTP:Person.%d@example.com", i),
			fmt.Sprintf("proxyAddresses: smtp:p%d@example.com", i))
		if i%5 == 0 {
			e.Attributes = append(e.Attributes,
				directory.Attribute{Name: "proxyAddresses",
					Values: [][]byte{fmt.Appendf(nil, "smtp:p%d@example.net", i)}})
		}
		c.Add(e)
	}
	got := float64(heap()-before) / entries
	if c.Addresses() != entries*22/10 {
		t.Errorf("%d addresses, want %d", c.Addresses(), entries*22/10)
	}
	t.Logf("%.0f bytes an entry", got)
	if got > entryBytes {
		t.Errorf("an entry keeps %.0f bytes, want at most %d", got, entryBytes)
	}
}

// isControl reports whether a character is one of the controls beyond ASCII.
func isControl(r rune) bool { return r >= 0x80 && r < 0xa0 }
