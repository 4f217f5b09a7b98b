package directory_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	strict := directory.Policy{}
	behindVPN := directory.Policy{AllowPrivate: true,
		Deny: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("2600:1f00::/24")}}
	tests := map[string]struct{ strict, behindVPN bool }{
		"8.8.8.8":                {true, true},
		"223.255.255.254":        {true, true},
		"2a00:1450::1":           {true, true},
		"10.0.0.1":               {false, true},
		"172.16.9.9":             {false, true},
		"192.168.1.1":            {false, true},
		"fd12:3456::1":           {false, true},
		"10.20.1.1":              {false, false},
		"::ffff:10.20.1.1":       {false, false},
		"2600:1f00::1":           {true, false},
		"127.0.0.1":              {false, false},
		"127.9.9.9":              {false, false},
		"::1":                    {false, false},
		"::ffff:127.0.0.1":       {false, false},
		"::ffff:169.254.169.254": {false, false},
		"169.254.169.254":        {false, false},
		"fd00:ec2::254":          {false, false},
		"fe80::1%eth0":           {false, false},
		"0.0.0.0":                {false, false},
		"::":                     {false, false},
		"100.64.0.1":             {false, false},
		"64:ff9b::a9fe:a9fe":     {false, false},
		"2002:7f00:1::1":         {false, false},
		"2001:0:4136:e378::1":    {false, false},
		"::7f00:1":               {false, false},
		"192.0.2.1":              {false, false},
		"203.0.113.7":            {false, false},
		"192.88.99.1":            {false, false},
		"240.0.0.1":              {false, false},
		"2001:db8::1":            {false, false},
		"2001:20::1":             {false, false},
		"3fff::1":                {false, false},
		"100::1":                 {false, false},
		"4000::1":                {false, false},
		"5f00::1":                {false, false},
		"fec0::1":                {false, false},
		"224.0.0.1":              {false, false},
		"ff02::1":                {false, false},
		"255.255.255.255":        {false, false},
	}
	for address, want := range tests {
		a := netip.MustParseAddr(address)
		if err := strict.Allow(a); (err == nil) != want.strict {
			t.Errorf("%s: %v, want allowed %t", address, err, want.strict)
		}
		if err := behindVPN.Allow(a); (err == nil) != want.behindVPN {
			t.Errorf("%s behind a VPN: %v, want allowed %t", address, err, want.behindVPN)
		}
	}
	// Ranges that an operator opened are open, but for what is never a directory and for the deployment's own.
	opened := directory.Policy{
		AllowRanges: []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("0.0.0.0/0"),
			netip.MustParsePrefix("::/0")},
		Deny: []netip.Prefix{netip.MustParsePrefix("100.64.7.0/24")},
	}
	for address, want := range map[string]bool{
		"100.64.0.1": true, "10.0.0.1": true, "127.0.0.1": true, "100.64.7.1": false, "169.254.169.254": false,
		"::ffff:169.254.169.254": false, "fd00:ec2::254": false, "fe80::1": false,
		"64:ff9b::a9fe:a9fe": false, "2002:a9fe:a9fe::1": false, "ff02::1": false, "0.0.0.0": false, "::": false,
		"::1": true,
	} {
		if err := opened.Allow(netip.MustParseAddr(address)); (err == nil) != want {
			t.Errorf("%s in an opened range: %v, want allowed %t", address, err, want)
		}
	}
	for port, want := range map[int]bool{389: true, 636: true, 3268: true, 3269: true, 22: false, 80: false,
		6379: false} {
		if err := strict.AllowPort(port); (err == nil) != want {
			t.Errorf("port %d: %v, want allowed %t", port, err, want)
		}
	}
	if (directory.Policy{Ports: []int{10389}}).AllowPort(10389) != nil {
		t.Error("a port that the operator allowed is refused")
	}
}

// TestTheCheckedAddressIsDialled has a name that answers differently each time it is looked up: with an address that
// may be reached first, and with a forbidden one afterwards.
func TestTheCheckedAddressIsDialled(t *testing.T) {
	t.Parallel()
	answers := []string{"8.8.8.8", "127.0.0.1"}
	lookups := 0
	var dialled []string
	stop := errors.New("far enough")
	policy := directory.Policy{}
	config := directory.Config{
		Allow: policy.Allow, AllowPort: policy.AllowPort,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			lookups++
			return []netip.Addr{netip.MustParseAddr(answers[min(lookups-1, 1)])}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, stop
		},
	}
	g := read(t, &script{}, config,
		func(c *settings.Connection, _ *directory.Query) { c.Host, c.Port = "rebinding.example.com", 389 })
	if lookups != 1 || len(dialled) != 1 || dialled[0] != "8.8.8.8:389" || !errors.Is(g.err, stop) {
		t.Errorf("%d look-ups, dialled %q, error %v; want one look-up and the address it gave", lookups, dialled, g.err)
	}
	g = read(t, &script{}, config,
		func(c *settings.Connection, _ *directory.Query) { c.Host, c.Port = "8.8.8.8", 22 })
	var e *directory.Error
	if !errors.As(g.err, &e) || e.Code != directory.CodeAddressForbidden || len(dialled) != 1 {
		t.Errorf("port 22: error %v, dialled %q", g.err, dialled)
	}
}

// TestAForbiddenAddressIsNotNamed looks a name up that stands for an address inside: whoever typed it must not learn
// that address.
func TestAForbiddenAddressIsNotNamed(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{"10.77.66.55", "169.254.77.66", "fd12:7766::55", "127.77.66.55"} {
		policy := directory.Policy{Deny: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/16")}}
		config := directory.Config{Allow: policy.Allow,
			Resolve: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr(inside)}, nil
			}}
		g := read(t, &script{}, config,
			func(c *settings.Connection, _ *directory.Query) { c.Host = "inside.example.com" })
		var e *directory.Error
		if !errors.As(g.err, &e) || e.Code != directory.CodeAddressForbidden {
			t.Fatalf("%s: error %v, want %s", inside, g.err, directory.CodeAddressForbidden)
		}
		if said := e.Message + g.steps[0].Detail; strings.Contains(said, "77") {
			t.Errorf("%s is named: %s", inside, said)
		}
	}
}
