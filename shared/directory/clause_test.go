package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClausesHaveTheirText checks the tree of a filter: each clause with the text that it is searched with.
func TestClausesHaveTheirText(t *testing.T) {
	t.Parallel()
	c, err := parseFilter("&( mail = * )\n(|(cn=a)(2.5.4.3;lang-de:dn:caseExactMatch:=b))(!cn=c d)")
	if err != nil {
		t.Fatal(err)
	}
	type leaf struct{ Text, Attribute string }
	var leaves []leaf
	for _, c := range c.comparisons() {
		leaves = append(leaves, leaf{c.text, c.attribute})
	}
	want := []leaf{{"(mail=*)", "mail"}, {"(cn=a)", "cn"}, {"(2.5.4.3;lang-de:dn:caseExactMatch:=b)", "2.5.4.3"},
		{"(cn=c d)", "cn"}}
	if diff := cmp.Diff(want, leaves); diff != "" {
		t.Errorf("comparisons (-want +got):\n%s", diff)
	}
	var parts []string
	for _, part := range c.parts {
		parts = append(parts, string(part.operator)+part.text)
	}
	if diff := cmp.Diff([]string{"\x00(mail=*)", "|(|(cn=a)(2.5.4.3;lang-de:dn:caseExactMatch:=b))",
		"!(!(cn=c d))"}, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if c.text != "(&(mail=*)(|(cn=a)(2.5.4.3;lang-de:dn:caseExactMatch:=b))(!(cn=c d)))" {
		t.Errorf("the whole is %q", c.text)
	}
	if c, err := parseFilter(" \n"); c != nil || err != nil {
		t.Errorf("an empty filter: %v, %v", c, err)
	}
}
