package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/shared/directory"
	"rollcall/shared/run"
)

// TestSeveralServers reads from a site of three: 127.0.0.1 works, 127.0.0.2 takes no sign-ins, and 127.0.0.3 is down.
func TestSeveralServers(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	works := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Entries: ldapserver.People(20),
		CertificateNames: []string{"127.0.0.1", "dc1.example.test", "xn--bcher-kva.example"}})
	// It has an authority of its own, so that a connection to both trusts two.
	unwilling := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Host: "127.0.0.2", Port: works.Port,
		RefuseBinds: true})
	const first = "127.0.0.3 resolve, 127.0.0.3 connect failed"
	upToBind := func(host string) string {
		return fmt.Sprintf("%[1]s resolve, %[1]s connect, %[1]s tls, %[1]s bind", host)
	}
	for name, c := range map[string]struct {
		hosts, password, steps string
		// code and step are empty where the read is done; says are parts of the error's message.
		code, step string
		says       []string
	}{
		"the last one works": {hosts: "127.0.0.3, 127.0.0.2\n127.0.0.1", password: works.Password,
			steps: strings.Join([]string{first, upToBind("127.0.0.2") + " failed", upToBind("127.0.0.1"),
				"127.0.0.1 base", "127.0.0.1 search"}, ", ")},
		"a wrong password goes to one": {hosts: "127.0.0.3 127.0.0.1 127.0.0.2", password: "wrong",
			steps: first + ", " + upToBind("127.0.0.1") + " failed", code: "invalid_credentials", step: "bind"},
		"none works": {hosts: "127.0.0.2,127.0.0.3", password: works.Password,
			steps: upToBind("127.0.0.2") + " failed, " + first, code: "insufficient_access", step: "bind",
			says: []string{"127.0.0.2: The server does not let", "127.0.0.3: 127.0.0.3:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			preview := account(t).preview(request(works, func(to object) {
				to["host"], to["password"] = c.hosts, c.password
				to["caCertificate"] = works.CACertificate + unwilling.CACertificate
			}))
			var steps []string
			for _, s := range preview.objects("connection") {
				line := s.text("host") + " " + s.text("step")
				if s["ok"] != true {
					line += " failed"
				}
				steps = append(steps, line)
			}
			if diff := cmp.Diff(strings.Split(c.steps, ", "), steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if preview.text("error.code") != c.code || preview.text("error.step") != c.step {
				t.Errorf("error %v, want %s at %s", preview["error"], c.code, c.step)
			}
			for _, part := range c.says {
				if !strings.Contains(preview.text("error.message"), part) {
					t.Errorf("error %v, want %q", preview["error"], part)
				}
			}
		})
	}
	for host, c := range map[string]struct {
		port  int
		steps []string
	}{
		// The name of the record's first target is not in the certificate.
		"_ldap._tcp.example.test": {1, []string{"_ldap._tcp.example.test resolve true", "dc2.example.test resolve true",
			"dc2.example.test connect true", "dc2.example.test tls false", "dc1.example.test resolve true",
			"dc1.example.test connect true", "dc1.example.test tls true", "dc1.example.test bind true",
			"dc1.example.test base true", "dc1.example.test search true"}},
		// Certificates have the A-label.
		"bücher.example": {works.Port, []string{"bücher.example resolve true", "bücher.example connect true",
			"bücher.example tls true", "bücher.example bind true", "bücher.example base true",
			"bücher.example search true"}},
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			readsByName(t, works, host, c.port, c.steps)
		})
	}
}

// readsByName reads a server by a name that DNS does not have.
func readsByName(t *testing.T, s *ldapserver.Server, host string, port int, want []string) {
	t.Helper()
	to := connection(s)
	to.Host, to.Port, to.UseSSL = host, port, false
	var steps []string
	reader := directory.New(directory.Config{
		LookupSRV: func(context.Context, string, string, string) (string, []*net.SRV, error) {
			return "", []*net.SRV{{Target: "dc2.example.test.", Port: uint16(s.Port)},
				{Target: "dc1.example.test.", Port: uint16(s.Port)}}, nil
		},
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(s.Host)}, nil
		},
	})
	info, err := reader.Read(t.Context(), to, directory.Query{Filter: "(mail=*)"}, func(s run.Step) {
		steps = append(steps, fmt.Sprint(s.Host, " ", s.Step, " ", s.OK))
	}, func(*directory.Entry) error { return nil })
	if err != nil || info.Entries != 20 {
		t.Errorf("%d entries, error %v", info.Entries, err)
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
