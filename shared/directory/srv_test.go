package directory_test

import (
	"context"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"rollcall/shared/directory"
)

// nameServer answers every question for SRV records with the same ones, and returns a resolver that asks it.
func nameServer(t *testing.T, records []net.SRV) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			for _, r := range records {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1},
					Body: &dnsmessage.SRVResource{Priority: r.Priority, Weight: r.Weight, Port: r.Port,
						Target: dnsmessage.MustNewName(r.Target)},
				})
			}
			if answer, err := m.Pack(); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestSRVRecordsAreTriedByPriority asks a name server, with the resolver that a Reader has by default.
func TestSRVRecordsAreTriedByPriority(t *testing.T) {
	t.Parallel()
	resolver := nameServer(t, []net.SRV{
		{Target: "third.example.", Priority: 30, Weight: 100, Port: 389},
		{Target: "first.example.", Priority: 0, Port: 3268},
		{Target: "second.example.", Priority: 10, Weight: 1, Port: 389},
	})
	n := &site{servers: map[string]*script{"first.example": nil, "second.example": works(), "third.example": works()}}
	g := n.read(t, "_ldap._tcp.example", directory.Config{LookupSRV: resolver.LookupSRV})
	if g.err != nil {
		t.Error(g.err)
	}
	if diff := cmp.Diff([]string{"first.example:3268", "second.example:389"}, n.dialled); diff != "" {
		t.Errorf("dialled (-want +got):\n%s", diff)
	}
}
