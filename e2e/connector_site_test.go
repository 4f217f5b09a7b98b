package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/e2e/servers/ldapserver"
	"rollcall/local/demo/authority"
)

// closedNetwork is a network namespace of its own, as a firewall leaves it: one line leads to this machine, and over it
// to the ports of this machine that are let through. It ends with the test's process, whatever becomes of that.
type closedNetwork struct {
	t *testing.T
	// enter stands before the command line of what runs in there.
	enter []string
	// here is this machine's address on the line.
	here string
}

// newClosedNetwork lets nothing through yet.
func newClosedNetwork(t *testing.T) *closedNetwork {
	t.Helper()
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	stdin, err := holder.StdinPipe()
	if err == nil {
		err = holder.Start()
	}
	if errors.Is(err, os.ErrPermission) && os.Getenv("CI") == "" {
		t.Skip("making a network namespace takes root (in a container CAP_SYS_ADMIN and CAP_NET_ADMIN too):", err)
	}
	if err != nil {
		t.Fatal("make a network namespace: ", err)
	}
	t.Cleanup(func() { stdin.Close(); _ = holder.Wait() })
	// 198.18.0.0/15 is for tests (RFC 2544); each process has a line of its own in it.
	pid := holder.Process.Pid
	line := netip.AddrFrom4([4]byte{198, byte(18 + pid>>14&1), byte(pid >> 6), byte(pid << 2)})
	n := &closedNetwork{t, []string{"nsenter", "-t", strconv.Itoa(pid), "-n"}, line.Next().String()}
	name := fmt.Sprint("rollcall", pid)
	n.ip(nil, "link add %s type veth peer name eth0 netns %d", name, pid)
	n.ip(nil, "address add %s/30 dev %s", n.here, name)
	n.ip(nil, "link set %s up", name)
	n.ip(n.enter, "address add %s/30 dev eth0", line.Next().Next())
	n.ip(n.enter, "link set lo up")
	n.ip(n.enter, "link set eth0 up")
	n.ip(n.enter, "rule add pref 2 unreachable")
	n.ip(n.enter, "-6 rule add pref 2 unreachable")
	return n
}

// ip runs ip(8), behind what enters the network or here.
func (n *closedNetwork) ip(enter []string, format string, args ...any) {
	n.t.Helper()
	n.output(append(enter, append([]string{"ip"}, strings.Fields(fmt.Sprintf(format, args...))...)...))
}

func (n *closedNetwork) output(line []string) string {
	n.t.Helper()
	out, err := exec.CommandContext(n.t.Context(), line[0], line[1:]...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", strings.Join(line, " "), err, out)
	}
	return string(out)
}

// lets lets connections to one TCP port of this machine through.
func (n *closedNetwork) lets(port int) {
	n.t.Helper()
	n.ip(n.enter, "rule add pref 1 to %s ipproto tcp dport %d lookup main", n.here, port)
}

// reaches reports whether a process in there can connect to a TCP port of this machine.
func (n *closedNetwork) reaches(port int) bool {
	n.t.Helper()
	out, err := exec.CommandContext(n.t.Context(), n.enter[0], append(n.enter[1:], "bash", "-c",
		fmt.Sprintf("exec 3<>/dev/tcp/%s/%d", n.here, port))...).CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("Network is unreachable")) {
		n.t.Errorf("port %d is neither open nor closed: %v\n%s", port, err, out)
	}
	return err == nil
}

// refused returns how often something in there wanted to go where nothing is let through: the kernel's count.
func (n *closedNetwork) refused() string {
	n.t.Helper()
	var names []string
	for line := range strings.Lines(n.output(append(n.enter, "cat", "/proc/net/snmp"))) {
		fields := strings.Fields(line)
		if fields[0] != "Ip:" {
			continue
		}
		for i, name := range names {
			if name == "OutNoRoutes" {
				return fields[i]
			}
		}
		names = fields
	}
	n.t.Fatal("the kernel does not count what has no route")
	return ""
}

