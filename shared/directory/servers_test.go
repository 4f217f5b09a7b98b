package directory_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

func TestServersAreTriedInOrder(t *testing.T) {
	t.Parallel()
	const failed = " failed"
	served := func(host string) []string {
		return append(through(host, ""), host+" base", host+" search")
	}
	srv := func(targets ...string) []*net.SRV {
		var out []*net.SRV
		for i, target := range targets {
			out = append(out, &net.SRV{Target: target, Port: uint16(1389 + i)})
		}
		return out
	}
	noAnswer := works()
	noAnswer.hangUpAt = []ber.Tag{ldap.ApplicationBindRequest}
	for name, c := range map[string]struct {
		hosts   string
		servers map[string]*script
		srv     []*net.SRV
		steps   []string
		// code and step are the error's, and says are parts of its message in their order.
		code string
		step string
		says []string
	}{
		"one": {hosts: "a.example", servers: map[string]*script{"a.example": works()}, steps: served("a.example")},
		"none is named": {hosts: " , ", steps: []string{}, code: directory.CodeHostNotFound, step: "resolve",
			says: []string{"is missing"}},
		"the first works": {hosts: "A.example. b.example", servers: map[string]*script{"a.example": works(),
			"b.example": nil}, steps: served("a.example")},
		"unknown, down, then one that works": {hosts: "no.example,down.example b.example",
			servers: map[string]*script{"down.example": nil, "b.example": works()},
			steps: slices.Concat([]string{"no.example resolve failed", "down.example resolve",
				"down.example connect failed"}, served("b.example"))},
		"busy, unavailable, unwilling, silent": {hosts: "a.example, b.example, c.example, d.example, e.example",
			servers: map[string]*script{"a.example": binds(ldap.LDAPResultBusy),
				"b.example": binds(ldap.LDAPResultUnavailable),
				"c.example": binds(ldap.LDAPResultUnwillingToPerform), "d.example": noAnswer,
				"e.example": works()},
			steps: slices.Concat(through("a.example", failed), through("b.example", failed),
				through("c.example", failed), through("d.example", failed), served("e.example"))},
		"wrong credentials": {hosts: "a.example b.example", servers: map[string]*script{
			"a.example": binds(ldap.LDAPResultInvalidCredentials), "b.example": works()},
			steps: through("a.example", failed), code: directory.CodeInvalidCredentials, step: "bind",
			says: []string{"does not accept"}},
		"LDAPv2 only": {hosts: "a.example", servers: map[string]*script{
			"a.example": binds(ldap.LDAPResultProtocolError)},
			steps: through("a.example", failed), code: directory.CodeProtocol, step: "bind",
			says: []string{"LDAPv2 only"}},
		"none, with the furthest step": {hosts: "no.example a.example down.example", servers: map[string]*script{
			"a.example": binds(ldap.LDAPResultBusy), "down.example": nil},
			steps: slices.Concat([]string{"no.example resolve failed"}, through("a.example", failed),
				[]string{"down.example resolve", "down.example connect failed"}),
			code: directory.CodeUnavailable, step: "bind",
			says: []string{"No LDAP server can be used", "no.example: No server is known",
				"a.example: The server cannot take a sign-in", "down.example: down.example:389 refuses"}},
		"SRV, with the records' ports": {hosts: "_ldap._tcp.example", servers: map[string]*script{"a.example": nil,
			"b.example": works()}, srv: srv("a.example.", "B.example."),
			steps: slices.Concat([]string{"_ldap._tcp.example resolve", "a.example resolve",
				"a.example connect failed"}, served("b.example"))},
		"SRV of a domain controller": {hosts: "_ldap._tcp.dc._msdcs.example", servers: map[string]*script{
			"a.example": works()}, srv: srv("a.example."),
			steps: append([]string{"_ldap._tcp.dc._msdcs.example resolve"}, served("a.example")...)},
		"SRV that leads elsewhere": {hosts: "_ldap._tcp.example", servers: map[string]*script{"a.example": works(),
			"evil-example": works(), "evil.test": works()},
			srv:   srv("evil.test.", "evil-example.", "a.example."),
			steps: append([]string{"_ldap._tcp.example resolve"}, served("a.example")...)},
		"SRV that leads elsewhere only": {hosts: "_ldap._tcp.example", srv: srv("evil.test."),
			servers: map[string]*script{"evil.test": works()},
			steps:   []string{"_ldap._tcp.example resolve failed"}, code: directory.CodeAddressForbidden,
			step: "resolve", says: []string{"evil.test:1389 (not in example)"}},
		"SRV that is not there, then a server": {hosts: "_ldap._tcp.example a.example",
			servers: map[string]*script{"a.example": works()},
			steps:   append([]string{"_ldap._tcp.example resolve failed"}, served("a.example")...)},
		"SRV that says there is none": {hosts: "_ldap._tcp.example", srv: srv("."),
			steps: []string{"_ldap._tcp.example resolve failed"}, code: directory.CodeHostNotFound, step: "resolve",
			says: []string{"No LDAP server is named by an SRV record at _ldap._tcp.example"}},
		"five in all": {hosts: "z.example _ldap._tcp.example y.example",
			srv: srv("1.example.", "2.example.", "3.example.", "4.example.", "5.example.", "6.example."),
			steps: []string{"z.example resolve failed", "_ldap._tcp.example resolve", "1.example resolve failed",
				"2.example resolve failed", "3.example resolve failed", "4.example resolve failed"},
			code: directory.CodeHostNotFound, step: "resolve",
			says: []string{"z.example: No", "1.example: No", "4.example: No"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &site{servers: c.servers, srv: c.srv}
			g := n.read(t, c.hosts, directory.Config{})
			if diff := cmp.Diff(c.steps, lines(g.steps)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			var e *directory.Error
			if c.code == "" {
				if g.err != nil || len(g.entries) != 1 {
					t.Errorf("%d entries, error %v", len(g.entries), g.err)
				}
				return
			}
			if !errors.As(g.err, &e) || e.Code != c.code || e.Step != c.step {
				t.Fatalf("error %v, want %s at %s", g.err, c.code, c.step)
			}
			rest := e.Message
			for _, part := range c.says {
				var found bool
				if _, rest, found = strings.Cut(rest, part); !found {
					t.Errorf("%q is missing, or in another place, in %q", part, e.Message)
				}
			}
		})
	}
}

func TestSRVTargetsAreDialledOnTheirAllowedPorts(t *testing.T) {
	t.Parallel()
	n := &site{servers: map[string]*script{"a.bücher.example": nil, "a.xn--bcher-kva.example": works()},
		srv: []*net.SRV{{Target: "a.xn--bcher-kva.example.", Port: 22},
			{Target: "a.xn--bcher-kva.example.", Port: 3268}}}
	g := n.read(t, "_gc._tcp.bücher.example", directory.Config{AllowPort: directory.Policy{}.AllowPort})
	if g.err != nil || g.info.DirectoryID != "dc=example,dc=com" {
		t.Errorf("directory %q, error %v", g.info.DirectoryID, g.err)
	}
	if diff := cmp.Diff([]string{"_gc._tcp.xn--bcher-kva.example."}, n.lookups); diff != "" {
		t.Errorf("looked up (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a.xn--bcher-kva.example:3268"}, n.dialled); diff != "" {
		t.Errorf("dialled (-want +got):\n%s", diff)
	}
	want := "_gc._tcp.bücher.example leads to a.xn--bcher-kva.example:3268; left out: " +
		"a.xn--bcher-kva.example:22 (port 22 must not be reached from here)"
	if g.steps[0].Detail != want {
		t.Errorf("detail %q, want %q", g.steps[0].Detail, want)
	}
}

// A password that one server refused goes to no other one.
func TestWrongCredentialsGoToOneServer(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "80090308: AcceptSecurityContext error, data 775, v1db1"} {
		first, second := binds(ldap.LDAPResultInvalidCredentials), works()
		first.bindText = text
		n := &site{servers: map[string]*script{"a.example": first, "b.example": second, "down.example": nil}}
		g := n.read(t, "down.example, a.example, b.example", directory.Config{})
		var e *directory.Error
		if !errors.As(g.err, &e) || !e.Refused {
			t.Errorf("error %v, want one that says that the password was refused", g.err)
		}
		count := 0
		for _, s := range []*script{first, second} {
			s.mu.Lock()
			for _, op := range s.ops {
				if op == ber.Tag(ldap.ApplicationBindRequest) {
					count++
				}
			}
			s.mu.Unlock()
		}
		if count != 1 || slices.Contains(n.dialled, "b.example:389") {
			t.Errorf("%d sign-ins, dialled %q; want one sign-in", count, n.dialled)
		}
	}
}

