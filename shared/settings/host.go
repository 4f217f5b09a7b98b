package settings

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// MaxHosts is how many names a connection may list, and how many servers one read tries at most.
const MaxHosts = 5

// The longest host field, and the longest of its names (RFC 1035, 2.3.4), in bytes.
const (
	maxHostField = 1300
	maxHost      = 253
)

// Hosts returns the names of the host field in the order in which they are tried: in lower case, without final dots.
func (c Connection) Hosts() []string {
	var names []string
	for _, name := range splitHosts(c.Host) {
		if name = strings.TrimRight(name, "."); name != "" {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

func splitHosts(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// SRVDomain reports whether a name is one that SRV records stand at (RFC 2782), such as _ldap._tcp.example.com, and
// returns the domain in which the servers must lie: what follows the last label with an underscore, since Active
// Directory has names such as _ldap._tcp.dc._msdcs.example.com. It is empty where the name has none.
func SRVDomain(name string) (domain string, ok bool) {
	labels := strings.Split(name, ".")
	if len(labels) < 2 || !strings.HasPrefix(labels[0], "_") || labels[1] != "_tcp" {
		return "", false
	}
	for i := len(labels) - 1; ; i-- {
		if strings.HasPrefix(labels[i], "_") {
			return strings.Join(labels[i+1:], "."), true
		}
	}
}

func (k *checker) hosts(c Connection) {
	names := splitHosts(c.Host)
	switch {
	case len(names) == 0:
		k.add("host", "is required: the directory server's full name, such as dc1.example.com")
	case len(c.Host) > maxHostField:
		k.add("host", "is longer than %d bytes", maxHostField)
	case len(names) > MaxHosts:
		k.add("host", "names %d servers, and at most %d are tried: leave out %q", len(names), MaxHosts,
			strings.Join(names[MaxHosts:], ", "))
	default:
		for _, name := range names {
			k.host(name)
		}
	}
}

// hostName is letters, digits and inner hyphens in each label; marks are part of the letters of some scripts.
var hostName = regexp.MustCompile(`^` + hostLabel + `(\.` + hostLabel + `)*\.?$`)

const hostLabel = `[\pL\pN_]([\pL\pM\pN_-]*[\pL\pM\pN_])?`

// host checks one name. Package directory checks labels outside ASCII.
func (k *checker) host(name string) {
	port := portOf(name)
	domain, srv := SRVDomain(strings.ToLower(strings.TrimSuffix(name, ".")))
	switch {
	case len(name) > maxHost:
		k.add("host", "has a name that is longer than %d bytes: %q", maxHost, name)
	case strings.Contains(name, "://"):
		k.add("host", "must be a name without a scheme: leave out %q and choose SSL with useSSL",
			name[:strings.Index(name, "://")+3])
	case isAddress(name):
	case port != "":
		k.add("host", "must be a name without a port: put %q into port (at %q)", port, name)
	case !hostName.MatchString(name):
		k.add("host", "is not a host name or IP address: %q", name)
	case srv && domain == "":
		k.add("host", "names no domain: %q should look like _ldap._tcp.example.com", name)
	}
}

// portOf returns the port that somebody put behind a host name or a bracketed IPv6 address, or nothing.
func portOf(host string) string {
	at := strings.LastIndexByte(host, ':')
	if at < 0 {
		return ""
	}
	name := host[:at]
	if strings.Contains(name, ":") && (name[0] != '[' || name[len(name)-1] != ']') {
		return ""
	}
	return host[at+1:]
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
