package directory

import (
	"io"
	"math/bits"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// maxWait is the most that a read waits for, in bytes: from there on a wake costs little beside what it brings.
	// minWait is the least that is worth waiting for.
	maxWait = 32 << 10
	minWait = 2 << 10
	// patience is how long a read waits for more than what has come.
	patience = time.Millisecond
)

// socket is a TCP connection that reads many entries at a time, where it is told that they come. A server sends each
// entry by itself; a reader that takes each as it comes spends more on waking, and the server more on waking it, than
// either spends on the entry. So a read waits until the socket holds a good part of what is expected (SO_RCVLOWAT,
// socket(7)) or its patience ends. The server goes on meanwhile: the system keeps what it sends. Deadlines hold as
// ever. docs/adr/0031-patient-reads.md has the numbers.
type socket struct {
	net.Conn
	raw syscall.RawConn
	try func(fd uintptr) bool
	// coming is how many bytes are expected.
	coming int
	timer  *time.Timer

	// What try reads into, whether it has waited, and what came of it.
	into   []byte
	waited bool
	n      int
	err    error

	// mark is how many bytes wake a read.
	mu   sync.Mutex
	mark int
}

// newSocket returns c, as a socket where it is one and the system can wait for more than a byte.
func newSocket(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok || !canWait {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	s := &socket{Conn: c, raw: raw, mark: 1}
	s.try = s.tryRead
	s.timer = time.AfterFunc(time.Hour, func() { s.setMark(1) })
	s.timer.Stop()
	return s
}

// expect sets the estimate of how many bytes will come.
func (s *socket) expect(bytes int) { s.coming = bytes }

// Read reads what has come, once it is a good part of what is expected.
func (s *socket) Read(p []byte) (int, error) {
	mark := markFor(s.coming)
	s.setMark(mark)
	if mark == 1 {
		return s.Conn.Read(p)
	}
	s.into, s.waited = p, false
	err := s.raw.Read(s.try)
	if s.waited {
		s.timer.Stop()
	}
	switch {
	case err != nil:
		return 0, err
	case s.err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(),
			Err: os.NewSyscallError("read", s.err)}
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// markFor returns how many bytes a read waits for when so many are expected: a power of two, so that the mark is not
// moved for each read.
func markFor(coming int) int {
	most := coming * 3 / 4
	if most < minWait {
		return 1
	}
	return min(1<<(bits.Len(uint(most))-1), maxWait)
}

// tryRead reads, unless the mark is not reached and it has not waited yet. It reports whether the read is over. It asks
// the system whether it would be woken, and not for the number of bytes: a connection that was reset wakes nobody a
// second time.
func (s *socket) tryRead(fd uintptr) bool {
	if !s.waited && !readable(fd) {
		s.waited = true
		s.timer.Reset(patience)
		return false
	}
	s.n, s.err = readSocket(fd, s.into)
	return s.err != syscall.EAGAIN //nolint:errorlint // a system call's own number
}

// setMark sets how many bytes wake a read. To lower it to what has come wakes the read that waits (Linux 4.18 and
// newer).
func (s *socket) setMark(mark int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mark != mark {
		s.mark = mark
		// It can only fail where the connection is closed, and then the next read says so.
		_ = s.raw.Control(func(fd uintptr) { setLowWater(fd, mark) })
	}
}
