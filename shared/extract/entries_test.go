package extract

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

func TestMailValue(t *testing.T) {
	t.Parallel()
	type got struct {
		Text         string
		Marked, Mail bool
	}
	for in, want := range map[string]got{
		"SMTP:a@b.example": {"a@b.example", true, true},
		"smtp:a@b.example": {"a@b.example", false, true},
		"Smtp:a@b.example": {"a@b.example", false, true},
		"smtp$a@b.example": {"a@b.example", false, true},
		"SMTP$a@b.example": {"a@b.example", false, true},
		"a@b.example":      {"a@b.example", false, true},
		"X500:/o=a/cn=b":   {"X500:/o=a/cn=b", false, false},
		"sip:a@b.example":  {"sip:a@b.example", false, false},
		"MS$NET/POST/ANN":  {"MS$NET/POST/ANN", false, false},
		"x400:c=us;a=x":    {"x400:c=us;a=x", false, false},
		"MailTo:a@b.de":    {"MailTo:a@b.de", false, true},
		"":                 {"", false, false},
		":a@b.example":     {":a@b.example", false, true},
		"a/b:c@d.example":  {"a/b:c@d.example", false, true},
	} {
		text, marked, mail := mailValue("othermailbox", []byte(in))
		if diff := cmp.Diff(want, got{string(text), marked, mail}); diff != "" {
			t.Errorf("mailValue(%q) (-want +got):\n%s", in, diff)
		}
	}
}

// FuzzCollector adds entries with any values. Whatever they hold, each claim is canonical, and each mail value becomes
// a claim or a skipped one.
func FuzzCollector(f *testing.F) {
	f.Add("SMTP:a@b.example", "smtp:c@d.example", "X500:x", "CN=a", "user")
	f.Add("smtp:", "SMTP:", ":", ",", "alias")
	f.Add("smtp:a@b.example", "smtp:A@B.example", "\xff", "CN=\x00", "group")
	f.Fuzz(func(t *testing.T, first, second, third, dn, class string) {
		rules, err := NewRules(settings.Exchange, settings.Advanced{})
		if err != nil {
			t.Fatal(err)
		}
		c := NewCollector(rules)
		values := []string{first, second, third}
		entry := directory.Entry{DN: []byte(dn),
			Attributes: []directory.Attribute{{Name: "objectClass", Values: [][]byte{[]byte(class)}},
				{Name: "proxyAddresses"}}}
		for _, v := range values {
			entry.Attributes[1].Values = append(entry.Attributes[1].Values, []byte(v))
		}
		c.Add(&entry)
		found := c.Result()
		seen := make(map[string]bool)
		for claim := range all(found.Claims) {
			if key, err := address.Canonical(claim.Address); err != nil || key != claim.Key ||
				claim.SourceID == "" && dn != "" {
				t.Fatalf("claim %+v; canonically %q, %v", claim, key, err)
			}
			seen[claim.Key] = true
		}
		for s := range all(found.Skipped) {
			if s.Reason == "" {
				t.Fatalf("%+v was skipped without a reason", s)
			}
			seen[s.Key] = true
		}
		for _, v := range values {
			text, _, mail := mailValue("proxyaddresses", []byte(v))
			key, err := address.Canonical(shown(text))
			if err != nil && !errors.Is(err, address.ErrInvisible) {
				key = address.Lower(strings.TrimSpace(shownAddress(text)))
			}
			if mail && !seen[key] {
				t.Fatalf("%q of %q was dropped silently; seen %v", v, values, seen)
			}
		}
	})
}

func TestNormalDN(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"cn=a,dc=b":               "cn=a,dc=b",
		"CN=Ann Miller, OU=Staff": "cn=ann miller,ou=staff",
		"CN = a , DC = b ":        "cn=a,dc=b",
		`CN=Miller\, Ann,DC=b`:    `cn=miller\, ann,dc=b`,
		`CN=a\ ,DC=b`:             `cn=a\ ,dc=b`,
		"CN=Ü,DC=b":               "cn=ü,dc=b",
		"CN=İlker,DC=b":           "cn=i\u0307lker,dc=b",
		"CN=mu\u0308ller,DC=b":    "cn=mu\u0308ller,dc=b",
		"UID=ann, CN=example.org": "uid=ann,cn=example.org",
		"":                        "",
	} {
		if got := normalDN(in); got != want {
			t.Errorf("normalDN(%q) = %q, want %q", in, got, want)
		}
	}
}

// sampleEntry is what most entries of an Exchange directory look like.
func sampleEntry() *directory.Entry {
	attribute := func(name string, values ...string) directory.Attribute {
		a := directory.Attribute{Name: name}
		for _, v := range values {
			a.Values = append(a.Values, []byte(v))
		}
		return a
	}
	return &directory.Entry{DN: []byte("CN=Ann Miller,OU=Staff,DC=example,DC=com"), Attributes: []directory.Attribute{
		attribute("objectClass", "top", "person", "organizationalPerson", "user"), attribute("mail", "ann@example.com"),
		attribute("objectGUID", "0123456789abcdef"), attribute("msExchRecipientTypeDetails", "1"),
		attribute("userAccountControl", "512"),
		attribute("proxyAddresses", "SMTP:Ann@example.com", "smtp:a.miller@example.com", "X500:/o=x"),
	}}
}

// entryAllocations is the budget of an entry with two addresses; it is exact, so that a change of it is noticed.
const entryAllocations = 0

func TestAnEntrysAllocations(t *testing.T) {
	rules, err := NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		t.Fatal(err)
	}
	c, e := NewCollector(rules), sampleEntry()
	// What grows by the number of entries does so in blocks, which are not what is counted here.
	c.Add(e)
	if got := testing.AllocsPerRun(100, func() { c.Add(e) }); got != entryAllocations {
		t.Errorf("an entry costs %v allocations, want %d", got, entryAllocations)
	}
}

func BenchmarkAdd(b *testing.B) {
	rules, err := NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		b.Fatal(err)
	}
	c, e := NewCollector(rules), sampleEntry()
	b.ReportAllocs()
	for range b.N {
		c.Add(e)
	}
}
