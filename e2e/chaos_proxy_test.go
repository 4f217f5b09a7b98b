package e2e

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// fault is what a proxy does to one connection once so many bytes of the server's answers went through.
type fault struct {
	kind  faultKind
	after int
}

type faultKind int

const (
	noFault faultKind = iota
	// cutConnection ends the connection.
	cutConnection
	// flipBit changes one bit.
	flipBit
	// stall sends nothing for a second.
	stall
	// hang sends nothing more.
	hang
)

func (k faultKind) String() string {
	return [...]string{"no fault", "cut", "bit flip", "stall", "hang"}[k]
}

// proxy stands between the program and its directory server, which may change.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	target   string
	next     fault
}

// startProxy starts a proxy on loopback that ends with the test.
func startProxy(t *testing.T) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &proxy{listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// port returns where the proxy listens.
func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// set says where connections lead from now on, and what happens to the next one.
func (p *proxy) set(target string, next fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target, p.next = target, next
}

// used waits until a connection has the fault that was set.
func (p *proxy) used(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		left := p.next
		p.mu.Unlock()
		if left == (fault{}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody connects")
		}
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	target, own := p.target, p.next
	p.next = fault{}
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	own.pass(client, server)
}

// pass copies the server's answers to the client, with the fault in them.
func (f fault) pass(client io.Writer, server io.Reader) {
	if f.kind == noFault {
		io.Copy(client, server)
		return
	}
	if _, err := io.CopyN(client, server, int64(f.after)); err != nil {
		return
	}
	switch f.kind {
	case cutConnection:
		return
	case stall:
		time.Sleep(time.Second)
	case hang:
		io.Copy(io.Discard, server)
		return
	case flipBit:
		one := make([]byte, 1)
		if _, err := io.ReadFull(server, one); err != nil {
			return
		}
		one[0] ^= 1 << rand.IntN(8)
		if _, err := client.Write(one); err != nil {
			return
		}
	}
	io.Copy(client, server)
}
