// Package freeport finds ports for the servers that tests start, and that cannot be told to take any and say which.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports that are looked at: below those that systems give to whoever asks for any (from 32768 on Linux, from 49152
// by RFC 6335), so that nobody who does is given one between its finding and its server's start.
const (
	first = 10_000
	last  = 32_767
)

// tries is how many ports are looked at for each that is wanted.
const tries = 1000

// errNone means that hardly any port is free.
var errNone = errors.New("no port is free")

// Free returns n ports of a host that nobody listens on; an empty host is all of the machine's addresses.
func Free(ctx context.Context, host string, n int) ([]int, error) {
	var config net.ListenConfig
	var found []int
	var failure error
	for range n * tries {
		// Two that look for ports at once only have to look at different ones.
		port := first + rand.IntN(last-first+1) //nolint:gosec // no secret
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			failure = err
			continue
		}
		// Held until all are found, so that none is found twice.
		defer l.Close()
		if found = append(found, port); len(found) == n {
			return found, nil
		}
	}
	return nil, fmt.Errorf("%w of those from %d to %d: %w", errNone, first, last, failure)
}