// A read that has begun stays at its server, whatever happens.
func TestAReadThatBeganGoesOnNowhereElse(t *testing.T) {
	t.Parallel()
	breaks := works()
	breaks.search = func(c *session, _ int, _ search) bool {
		c.person("a")
		return false
	}
	n := &site{servers: map[string]*script{"a.example": breaks, "b.example": works()}}
	g := n.read(t, "a.example b.example", directory.Config{})
	var e *directory.Error
	if !errors.As(g.err, &e) || e.Code != directory.CodeIncompleteRead || !slices.Equal(n.dialled,
		[]string{"a.example:389"}) {
		t.Errorf("error %v, dialled %q; want an incomplete read of the first", g.err, n.dialled)
	}
}

// Where encryption is preferred, a server is tried with and without it before the next, and what is said of a server
// that failed does not stand beside one that was read.
func TestEachServerIsTriedWithAndWithoutEncryption(t *testing.T) {
	t.Parallel()
	certificate := issue(t, nil, func(c *x509.Certificate) {
		authority("b")(c)
		c.DNSNames = []string{"b.example"}
	})
	encrypted := works()
	encrypted.tls = certificate.server()
	n := &site{servers: map[string]*script{"a.example": binds(ldap.LDAPResultBusy), "b.example": encrypted},
		change: func(c *settings.Connection) {
			c.Encryption, c.CACertificate = settings.Preferred, certificate.pem()
		}}
	g := n.read(t, "a.example b.example", directory.Config{})
	want := slices.Concat([]string{"a.example resolve", "a.example connect", "a.example tls failed",
		"a.example connect", "a.example tls", "a.example bind failed"}, through("b.example", ""),
		[]string{"b.example base", "b.example search"})
	if diff := cmp.Diff(want, lines(g.steps)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if said := strings.Join(g.info.Notes, "; "); g.err != nil || strings.Contains(said, "not encrypted") {
		t.Errorf("notes %q, error %v; want none about encryption", said, g.err)
	}
}

// What was found out about a server that failed is not said of the one that was read, and the directory has one id
// whichever server answers.
func TestTheServerThatAnsweredLeavesNoTraceInTheFindings(t *testing.T) {
	t.Parallel()
	var infos []directory.Info
	for _, servers := range []map[string]*script{
		{"a.example": {bind: ldap.LDAPResultBusy}, "b.example": {search: works().search}},
		{"a.example": {search: works().search}},
	} {
		n := &site{servers: servers}
		g := n.read(t, " A.example,b.example.", directory.Config{})
		if g.err != nil {
			t.Fatal(g.err)
		}
		infos = append(infos, g.info)
	}
	if diff := cmp.Diff(infos[1], infos[0]); diff != "" {
		t.Errorf("the second server's read (+) differs from the first's (-):\n%s", diff)
	}
	if infos[0].DirectoryID != "a.example, b.example" {
		t.Errorf("directory %q, want the list", infos[0].DirectoryID)
	}
}

func TestACancelledReadTriesNoOtherServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var looked []string
	config := directory.Config{Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		looked = append(looked, host)
		cancel()
		return nil, ctx.Err()
	}}
	_, err := directory.New(config).Read(ctx, settings.Connection{Host: "a.example b.example", Port: 389},
		directory.Query{}, func(run.Step) {}, nil)
	if !errors.Is(err, context.Canceled) || !slices.Equal(looked, []string{"a.example"}) {
		t.Errorf("error %v, looked up %q; want the first only, and the end of the context", err, looked)
	}
}

