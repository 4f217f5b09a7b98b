package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

// site is a network of scripts by their names. A name that leads nowhere is unknown, and a server that is nil is down.
type site struct {
	servers map[string]*script
	srv     []*net.SRV
	// change changes the connection, which is not encrypted; nil leaves it.
	change func(*settings.Connection)

	mu sync.Mutex
	// dialled are the names and ports that were dialled, and lookups the SRV names that were looked up.
	dialled, lookups []string
}

// read reads with a connection to the hosts, on port 389.
func (n *site) read(t *testing.T, hosts string, config directory.Config) got {
	t.Helper()
	names := make(map[string]string)
	targets := make(map[string]string)
	for name, server := range n.servers {
		address := fmt.Sprintf("192.0.2.%d", len(names)+1)
		names[address] = name
		if server != nil {
			host, port := server.serve(t)
			targets[address] = fmt.Sprintf("%s:%d", host, port)
		}
	}
	config.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		for address, name := range names {
			if name == host {
				return []netip.Addr{netip.MustParseAddr(address)}, nil
			}
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	config.Dial = func(ctx context.Context, network, to string) (net.Conn, error) {
		address, port, _ := strings.Cut(to, ":")
		n.mu.Lock()
		n.dialled = append(n.dialled, names[address]+":"+port)
		n.mu.Unlock()
		if targets[address] == "" {
			return nil, errors.New("connection refused")
		}
		return new(net.Dialer).DialContext(ctx, network, targets[address])
	}
	if config.LookupSRV == nil {
		config.LookupSRV = func(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
			n.lookups = append(n.lookups, name)
			if n.srv == nil {
				return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			return name, n.srv, nil
		}
	}
	to := settings.Connection{ServerType: settings.GroupWise, Host: hosts, Port: 389, Encryption: settings.None,
		Username: "cn=reader", Password: secret.New("pw")}
	if n.change != nil {
		n.change(&to)
	}
	var g got
	g.info, g.err = directory.New(config).Read(t.Context(), to, directory.Query{Attributes: []string{"mail"}},
		func(s run.Step) { g.steps = append(g.steps, s) }, func(e *directory.Entry) error {
			g.entries = append(g.entries, string(e.DN))
			return nil
		})
	return g
}

// lines are the steps in short: server, step and whether it failed.
func lines(steps []run.Step) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.Host + " " + s.Step
		if !s.OK {
			out[i] += " failed"
		}
	}
	return out
}

// works is a server with one person.
func works() *script {
	return &script{root: offersPaging, search: func(c *session, _ int, _ search) bool {
		c.person("a")
		c.page("")
		return true
	}}
}

// binds is a server that answers every sign-in with a result.
func binds(code int64) *script {
	s := works()
	s.bind = code
	return s
}

// through are the steps of one server up to the bind, the last with a suffix.
func through(host, suffix string) []string {
	return []string{host + " resolve", host + " connect", host + " tls", host + " bind" + suffix}
}