// wantNoListener fails where anything in there waits for connections or datagrams.
func (n *closedNetwork) wantNoListener() {
	n.t.Helper()
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		sockets := n.output(append(n.enter, "cat", "/proc/net/"+table))
		for i, line := range strings.Split(strings.TrimSpace(sockets), "\n") {
			// 0A is LISTEN.
			if fields := strings.Fields(line); i > 0 && (strings.HasPrefix(table, "udp") || fields[3] == "0A") {
				n.t.Errorf("something listens (%s): %s", table, line)
			}
		}
	}
}

// serve serves HTTP on this machine's address of the line, under a certificate of ca; without one it is in the open.
func (n *closedNetwork) serve(ca *authority.Authority, h http.Handler) *httptest.Server {
	n.t.Helper()
	l, err := net.Listen("tcp", n.here+":0")
	if err != nil {
		n.t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	n.t.Cleanup(s.Close)
	if ca == nil {
		s.Start()
		return s
	}
	if s.TLS, err = ca.ServerTLS(n.here); err != nil {
		n.t.Fatal(err)
	}
	s.StartTLS()
	return s
}

// forwardProxy is the smallest proxy of a company: it does CONNECT, and counts.
type forwardProxy struct{ asked logBuffer }

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(&p.asked, r.Method, r.Host)
	if r.Method != http.MethodConnect {
		http.Error(w, "this proxy only does CONNECT", http.StatusMethodNotAllowed)
		return
	}
	out, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(out, in)
		out.Close()
	}()
	_, _ = io.Copy(in, out)
}

// relayTo is what ends TLS before a portal that only listens on loopback, at the far end of a slow line.
func relayTo(t *testing.T, base string) http.Handler {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	relay := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(80 * time.Millisecond)
		relay.ServeHTTP(w, r)
	})
}

func portOf(t *testing.T, of string) int {
	t.Helper()
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestAConnectorBehindAFirewall has it reach the directory and one TCP port besides, the portal's or a forward proxy's.
// It asks for nothing else, and listens on nothing.
func TestAConnectorBehindAFirewall(t *testing.T) {
	localIsEnough(t)
	t.Parallel()
	for _, name := range []string{"to the portal", "through a forward proxy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newClosedNetwork(t)
			directory := ldapserver.OpenLDAP(t, ldapserver.OpenLDAPConfig{Host: n.here, Entries: ldapserver.People(20)})
			p := account(t)
			ca, err := authority.New(authority.Config{Name: "Portal CA"})
			if err != nil {
				t.Fatal(err)
			}
			portal := n.serve(ca, relayTo(t, p.base))
			proxy := new(forwardProxy)
			proxied := n.serve(nil, proxy)

			site := &onSite{program: p, state: filepath.Join(t.TempDir(), "state"), inside: n.enter}
			open, closed := portOf(t, portal.URL), portOf(t, proxied.URL)
			if name == "through a forward proxy" {
				open, closed = closed, open
				site.env = []string{"HTTPS_PROXY=" + proxied.URL}
			}
			n.lets(directory.Port)
			n.lets(open)
			if !n.reaches(directory.Port) || !n.reaches(open) {
				t.Error("the directory or the one port cannot be reached")
			}
			if n.reaches(closed) || n.reaches(directory.SSLPort) {
				t.Error("other ports of this machine can be reached")
			}
			refused := n.refused()
			site.enrol(portal.URL, "-ca", site.file("portal.pem", ca.PEM()))
			site.readsAsDirectly(request(directory, nil))
			if now := n.refused(); now != refused || refused == "0" {
				t.Errorf("the count of what was refused went from %s to %s: the connector asks for more", refused, now)
			}
			n.wantNoListener()
			want := ""
			if open == portOf(t, proxied.URL) {
				want = "CONNECT " + portal.Listener.Addr().String()
			}
			if asked := proxy.asked.String(); strings.Contains(asked, "CONNECT ") != (want != "") ||
				!strings.Contains(asked, want) {
				t.Errorf("the proxy was asked for %q", asked)
			}
		})
	}
}