func TestCheckHost(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	for list, wrong := range map[string]string{
		"dc1.example.com, 192.0.2.1 [2001:db8::1], 2001:db8::1": "",
		"_ldap._tcp.bücher.example, r3---sn-x.example, dc_1":    "",
		"हिन्दी.example":                                        "",
		"dc1, xn--0.example":                                    "xn--0.example",
		long + ".example":                                       long + ".example",
		"אb.example":                                            "אb.example",
	} {
		err := directory.CheckHost(list)
		if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("CheckHost(%q) is %v, want %q in it", list, err, wrong)
		}
	}
}

// FuzzHost holds what is accepted as a list of servers: it stays what it is when it is normalised again, has at most
// five names, and a record's servers have a domain to lie in.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"dc1.example.com, DC2.Example.COM.", "_ldap._tcp.b\u00fccher.example",
		"[2001:db8::1] 192.0.2.1", "a,,b", "..", "_ldap._tcp", "xn--0", "\u0130.example", "a b c d e f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		c := settings.Connection{ServerType: settings.Exchange, Host: list, Port: 389}.Normalised()
		if len(c.Validate()) > 0 || directory.CheckHost(c.Host) != nil {
			return
		}
		hosts := c.Hosts()
		if len(hosts) == 0 || len(hosts) > settings.MaxHosts {
			t.Errorf("%q is accepted as %d servers", list, len(hosts))
		}
		if again := c.Normalised().Host; again != c.Host {
			t.Errorf("%q is stored as %q, and then as %q", list, c.Host, again)
		}
		for _, host := range hosts {
			if domain, srv := settings.SRVDomain(host); srv && (domain == "" || !strings.HasSuffix(host, "."+domain)) {
				t.Errorf("the servers of %q are to lie in %q", host, domain)
			}
		}
	})
}

// TestABracketedAddressIsWrittenOnce: an IPv6 address may be entered with its brackets, and messages add theirs.
func TestABracketedAddressIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"::1", "[::1]"} {
		// The server listens on 127.0.0.1 only.
		g := read(t, &script{}, directory.Config{}, func(c *settings.Connection, _ *directory.Query) { c.Host = host })
		if g.err == nil || !strings.HasPrefix(g.err.Error(), "connect: [::1]:") {
			t.Errorf("%s: error %v, want one about [::1] and the port", host, g.err)
		}
	}
}
