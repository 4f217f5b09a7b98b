package directory_test

import (
	"os"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
)

// TestFiltersOfTheCorpus holds the parser against the corpus. An end-to-end test holds the column of ldapsearch.
func TestFiltersOfTheCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/filters.txt")
	if err != nil {
		t.Fatal(err)
	}
	// What we take though ldapsearch does not, since people paste it; and what we refuse on purpose: a comparison of
	// every attribute, an empty rule, an OID that no server has, and escapes that RFC 4515 has not.
	lenient := []string{"(!cn=a)", "(my_attr=a)", "&(cn=a)(cn=b)"}
	strict := []string{"(:1.2.3:=Wilma Flintstone)", "(:DN:2.4.6.8.10:=Dino)", "(foo::=x)", "(foo:dn::=x)",
		"(foo:1:=x)", "(2=x)", "(2.05.4=x)", "(02.5=x)", `(cn=\*)`, `(cn=\()`}
	var nowLenient, nowStrict []string
	count := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		count++
		filter := strings.TrimSuffix(line[6:], "\n")
		_, err := directory.CheckFilter(filter)
		if ours := line[0] == '+'; ours != (err == nil) {
			t.Errorf("CheckFilter(%q): %v", filter, err)
		}
		if _, err := ldap.CompileFilter(filter); (line[2] == '+') != (err == nil) {
			t.Errorf("CompileFilter(%q): %v", filter, err)
		}
		switch line[0:1] + line[4:5] {
		case "+-":
			nowLenient = append(nowLenient, filter)
		case "-+":
			nowStrict = append(nowStrict, filter)
		}
	}
	if diff := cmp.Diff(lenient, nowLenient); diff != "" {
		t.Errorf("accepted though ldapsearch refuses it (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(strict, nowStrict); diff != "" {
		t.Errorf("refused though ldapsearch accepts it (-want +got):\n%s", diff)
	}
	if count < 150 {
		t.Errorf("%d filters, want all", count)
	}
}
