package directory

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// sockets returns both ends of a connection on loopback, the first as the reader has it.
func sockets(t *testing.T) (*socket, *net.TCPConn) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var dialer net.Dialer
	near, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := newSocket(near).(*socket)
	if !ok {
		t.Fatal("a TCP connection is no socket")
	}
	t.Cleanup(func() {
		s.Close()
		far.Close()
	})
	return s, far.(*net.TCPConn)
}

// TestAReadWaitsForWhatIsExpected reads what a server sends entry by entry: no read brings less than was wanted, unless it has waited.
func TestAReadWaitsForWhatIsExpected(t *testing.T) {
	t.Parallel()
	s, far := sockets(t)
	entry := bytes.Repeat([]byte("0123456789"), 17)
	const entries = 5000
	sent := make(chan error, 1)
	go func() {
		var err error
		for range entries {
			_, writeErr := far.Write(entry)
			err = errors.Join(err, writeErr)
		}
		sent <- err
	}()
	var got []byte
	reads, p := 0, make([]byte, readBuffer)
	for len(got) < entries*len(entry) {
		s.expect(entries*len(entry) - len(got))
		n, err := s.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		if n < s.want && !s.waited {
			t.Fatalf("a read took %d bytes of %d without waiting", n, s.want)
		}
		got = append(got, p[:n]...)
		reads++
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.Repeat(entry, entries)) {
		t.Error("what was read is not what was sent")
	}
	t.Logf("%d entries took %d reads", entries, reads)
}

// TestTheMarkFollowsWhatIsExpected asks the system for the mark that it has.
func TestTheMarkFollowsWhatIsExpected(t *testing.T) {
	t.Parallel()
	s, far := sockets(t)
	for _, test := range []struct{ expected, mark int }{{0, 1}, {-5, 1}, {2000, 1}, {4000, 2048}, {1 << 20, mostWaiting}, {30_000, 16 << 10}, {1, 1}} {
		if _, err := far.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		s.expect(test.expected)
		if _, err := s.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		// Where the read waited in vain it has given the mark up, or is about to.
		if s.want != test.mark {
			t.Errorf("%d bytes expected: it waits for %d, want %d", test.expected, s.want, test.mark)
		}
		s.setMark(test.mark)
		if got := lowWater(t, s); got != test.mark {
			t.Errorf("%d bytes expected: the system's mark is %d, want %d", test.expected, got, test.mark)
		}
	}
}

// TestAReadDoesNotWaitForEver expects far more than comes.
func TestAReadDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s, far := sockets(t)
	p := make([]byte, 100)
	for _, text := range []string{"one", "two", "three"} {
		if _, err := far.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		s.expect(1 << 20)
		if n, err := s.Read(p); err != nil || string(p[:n]) != text {
			t.Fatalf("read %q, error %v; want %q", p[:n], err, text)
		}
	}
	// What comes only after the patience is read as it comes.
	time.AfterFunc(3*patience, func() { far.Write([]byte("late")) }) //nolint:errcheck // the read below tells
	s.expect(1 << 20)
	if n, err := s.Read(p); err != nil || string(p[:n]) != "late" {
		t.Fatalf("read %q, error %v", p[:n], err)
	}
}

func TestAWaitingReadEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end  func(near *socket, far *net.TCPConn) error
		want error
	}{
		"deadline": {func(near *socket, _ *net.TCPConn) error { return near.SetDeadline(time.Unix(1, 0)) }, syscall.ETIMEDOUT},
		"end":      {func(_ *socket, far *net.TCPConn) error { return far.Close() }, io.EOF},
		"reset": {func(_ *socket, far *net.TCPConn) error {
			return errors.Join(far.SetLinger(0), far.Close())
		}, syscall.ECONNRESET},
		"close": {func(near *socket, _ *net.TCPConn) error { return near.Close() }, net.ErrClosed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, far := sockets(t)
			ended := make(chan error, 1)
			// While the read waits, or just before; either way it must end.
			time.AfterFunc(patience/2, func() { ended <- test.end(s, far) })
			s.expect(1 << 20)
			n, err := s.Read(make([]byte, 100))
			if endErr := <-ended; endErr != nil {
				t.Fatal(endErr)
			}
			is := errors.Is(err, test.want)
			if name == "deadline" {
				is = isTimeout(err)
			}
			if n != 0 || !is {
				t.Errorf("read %d bytes, error %v; want %v", n, err, test.want)
			}
		})
	}
}

// lowWater asks the system how many bytes wake a read.
func lowWater(t *testing.T, s *socket) (mark int) {
	t.Helper()
	if err := s.raw.Control(func(fd uintptr) {
		var err error
		if mark, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return mark
}
