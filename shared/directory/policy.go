package directory

import (
	"errors"
	"net/netip"
	"slices"
)

// errPort means that a port is not one that directories may be reached on.
var errPort = errors.New("directories are reached on ports 389, 636, 3268 and 3269")

// Policy says where a tenant's directory may be: a tenant names the host, and must not reach this service's own network
// by it. The zero value is the strictest.
type Policy struct {
	// AllowPrivate lets private addresses (RFC 1918, RFC 4193) be reached, for directories behind a VPN.
	AllowPrivate bool
	// AllowRanges lists ranges that are reached although they are private or set aside, such as a carrier's shared
	// addresses in a VPC. Link-local addresses and the metadata service stay refused.
	AllowRanges []netip.Prefix
	// Deny lists the deployment's own ranges, refused whatever else is allowed.
	Deny []netip.Prefix
	// Ports are the allowed TCP ports; 389, 636, 3268 and 3269 where it is empty.
	Ports []int
}

// globalUnicast is the address space of which parts are given to networks (IANA's registries of IPv4 and IPv6 address
// space). What is not in it, loopback, multicast and so on, is never reached.
var globalUnicast = prefixes("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "2000::/3")

// specialPurpose are the parts of globalUnicast that are set aside and not globally reachable (IANA's special-purpose
// registries, RFC 6890), private addresses apart.
var specialPurpose = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

// neverOpened are ranges that AllowRanges cannot open: no directory is there, but the machine itself is, or its
// credentials. fd00:ec2::254 is the metadata service of AWS, beside the link-local 169.254.169.254. The others hold an
// IPv4 address (NAT64, Teredo, 6to4), and may so lead anywhere.
var neverOpened = prefixes("0.0.0.0/32", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/128", "fe80::/10",
	"ff00::/8", "fd00:ec2::254/128", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// The reasons of Allow. None of them names the address: whoever typed a host's name must not learn what it stands for
// inside this service's network.
var (
	errOwnNetwork = errors.New("it is in this service's own network")
	errNotGlobal  = errors.New("it is not an address of the public internet")
	errPrivate    = errors.New("it is a private address, which cannot be reached from here; ask the operator for a " +
		"connection to your network")
)

// Allow refuses an address that must not be dialled. It is a Config's Allow.
func (p Policy) Allow(a netip.Addr) error {
	// An IPv4-mapped IPv6 address is judged as the IPv4 address that it is.
	a = a.Unmap().WithZone("")
	switch {
	case contains(p.Deny, a):
		return errOwnNetwork
	case contains(neverOpened, a):
		return errNotGlobal
	case contains(p.AllowRanges, a):
		return nil
	case a.IsPrivate() && p.AllowPrivate:
		return nil
	case a.IsPrivate():
		return errPrivate
	case !contains(globalUnicast, a), contains(specialPurpose, a):
		return errNotGlobal
	}
	return nil
}

func contains(ranges []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(a) })
}

// AllowPort refuses a port that must not be dialled. It is a Config's AllowPort.
func (p Policy) AllowPort(port int) error {
	ports := p.Ports
	if len(ports) == 0 {
		ports = []int{389, 636, 3268, 3269}
	}
	if !slices.Contains(ports, port) {
		return errPort
	}
	return nil
}
