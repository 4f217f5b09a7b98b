package directory_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
)

func TestCheckBase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want, wrong string }{
		"nothing":         {" ", "", ""},
		"space around it": {"  OU=Staff,DC=example,DC=com \n", "OU=Staff,DC=example,DC=com", ""},
		"pasted": {"OU=Sales Team,\r\n  DC=example,\n\tDC=com",
			"OU=Sales Team, DC=example, DC=com", ""},
		"a domain":                  {"example.com", "", `"example.com" is no distinguished name`},
		"quoted":                    {`OU="Sales, North",DC=x`, `OU=Sales\, North,DC=x`, ""},
		"quoted, with spaces":       {`OU = " Sales " , DC=x`, `OU = \ Sales\  , DC=x`, ""},
		"quoted, every special one": {`CN="a,b+c;d<e>f=g",DC=x`, `CN=a\,b\+c\;d\<e\>f=g,DC=x`, ""},
		"quotes within quotes":      {`CN="Ann \"Al\" Lee \\",DC=x`, `CN=Ann \"Al\" Lee \\,DC=x`, ""},
		"hexadecimal within quotes": {`CN="L\C3\A9a",DC=x`, `CN=L\C3\A9a,DC=x`, ""},
		"a # in quotes":             {`CN="#5 Street"`, `CN=\#5 Street`, ""},
		"one space in quotes":       {`CN=" ",DC=x`, `CN=\ ,DC=x`, ""},
		"two parts of an RDN":       {`CN="Lee, Ann"+UID="7",DC=x`, `CN=Lee\, Ann+UID=7,DC=x`, ""},
		"nothing in quotes":         {`CN="",DC=x`, `CN=,DC=x`, ""},
		"semicolons":                {"OU=Staff; DC=example;DC=com", "OU=Staff, DC=example,DC=com", ""},
		"an OID with its old mark":  {"OID.2.5.4.11=Staff,oid.2.5.4.10=x", "2.5.4.11=Staff,2.5.4.10=x", ""},
		"an OID's old mark alone":   {"OID.=x", "", "is no name of an attribute"},
		"escaped already":           {`OU=Sales\, North\;\"\+\2C,DC=x`, `OU=Sales\, North\;\"\+\2C,DC=x`, ""},
		"a BER value":               {"1.3.6.1.4.1.1466.0=#04024869,DC=x", "1.3.6.1.4.1.1466.0=#04024869,DC=x", ""},
		"an equals sign in a value": {"CN=a=b,DC=x", "CN=a=b,DC=x", ""},
		"letters of two bytes":      {`OU="Vertrieb, Süd",DC=x`, `OU=Vertrieb\, Süd,DC=x`, ""},
		"quotes that do not close":  {`OU="Sales, North,DC=x`, "", `character 4: the " has no second one`},
		"text behind quotes":        {`OU="Sales" North,DC=x`, "", `character 12: after the second "`},
		"quotes within a value":     {`OU=Sales "North",DC=x`, "", `character 10: a " within a value is written \"`},
		"an address of ADSI": {"LDAP://dc1.example.com/OU=Staff,DC=example", "",
			`character 5: ':' cannot stand in the name of an attribute`},
		"two commas":                       {"OU=a,,DC=x", "", `character 6: an attribute such as OU= is missing`},
		"a comma too many":                 {"OU=a,DC=x,", "", "character 11: an attribute such as OU= is missing at"},
		"a space at the end that is meant": {`CN=a\  `, `CN=a\ `, ""},
		"a backslash at the end":           {`CN=a\`, "", "is no distinguished name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := directory.CheckBase(test.in)
			switch {
			case test.wrong == "" && (err != nil || got != test.want):
				t.Errorf("CheckBase(%q) = %q, %v; want %q", test.in, got, err, test.want)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("CheckBase(%q) = %q, %v; want an error with %q", test.in, got, err, test.wrong)
			}
		})
	}
}

// FuzzCheckBase checks that what is let through is a DN, that checking it again changes nothing, and that quotes mean
// what they say.
func FuzzCheckBase(f *testing.F) {
	for _, seed := range []string{"", "OU=Staff,DC=x", `OU="Sales, North",DC=x`, "a=b;c=d", "OID.1.2=x",
		`cn="\"a"+x=#04`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if base, err := directory.CheckBase(text); err == nil && base != "" {
			if _, err := ldap.ParseDN(base); err != nil {
				t.Fatalf("%q became %q, which is no DN: %v", text, base, err)
			}
			if again, err := directory.CheckBase(base); err != nil || again != base {
				t.Fatalf("%q became %q, and that became %q, %v", text, base, again, err)
			}
		}
		if strings.ContainsAny(text, "\"\\") || strings.Join(strings.Fields(text), " ") != text || len(text) > 1000 ||
			strings.ContainsAny(text, "\ufeff\u200b\x00") {
			return
		}
		base, err := directory.CheckBase(`OU="` + text + `",DC=x`)
		dn, parseErr := ldap.ParseDN(base)
		if err == nil && (parseErr != nil || len(dn.RDNs) != 2 || dn.RDNs[0].Attributes[0].Value != text) {
			t.Fatalf("%q in quotes became %q: %v, %v", text, base, dn, parseErr)
		}
	})
}
