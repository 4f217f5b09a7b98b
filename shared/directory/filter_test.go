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
		"two wildcards":                 {"(foo=**bar)", "", `character 7: two * in a row`},
		"two wildcards within":          {"(foo=a**b)", "", `character 8: two * in a row`},
		"nothing but two":               {"(foo=**)", "", `character 7: two * in a row`},
		"wildcards":                     {"(foo=*a*b*)", "(foo=*a*b*)", ""},
		"a space between wildcards":     {"(foo=* *)", "(foo=* *)", ""},
		"a wildcard after >=":           {"(foo>=*)", "", `character 7: * stands for any text only after =`},
		"a wildcard after <=":           {"(foo<=1*)", "", `character 8: * stands`},
		"a wildcard after ~=":           {"(foo~=*)", "", `written \2a`},
		"a wildcard after a rule":       {"(cn:2.5.13.2:=A*)", "", `character 16: * stands`},
		"an asterisk that is meant":     {`(foo~=\2A)`, `(foo~=\2A)`, ""},
		"an empty value":                {"(foo=)", "(foo=)", ""},
		"a rule without a rule":         {"(foo:=x)", "(foo:=x)", ""},
		"a DN's attributes":             {"(ou:DN:=x)", "(ou:DN:=x)", ""},
		"a DN's attributes with a rule": {"(foo:dn:2.5.13.5:=x)", "(foo:dn:2.5.13.5:=x)", ""},
		"dn and nothing":                {"(:dn:=x)", "", "character 2: the name of an attribute is missing"},
		"dn at the wrong place":         {"(foo:2.5.13.5:dn:=x)", "", "is no matching rule"},
		"an empty rule":                 {"(foo::=x)", "", "is no matching rule"},
		"a rule with another operator":  {"(foo:caseExactMatch:>=x)", "", "is no matching rule"},
		"a rule that is no name":        {"(foo:a b:=x)", "", "character 7: ' ' cannot stand in the name of a m"},
		"a rule that is no OID":         {"(foo:dn:1..2:=x)", "", `character 9: "1..2" is neither`},
		"an option":                     {"(cn;lang-de;x-a=b)", "(cn;lang-de;x-a=b)", ""},
		"an option of nothing":          {"(;binary=x)", "", "character 2: the name of an attribute is missing"},
		"an empty option":               {"(cn;=x)", "", "character 4: an option such as binary is missing"},
		"an empty option before one":    {"(cn;;lang-de=x)", "", "character 4: an option"},
		"a wrong option":                {"(cn;lang.de=x)", "", "character 9: '.' cannot stand"},
		"an OID":                        {"(2.5.4.3=x)", "(2.5.4.3=x)", ""},
		"an OID of one number":          {"(2=x)", "", `character 2: "2" is neither`},
		"an OID with a hole":            {"(2..5=x)", "", "neither a name nor an OID"},
		"an OID with a leading zero":    {"(2.05=x)", "", "neither a name nor an OID"},
		"an OID that ends in a dot":     {"(2.5.=x)", "", "neither a name nor an OID"},
		"a name that begins as an OID":  {"(2cn=x)", "", "neither a name nor an OID"},
		"a name with a dot":             {"(oid.2.5.4.3=x)", "", "is no name of an attribute"},
		"a name that begins with -":     {"(-cn=x)", "", "is no name of an attribute"},
		"a name with _":                 {"(my_mail=x)", "(my_mail=x)", ""},
		"not of several":                {"(!&(a=b))", "", "character 3: after ! comes one part in parentheses"},
		"not of nothing":                {"(!)", "", "character 3: after ! comes"},
		"no comparison and no name":     {"(foo bar)", "", `character 2: "foo bar" is no comparison such as mail=*`},
		"parentheses twice":             {"((cn=a))", "", "character 2: there is a ( too many"},
		"a raw NUL":                     {"(cn=a\x00b)", "", `character 6: the character NUL is written \00`},
		"an escaped NUL":                {`(cn=a\00b)`, `(cn=a\00b)`, ""},
		"an escape in capitals":         {`(cn=\C3\A4)`, `(cn=\C3\A4)`, ""},
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

// FuzzCheckFilter checks two promises: what it lets through compiles, and checking it again changes
// nothing.
func FuzzCheckFilter(f *testing.F) {
	for _, seed := range []string{"", "(mail=*)", "& (a=b)\n(c= d )", "(cn=\\2a)", "(a:dn:1.2:=x)", "((", "(!(a=b))",
		"(!a=b)", "(o=Smith & Sons)", "(a=b\n c)", "(a>=\u00a01)", "(&)", "(foo=**bar)", "(foo>=*)",
		"(:dn:=x)", "(foo::=x)", "(a;b;c:=x)", "(cn=*\u200b*)", "(2.5.4.3:dn:2.5.13.5:=\\2a)"} {
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
