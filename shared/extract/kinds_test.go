package extract

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// valuesOf returns the recipient types of an object type, in order.
func valuesOf(typ user.Type) []uint64 {
	var out []uint64
	for bit, r := range recipientTypes {
		if r.name != "" && r.typ == typ && !r.system {
			out = append(out, 1<<bit)
		}
	}
	return out
}

// TestThePresetsHaveTheRecipientTypes holds that the page's presets ask for each value of a kind, so that nobody leaves
// one by moving to Exchange Online, and for none of the mail system's own.
func TestThePresetsHaveTheRecipientTypes(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../../portal/site/js/presets.js")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(script), "const RECIPIENTS = {")
	table, _, _ = strings.Cut(table, "};")
	got := make(map[string][]uint64)
	for _, row := range regexp.MustCompile(`(\w+): \[([^\]]*)\]`).FindAllStringSubmatch(table, -1) {
		for _, number := range regexp.MustCompile(`\d+`).FindAllString(row[2], -1) {
			value, err := strconv.ParseUint(number, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			got[row[1]] = append(got[row[1]], value)
		}
		slices.Sort(got[row[1]])
	}
	want := map[string][]uint64{
		"users": valuesOf(user.TypeUser), "shared": valuesOf(user.TypeShared), "resources": valuesOf(user.TypeResource),
		"contacts": valuesOf(user.TypeContact), "groups": valuesOf(user.TypeGroup),
		"folders": valuesOf(user.TypePublicFolder),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RECIPIENTS of presets.js (-the table in kinds.go +got):\n%s", diff)
	}
}

func TestTheDocumentHasTheRecipientTypes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/recipient-types.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for bit, r := range recipientTypes {
		typ := string(r.typ)
		if r.system {
			typ = "never imported"
		}
		if r.name != "" {
			want = append(want, fmt.Sprintf("| %d | %s | %s |", uint64(1)<<bit, r.name, typ))
		}
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if regexp.MustCompile(`^\| \d`).MatchString(line) {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of docs/recipient-types.md (-the table in kinds.go +got):\n%s", diff)
	}
}

// TestAMoveToExchangeOnlineKeepsTheType holds that each local mailbox and its remote form are of one type.
func TestAMoveToExchangeOnlineKeepsTheType(t *testing.T) {
	t.Parallel()
	byName := make(map[string]recipientType)
	for _, r := range recipientTypes {
		byName[r.name] = r
	}
	remote := 0
	for name, r := range byName {
		local, isRemote := strings.CutPrefix(name, "Remote")
		if !isRemote {
			continue
		}
		remote++
		if byName[local].typ != r.typ || byName[local].system != r.system {
			t.Errorf("%s is %s, and %s is %s", local, byName[local].typ, name, r.typ)
		}
	}
	if remote != 6 {
		t.Errorf("%d remote types, want 6", remote)
	}
}

func TestSystemMailboxesAreSkipped(t *testing.T) {
	t.Parallel()
	const system = string(address.ReasonSystemMailbox)
	const objects = "CN=Microsoft Exchange System Objects,DC=example,DC=com"
	for name, c := range map[string]struct {
		dn    string
		lines []string
		want  string
	}{
		"monitoring mailbox by its type": {"CN=x,DC=example,DC=com",
			[]string{"msExchRecipientTypeDetails: 549755813888"}, system},
		"monitoring mailbox by its place": {"CN=Extest 1,CN=Monitoring Mailboxes," + objects,
			[]string{"objectClass: user", "msExchRecipientTypeDetails: 1"}, system},
		"monitoring mailbox in lower case with spaces": {
			"cn=extest 1, cn=monitoring mailboxes, cn=microsoft exchange system objects, dc=example",
			[]string{"objectClass: user"}, system},
		"monitoring mailbox with a comma in its name": {`CN=Extest\, 1,CN=Monitoring Mailboxes,` + objects,
			[]string{"objectClass: user"}, system},
		"monitoring mailbox by its name": {"CN=HealthMailbox0659e34c9c3f4c2c9d1bA,CN=Users,DC=example,DC=com",
			[]string{"objectClass: user", "msExchRecipientTypeDetails: 1"}, system},
		"monitoring mailbox of a copy": {"uid = healthmailbox0659E34C, dc=example,dc=com",
			[]string{"objectClass: inetOrgPerson"}, system},
		"somebody beside them": {"CN=Ann,CN=Monitoring,DC=example,DC=com", []string{"objectClass: user"}, "user"},
		"a container of the same name elsewhere": {"CN=Ann,CN=Monitoring Mailboxes,OU=IT,DC=example,DC=com",
			[]string{"objectClass: user"}, "user"},
		"a name that only begins so": {"CN=HealthMailboxes Team,DC=example", []string{"objectClass: group"}, "group"},
		"database mailbox of Exchange 2003": {"CN=SystemMailbox{6D5B5F5E-0F1A-4C6B-9E0C-2A8E8E1E7C11}," + objects,
			[]string{"objectClass: msExchSystemMailbox"}, system},
		"database mailbox by its class": {"CN=x," + objects, []string{"objectClass: msExchSystemMailbox"},
			system},
		"System Attendant": {"CN=Microsoft System Attendant,CN=SRV1,CN=Servers,CN=Configuration,DC=example",
			[]string{"objectClass: exchangeAdminService"}, system},
		"folder of Exchange 2003": {"CN=Folder," + objects, []string{"objectClass: publicFolder"}, "publicFolder"},
		"an unknown value": {"CN=Ann,DC=example", []string{"objectClass: user",
			"msExchRecipientTypeDetails: 4611686018427387904"}, "user"},
		"no number": {"CN=Ann,DC=example", []string{"objectClass: contact",
			"msExchRecipientTypeDetails: x"}, "contact"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := typeOf(t, settings.Exchange, c.dn, append(c.lines, "proxyAddresses: SMTP:ann@example.com")...)
			if got != c.want {
				t.Errorf("is %s, want %s", got, c.want)
			}
		})
	}
	t.Run("services of Exchange 5.5", func(t *testing.T) {
		t.Parallel()
		const site = ",cn=SRV1,cn=Servers,cn=Configuration,ou=Site,o=Old"
		got := typeOf(t, settings.Exchange, "cn=Microsoft System Attendant"+site, "mail: SRV1-SA@old.example")
		if got != system {
			t.Errorf("is %s, want a system mailbox", got)
		}
	})
	t.Run("every recipient type", func(t *testing.T) {
		t.Parallel()
		for bit, r := range recipientTypes {
			want := string(r.typ)
			switch {
			case r.name == "":
				want = string(user.TypeUser)
			case r.system:
				want = system
			}
			got := typeOf(t, settings.Exchange, "CN=x,DC=example", "objectClass: user",
				fmt.Sprintf("msExchRecipientTypeDetails: %d", uint64(1)<<bit), "proxyAddresses: SMTP:ann@example.com")
			if got != want {
				t.Errorf("%d, %s, is %s, want %s", uint64(1)<<bit, r.name, got, want)
			}
		}
	})
	t.Run("names mean nothing elsewhere", func(t *testing.T) {
		t.Parallel()
		got := typeOf(t, settings.GroupWise, "CN=HealthMailbox0659e34c,DC=example", "objectClass: person",
			"mail: ann@example.com")
		if got != "user" {
			t.Errorf("is %s, want user", got)
		}
	})
}

// typeOf returns the object type of an entry, or the reason for which it is left out.
func typeOf(t *testing.T, server settings.ServerType, dn string, lines ...string) string {
	t.Helper()
	rules, err := NewRules(server, settings.Advanced{})
	if err != nil {
		t.Fatal(err)
	}
	c := NewCollector(rules)
	c.Add(entryOf(dn, lines...))
	found := c.Result()
	if s := found.Skipped()(); s != nil {
		return string(s.Reason)
	}
	return string(found.Claims()().Type)
}
