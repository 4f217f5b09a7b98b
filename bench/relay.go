package main

import (
	"context"
	"io"
	"net"
	"sync/atomic"
)

// relay passes connections on and counts what goes through, in both directions.
type relay struct {
	net.Listener
	bytes atomic.Int64
}

// newRelay listens on the server's own address, which its certificate names.
func newRelay(to, host string) (*relay, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	r := &relay{Listener: listener}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).DialContext(context.Background(), "tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go r.pass(in, out)
			go r.pass(out, in)
		}
	}()
	return r, nil
}

func (r *relay) port() int { return r.Addr().(*net.TCPAddr).Port }

func (r *relay) pass(from, to net.Conn) {
	defer to.Close()
	_, _ = io.Copy(to, io.TeeReader(from, r)) // the ends tell how it went
}

func (r *relay) Write(p []byte) (int, error) {
	r.bytes.Add(int64(len(p)))
	return len(p), nil
}
