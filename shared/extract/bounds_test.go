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

// collectAll adds entries and returns what they come to.
func collectAll(t *testing.T, server settings.ServerType, entries ...*directory.Entry) *Result {
	t.Helper()
	rules, err := NewRules(server, settings.Advanced{})
	if err != nil {
		t.Fatal(err)
	}
	c := NewCollector(rules)
	for _, e := range entries {
		c.Add(e)
	}
	return c.Result()
}

func TestLongTextsAreSkippedAndShownShortened(t *testing.T) {
	t.Parallel()
	const mail = "proxyAddresses: SMTP:ann@example.com"
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		server settings.ServerType
		entry  *directory.Entry
		// reason is "" where the address is imported.
		reason  address.Reason
		address string
	}{
		"a DN of 4096 bytes": {settings.Exchange, entryOf("CN="+long(4093), mail), "", "ann@example.com"},
		"a longer DN": {settings.Exchange, entryOf("CN="+long(4094), mail),
			address.ReasonTooLong, "ann@example.com"},
		"a DN that grows when it is shown": {settings.Exchange, entryOf("CN="+strings.Repeat("\x01", 1400), mail),
			address.ReasonTooLong, "ann@example.com"},
		"a DN of a megabyte": {settings.Exchange, entryOf("CN="+long(1<<20), mail),
			address.ReasonTooLong, "ann@example.com"},
		"an id of 2048 bytes": {settings.Exchange, entryOf("CN=a", mail, "entryUUID: "+long(2048)), "",
			"ann@example.com"},
		"a longer id": {settings.Exchange, entryOf("CN=a", mail, "entryUUID: "+long(2049)),
			address.ReasonTooLong, "ann@example.com"},
		"a binary id that grows": {settings.Exchange, entryOf("CN=a", mail, "entryUUID: "+strings.Repeat("\xff", 1025)),
			address.ReasonTooLong, "ann@example.com"},
		"a long value": {settings.Exchange, entryOf("CN=a", "proxyAddresses: SMTP:a@"+long(1<<20)),
			address.ReasonInvalid, "a@" + long(2043) + "…"},
		"a long value without an @": {settings.Exchange, entryOf("CN=a", "proxyAddresses: SMTP:"+long(1<<20)),
			address.ReasonInvalid, "xxxxxxxx…"},
		"an alias entry with a long DN": {settings.CommuniGate, entryOf("uid="+long(5000)+",cn=example.org",
			"objectClass: alias", "uid: a", "aliasedObjectName: uid=ann,cn=example.org"),
			address.ReasonTooLong, "a@example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := collectAll(t, c.server, c.entry)
			var got []string
			for claim := range all(found.Claims) {
				got = append(got, claim.Address)
				if len(claim.DN) > maxDN || len(claim.SourceID) > maxDN {
					t.Errorf("%d bytes of DN and %d of id are kept", len(claim.DN), len(claim.SourceID))
				}
			}
			for s := range all(found.Skipped) {
				got = append(got, fmt.Sprint(s.Address, " ", s.Reason))
				if !s.Present || len(s.DN) > maxDN || len(s.Address) > maxValue || len(s.PrimaryAddress) > maxValue {
					t.Errorf("present %t, %d bytes of DN, %d of address, %d of primary", s.Present, len(s.DN),
						len(s.Address), len(s.PrimaryAddress))
				}
			}
			want := c.address
			if c.reason != "" {
				want += " " + string(c.reason)
			}
			if diff := cmp.Diff([]string{want}, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAValueThatIsNoAddressIsNotShownWhole(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"Winter2026!": "Wi…", "abc": "…", "geheimgeheimgeheimgeheimgeheimgeheim": "geheimge…", "": "",
		"ann@example.com": "ann@example.com", "two@@example.com": "two@@example.com", "pässwörter": "pä…",
	} {
		found := collectAll(t, settings.GroupWise, entryOf("cn=a", "mail: ann@example.org", "mail: x"),
			entryOf("cn=b", "mail: "+value))
		for s := range all(found.Skipped) {
			if s.DN == "cn=b" && (s.Address != want || s.PrimaryAddress != "" || strings.Contains(s.Key, "2026")) {
				t.Errorf("%q is shown as %q with the key %q and the primary %q, want %q", value, s.Address, s.Key,
					s.PrimaryAddress, want)
			}
		}
		if got := shownAddress([]byte(value)); got != want {
			t.Errorf("%q is shown as %q, want %q", value, got, want)
		}
	}
}

// TestMemoryIsCounted holds Memory against the heap, for entries of each fate.
func TestMemoryIsCounted(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	many := func(prefix string) []string {
		var lines []string
		for i := range 20 {
			lines = append(lines, fmt.Sprintf("proxyAddresses: %s%d%s@example.com", prefix, i, strings.Repeat("x", i)))
		}
		return lines
	}
	for name, c := range map[string]struct {
		server settings.ServerType
		entry  func(i int) *directory.Entry
	}{
		"accepted": {settings.Exchange, func(i int) *directory.Entry {
			return entryOf(fmt.Sprint("CN=", i, ",DC=example"), append(many(fmt.Sprint("smtp:a", i, ".")),
				fmt.Sprintf("proxyAddresses: SMTP:a%d@example.com", i))...)
		}},
		"skipped": {settings.Exchange, func(i int) *directory.Entry {
			return entryOf(fmt.Sprint("CN=", i, ",DC=example"), many(fmt.Sprint("smtp:a", i, "."))...)
		}},
		"long DNs": {settings.Exchange, func(i int) *directory.Entry {
			return entryOf(fmt.Sprint("CN=", i, strings.Repeat("x", 9000)), many(fmt.Sprint("smtp:a", i, "."))...)
		}},
		"alias entries": {settings.CommuniGate, func(i int) *directory.Entry {
			return entryOf(fmt.Sprintf("uid=a%d,cn=%s", i, strings.Repeat("x", 2000)), "objectClass: alias",
				fmt.Sprint("uid: a", i), "aliasedObjectName: uid=b,cn="+strings.Repeat("y", 2000))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := NewRules(c.server, settings.Advanced{})
			if err != nil {
				t.Fatal(err)
			}
			before := heap()
			collector := NewCollector(rules)
			for i := range 3000 {
				collector.Add(c.entry(i))
			}
			kept, counted := heap()-before, collector.Memory()
			t.Logf("%d KB kept, %d KB counted", kept>>10, counted>>10)
			if kept > counted+1<<20 || counted > 3*kept+2<<20 {
				t.Errorf("%d bytes are kept and %d counted", kept, counted)
			}
			runtime.KeepAlive(collector)
		})
	}
}
