package freeport_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"rollcall/shared/adapters/aws/fake/freeport"
)

func TestFreePortsCanBeListenedOn(t *testing.T) {
	t.Parallel()
	const many = 50
	found, err := freeport.Free(t.Context(), "127.0.0.1", many)
	if err != nil || len(found) != many {
		t.Fatalf("%d ports, error %v; want %d", len(found), err, many)
	}
	for _, port := range found {
		// Each a second time too, unless it was found twice.
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}

func TestNoPortIsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Nobody has this address (RFC 5737).
	if found, err := freeport.Free(ctx, "192.0.2.1", 1); err == nil {
		t.Errorf("ports %v of an address that is not this machine's, want an error", found)
	}
}
