package directory

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// errTooMuch means that a server sent more in a step than any step needs.
var errTooMuch = errors.New("the server sent far more than was asked for")

// errNotTLS means that a server began with something else where TLS was to begin.
var errNotTLS = errors.New("the server sent something that is not TLS")

// stepBytes bounds what a server may send in a step before the search, in bytes: go-ldap makes a tree of each message,
// which takes more than a hundred times the memory of an element of two bytes. A rootDSE has a few kilobytes.
const stepBytes = 512 << 10

// lentConn lends a connection to go-ldap for one step. When the step is over the connection is taken back: go-ldap's
// reader sees the end of the stream, and the connection stays open.
type lentConn struct {
	net.Conn
	left    int64
	taken   atomic.Bool
	reading sync.Mutex
}

func lend(c net.Conn) *lentConn { return &lentConn{Conn: c, left: stepBytes} }

func (l *lentConn) Read(p []byte) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.taken.Load() {
		return 0, io.EOF
	}
	n, err := l.Conn.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// Close takes the connection back. It returns once no read is under way, so that a later deadline does not let it go
// on.
func (l *lentConn) Close() error {
	if l.taken.Swap(true) {
		return nil
	}
	err := l.Conn.SetReadDeadline(time.Unix(1, 0))
	l.reading.Lock()
	defer l.reading.Unlock()
	return err
}

// buffered reads a connection in large pieces. It goes below TLS, which reads little more than a record at a time, and
// servers send each entry as a record of its own.
type buffered struct {
	net.Conn
	in *bufio.Reader
	// begun is set once the first record was checked.
	begun bool
}

func newBuffered(c net.Conn) *buffered {
	return &buffered{Conn: c, in: bufio.NewReaderSize(c, readBuffer)}
}

func (b *buffered) Read(p []byte) (int, error) {
	if !b.begun {
		if err := b.checkFirst(); err != nil {
			return 0, err
		}
		b.begun = true
	}
	return b.in.Read(p)
}

// The content types of TLS records that a server may begin with (RFC 8446, 5.1), and the level of an alert that ends
// the connection.
const (
	recordAlert     = 21
	recordHandshake = 22
	alertFatal      = 2
)

// checkFirst refuses a first record that is neither a handshake's nor a fatal alert. The TLS client skips warnings,
// which anybody on the way may add before the handshake.
func (b *buffered) checkFirst() error {
	record, err := b.in.Peek(1)
	if err == nil && record[0] == recordAlert {
		if record, err = b.in.Peek(6); err == nil && record[5] == alertFatal {
			return nil
		}
	}
	if err == nil && record[0] != recordHandshake {
		return errNotTLS
	}
	return err
}
