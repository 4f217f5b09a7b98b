package directory_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
)

func TestCheckFilter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want, wrong string }{
		"empty":                    {"", "", ""},
		"only space":               {" \r\n\t", "", ""},
		"as it should be":          {"(&(mail=*)(!(cn=a b)))", "(&(mail=*)(!(cn=a b)))", ""},
		"without its parentheses":  {"mail=*", "(mail=*)", ""},
		"an operator without them": {"&(mail=*)(cn=a)", "(&(mail=*)(cn=a))", ""},
		"pasted over several lines": {"(&\n  (mail=*)\r\n  ( objectClass=user )\n)\n",
			"(&(mail=*)(objectClass=user))", ""},
		"spaces within a value stay": {"(cn=Ann  Miller)", "(cn=Ann  Miller)", ""},
		"an ampersand within a value": {"(|(o=Smith & Sons)(o=a | b)(cn=Oh ! No))",
			"(|(o=Smith & Sons)(o=a | b)(cn=Oh ! No))", ""},
		"a value over two lines":     {"(cn=Ann\r\n    Miller)", "(cn=Ann Miller)", ""},
		"spaces around a comparison": {"( objectClass = user )", "(objectClass=user)", ""},
		"a space that is meant":      {`(cn=a\20)`, `(cn=a\20)`, ""},
		"not, as in Windows tools":   {"(&(cn=*)(!mail=*))", "(&(cn=*)(!(mail=*)))", ""},
		"not without parentheses":    {"! (mail=*)", "(!(mail=*))", ""},
		"no-break spaces":            {"(&\u00a0(mail=*)\u00a0(cn=a))", "(&(mail=*)(cn=a))", ""},
		"a byte order mark":          {"\ufeff(mail=*)", "(mail=*)", ""},
		"a matching rule": {"(userAccountControl:1.2.840.113556.1.4.803:=2)",
			"(userAccountControl:1.2.840.113556.1.4.803:=2)", ""},
		"other comparisons": {"(&(a>=1)(b<=2)(c~=d))", "(&(a>=1)(b<=2)(c~=d))", ""},
		"lacks one":         {"(&(mail=*)(cn=a)", "", "character 17: it lacks 1 )"},
		"lacks one within":  {"(&(mail=*(cn=a))", "", `character 10: a ( within a value is written \28`},
		"lacks one before a part": {"(!(a=b)(c=d))", "",
			`character 8: a ) is missing before "(c=d))", for the ( at character 1`},
		"one too many":                  {"(mail=*))", "", "character 9: there is a ) too many"},
		"one too many, bare":            {"mail=*)", "", "character 7: there is a ) too many"},
		"two filters side by side":      {"(mail=*)(cn=a)", "", `character 9: the filter has ended before "(cn=a)"`},
		"no value":                      {"(&(mail=*)(cn))", "", `character 12: "cn" has no comparison`},
		"in the lines that were typed":  {"(&\n  (mail=*)\n  (cn)\n)", "", `character 18: "cn"`},
		"after letters of two bytes":    {"(&(cn=ää)(cn))", "", `character 11: "cn"`},
		"nothing in parentheses":        {"()", "", "character 2: a comparison"},
		"no attribute":                  {"(=a)", "", "character 2: the name of an attribute is missing"},
		"no attribute and no rule":      {"(:=a)", "", "character 2: the name of an attribute is missing"},
		"a space in an attribute":       {"(given name=a)", "", "character 7: ' ' cannot stand"},
		"a half comparison":             {"(a>1)", "", "character 3: > is no comparison"},
		"always true":                   {"(&)", "(&)", ""},
		"an operator without parts":     {"(&mail=*)", "", "character 2: after & come"},
		"a bad escape":                  {`(cn=\zz)`, "", `character 5: after a \ come two`},
		"an escape cut short":           {`(cn=a\2)`, "", "character 6"},
		"a parenthesis in a value":      {"(cn=Foo (Bar))", "", `character 9: a ( within a value is written \28`},
		"broken text":                   {"(cn=\xff)", "", "UTF-8"},
		"too long":                      {"(cn=" + strings.Repeat("a", 20_000) + ")", "", "longer than 16384 bytes"},
		"a secret attribute":            {"(userPassword=a*)", "", `character 2: "userPassword" holds passwords`},
		"a secret attribute by its OID": {"(&(mail=*)(2.5.4.35>=a))", "", `character 12: "2.5.4.35" holds`},
		"a secret one with an option":   {"(!(UNICODEPWD;binary=*))", "", `"UNICODEPWD;binary" holds passwords`},
		"a secret one with a rule":      {"(ms-Mcs-AdmPwd:2.5.13.2:=a)", "", `"ms-Mcs-AdmPwd" holds passwords`},
		"every attribute":               {"(:octetStringMatch:=a)", "", "passwords among them"},
		"only the word":                 {"(description=userPassword)", "(description=userPassword)", ""},
		"too deep": {strings.Repeat("(!", 100) + "(a=b)" + strings.Repeat(")", 100), "",
			"nests deeper than 64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := directory.CheckFilter(test.in)
			switch {
			case test.wrong == "" && (err != nil || got != test.want):
				t.Errorf("CheckFilter(%q) = %q, %v; want %q", test.in, got, err, test.want)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("CheckFilter(%q) = %q, %v; want an error with %q", test.in, got, err, test.wrong)
			}
		})
	}
}

func TestCheckBase(t *testing.T) {
	t.Parallel()
	if got, err := directory.CheckBase("  OU=Staff,DC=example,DC=com \n"); err != nil ||
		got != "OU=Staff,DC=example,DC=com" {
		t.Errorf("CheckBase = %q, %v", got, err)
	}
	if got, err := directory.CheckBase("OU=Sales Team,\r\n  DC=example,\n\tDC=com"); err != nil ||
		got != "OU=Sales Team, DC=example, DC=com" {
		t.Errorf("CheckBase of a pasted DN = %q, %v", got, err)
	}
	if got, err := directory.CheckBase(" "); err != nil || got != "" {
		t.Errorf("CheckBase of space = %q, %v", got, err)
	}
	if _, err := directory.CheckBase("example.com"); err == nil || !strings.Contains(err.Error(), "example.com") {
		t.Errorf("CheckBase of a domain: error %v, want one that shows it", err)
	}
}

// FuzzCheckFilter checks two promises: what it lets through compiles, and checking it again changes
// nothing.
func FuzzCheckFilter(f *testing.F) {
	for _, seed := range []string{"", "(mail=*)", "& (a=b)\n(c= d )", "(cn=\\2a)", "(a:dn:1.2:=x)", "((", "(!(a=b))",
		"(!a=b)", "(o=Smith & Sons)", "(a=b\n c)", "(a>=\u00a01)", "(&)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := directory.CheckFilter(text)
		if err != nil || filter == "" {
			return
		}
		if _, err := ldap.CompileFilter(filter); err != nil {
			t.Fatalf("%q became %q, which does not compile: %v", text, filter, err)
		}
		if again, err := directory.CheckFilter(filter); err != nil || again != filter {
			t.Fatalf("%q became %q, and that became %q, %v", text, filter, again, err)
		}
	})
}
