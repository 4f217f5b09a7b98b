package directory

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// within reports whether a DN is a base or lies below it (RFC 4514). Everything lies below the empty base.
func within(dn, base string) bool {
	if base == "" {
		return true
	}
	of, err := ldap.ParseDN(dn)
	above, baseErr := ldap.ParseDN(base)
	if err != nil || baseErr != nil {
		dn, base = strings.ToLower(dn), strings.ToLower(base)
		return dn == base || strings.HasSuffix(dn, ","+base)
	}
	return above.EqualFold(of) || above.AncestorOfFold(of)
}

// sameDN reports whether two DNs are the same but for case and space.
func sameDN(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	one, err := ldap.ParseDN(a)
	other, otherErr := ldap.ParseDN(b)
	return err == nil && otherErr == nil && one.EqualFold(other)
}

// hasParent reports whether the entry above a DN has a relative name.
func hasParent(dn, parent string) bool {
	of, err := ldap.ParseDN(dn)
	name, nameErr := ldap.ParseDN(parent)
	return err == nil && nameErr == nil && len(of.RDNs) > 1 && len(name.RDNs) == 1 &&
		of.RDNs[1].EqualFold(name.RDNs[0])
}
