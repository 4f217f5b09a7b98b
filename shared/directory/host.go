package directory

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"rollcall/shared/settings"
)

// hostNames converts names as a lookup does (RFC 5891, section 5), with underscores and with hyphens in places 3 and 4,
// which names of hosts have although no registry gives them.
var hostNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
	idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(true))

// CheckHost says what is wrong with the labels of a connection's host names, in words for an administrator.
func CheckHost(list string) error {
	for _, host := range (settings.Connection{Host: list}).Hosts() {
		if _, err := asciiHost(host); err != nil {
			return fmt.Errorf("has a name that DNS cannot have: %q (a label has at most 63 characters, and only "+
				"letters and digits of one direction; RFC 5891)", host)
		}
	}
	return nil
}

// asciiHost returns a host as DNS and certificates name it: with A-labels, and an IPv6 address without brackets.
func asciiHost(host string) (string, error) {
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	return hostNames.ToASCII(host)
}
