package address

import (
	"slices"
	"strings"
)

// Spellings returns the ways in which a directory may write an address: as it was typed, in canonical form, and with
// the domain's letters in place of its A-labels.
func Spellings(a Address) []string {
	all := []string{a.Display}
	for _, spelling := range []string{a.Key, Local(a.Key) + "@" + unicodeDomain(Domain(a.Key))} {
		if !slices.Contains(all, spelling) {
			all = append(all, spelling)
		}
	}
	return all
}

// unicodeDomain returns a canonical domain with the letters that its A-labels stand for.
func unicodeDomain(domain string) string {
	if !strings.Contains(domain, "xn--") {
		return domain
	}
	// What cannot be converted stays as it is.
	converted, _ := domains.ToUnicode(domain)
	return converted
}
