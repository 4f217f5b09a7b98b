package directory

import (
	"errors"
	"fmt"
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

// metadataService gives the machine's credentials to every caller. Its IPv4 address, 169.254.169.254, is link-local.
var metadataService = netip.MustParseAddr("fd00:ec2::254")

// neverReached are the ranges where no customer's directory is, with what they are (IANA special-purpose registries).
var neverReached = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network's own address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier's shared address"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a protocol's own address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmark's address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
	{netip.MustParsePrefix("::/128"), "the unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("::/96"), "an IPv4-compatible address"},
	{netip.MustParsePrefix("64:ff9b::/96"), "a NAT64 address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a NAT64 address"},
	{netip.MustParsePrefix("2001::/32"), "a Teredo address"},
	{netip.MustParsePrefix("2002::/16"), "a 6to4 address"},
	{netip.PrefixFrom(metadataService, 128), "the metadata service"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "a site-local address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
}

// Allow refuses an address that must not be dialled. It is a Config's Allow.
func (p Policy) Allow(a netip.Addr) error {
	// An IPv4-mapped IPv6 address is judged as the IPv4 address that it is.
	a = a.Unmap().WithZone("")
	if contains(p.Deny, a) {
		return errors.New("it is in this service's own network")
	}
	if contains(p.AllowRanges, a) && !a.IsLinkLocalUnicast() && a != metadataService {
		return nil
	}
	for _, n := range neverReached {
		if n.prefix.Contains(a) {
			return fmt.Errorf("it is %s", n.what)
		}
	}
	if a.IsPrivate() && !p.AllowPrivate {
		return errors.New("it is a private address, which cannot be reached from here; ask the operator for a " +
			"connection to your network")
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
