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
		"empty":                        {"", "", ""},
		"only space":                   {" \r\n\t", "", ""},
		"as it should be":              {"(&(mail=*)(!(cn=a b)))", "(&(mail=*)(!(cn=a b)))", ""},
		"without its parentheses":      {"mail=*", "(mail=*)", ""},
		"an operator without them":     {"&(mail=*)(cn=a)", "(&(mail=*)(cn=a))", ""},
		"pasted over several lines":    {"(&\n  (mail=*)\r\n  ( objectClass=user )\n)\n", "(&(mail=*)(objectClass=user))", ""},
		"a space within a value stays": {"(cn=Ann  Miller)", "(cn=Ann Miller)", ""},
		"no-break spaces":              {"(&\u00a0(mail=*)\u00a0(cn=a))", "(&(mail=*)(cn=a))", ""},
		"lacks one":                    {"(&(mail=*)(cn=a)", "", "lacks 1 ) at its end (character 17)"},
		"one too many":                 {"(mail=*))", "", "character 9"},
		"two filters side by side":     {"(mail=*)(cn=a)", "", "ends at character 8"},
		"no value":                     {"(&(mail=*)(cn))", "", `character 11, "(cn)"`},
		"a bad escape":                 {`(cn=\zz)`, "", "character 1"},
		"broken text":                  {"(cn=\xff)", "", "UTF-8"},
		"too deep":                     {strings.Repeat("(!", 100) + "(a=b)" + strings.Repeat(")", 100), "", "nests deeper than 64"},
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
	if got, err := directory.CheckBase("  OU=Staff,DC=example,DC=com \n"); err != nil || got != "OU=Staff,DC=example,DC=com" {
		t.Errorf("CheckBase = %q, %v", got, err)
	}
	if got, err := directory.CheckBase(" "); err != nil || got != "" {
		t.Errorf("CheckBase of space = %q, %v", got, err)
	}
	if _, err := directory.CheckBase("example.com"); err == nil || !strings.Contains(err.Error(), "example.com") {
		t.Errorf("CheckBase of a domain: error %v, want one that shows it", err)
	}
}

// FuzzCheckFilter holds the check to two promises: what it lets through compiles, and checking it again changes nothing.
func FuzzCheckFilter(f *testing.F) {
	for _, seed := range []string{"", "(mail=*)", "& (a=b)\n(c= d )", "(cn=\\2a)", "(a:dn:1.2:=x)", "((", "(!(a=b))"} {
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
