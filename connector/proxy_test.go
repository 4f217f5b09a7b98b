package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

// cuttingProxy is a forward proxy (CONNECT) to one server, whatever name it is asked for, that ends each connection
// after so many bytes.
type cuttingProxy struct {
	net.Listener
	to   string
	most int64
	cuts *counted
}

func newCuttingProxy(t *testing.T, to string, most int64) *cuttingProxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cuttingProxy{Listener: l, to: to, most: most, cuts: new(counted)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *cuttingProxy) serve(in net.Conn) {
	defer in.Close()
	from := bufio.NewReader(in)
	if r, err := http.ReadRequest(from); err != nil || r.Method != http.MethodConnect {
		return
	}
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer out.Close()
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(in, out)
		in.Close()
	}()
	if n, _ := io.CopyN(out, from, p.most); n == p.most {
		p.cuts.mu.Lock()
		p.cuts.n++
		p.cuts.mu.Unlock()
	}
}
