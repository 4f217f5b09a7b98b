package extract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/settings"
)

func rulesOf(t *testing.T, server settings.ServerType, a settings.Advanced) *extract.Rules {
	t.Helper()
	rules, err := extract.NewRules(server, a)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// TestAQuestionNamesEveryFormOfAnAddress lists what a directory is asked for.
func TestAQuestionNamesEveryFormOfAnAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		server   settings.ServerType
		advanced settings.Advanced
		address  string
		want     []string
	}{
		"Exchange": {settings.Exchange, settings.Advanced{}, "a@example.com", []string{
			"proxyAddresses=a@example.com", "proxyAddresses=smtp:a@example.com", "proxyAddresses=SMTP:a@example.com",
			"mail=a@example.com", "rfc822Mailbox=a@example.com", "otherMailbox=a@example.com",
			"otherMailbox=smtp$a@example.com", "otherMailbox=SMTP$a@example.com", "otherMailbox=smtp:a@example.com",
			"otherMailbox=SMTP:a@example.com",
		}},
		"GroupWise, in another case": {settings.GroupWise, settings.Advanced{}, "A@Example.com",
			[]string{"mail=A@Example.com", "mail=a@example.com"}},
		"an international domain": {settings.GroupWise, settings.Advanced{}, "a@xn--mnchen-3ya.example",
			[]string{"mail=a@xn--mnchen-3ya.example", "mail=a@münchen.example"}},
		"CommuniGate": {settings.CommuniGate, settings.Advanced{}, "a@example.com",
			[]string{"mail=a@example.com", "uid=a below cn=example.com"}},
		"overrides": {settings.GroupWise, settings.Advanced{Attributes: settings.Attributes{
			Primary: []string{"Mail"}, Aliases: []string{"mailLocalAddress"}}}, "a@example.com", []string{
			"mail=a@example.com", "mail=smtp:a@example.com", "mail=SMTP:a@example.com",
			"mailLocalAddress=a@example.com",
			"mailLocalAddress=smtp:a@example.com", "mailLocalAddress=SMTP:a@example.com",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, err := address.Parse(test.address)
			if err != nil {
				t.Fatal(err)
			}
			rules := rulesOf(t, test.server, test.advanced)
			q := rules.Question(test.advanced, parsed)
			var got []string
			for _, c := range q.Any {
				text := c.Attribute + "=" + c.Value
				if c.Parent != "" {
					text += " below " + c.Parent
				}
				got = append(got, text)
				read := func(name string) bool { return strings.EqualFold(name, c.Attribute) }
				if !slices.ContainsFunc(q.Attributes, read) {
					t.Errorf("%s is asked about, and an import does not read it", c.Attribute)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHolding finds the attribute that has an address, whether or not an import makes it of that one.
func TestHolding(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		server settings.ServerType
		dn     string
		entry  []directory.Attribute
		want   string
	}{
		"a primary": {settings.Exchange, "cn=a", []directory.Attribute{
			of("proxyAddresses", "X500:x", "SMTP:A@Example.com")}, "proxyAddresses"},
		"mail beside another primary": {settings.Exchange, "cn=a", []directory.Attribute{
			of("proxyAddresses", "SMTP:b@example.com"), of("mail", "a@example.com")}, "mail"},
		"Exchange 5.5": {settings.Exchange, "cn=a", []directory.Attribute{of("otherMailbox", "smtp$a@example.com")},
			"otherMailbox"},
		"an account": {settings.CommuniGate, "uid=a,cn=example.com", []directory.Attribute{of("uid", "a"),
			of("mail", "b@example.com")}, "uid"},
		"an account elsewhere": {settings.CommuniGate, "uid=a,cn=example.org",
			[]directory.Attribute{of("uid", "a")}, ""},
		"another address": {settings.GroupWise, "cn=a", []directory.Attribute{of("mail", "b@example.com")}, ""},
		"no address": {settings.Exchange, "cn=a",
			[]directory.Attribute{of("proxyAddresses", "SIP:a@example.com")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &directory.Entry{DN: []byte(test.dn), Attributes: test.entry}
			if got := rulesOf(t, test.server, settings.Advanced{}).Holding(e, "a@example.com"); got != test.want {
				t.Errorf("it is in %q, want %q", got, test.want)
			}
		})
	}
}

func of(name string, values ...string) directory.Attribute {
	a := directory.Attribute{Name: name}
	for _, v := range values {
		a.Values = append(a.Values, []byte(v))
	}
	return a
}
