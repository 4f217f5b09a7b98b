package directory

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
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

// TestAReadWaitsForWhatIsExpected reads what a server sends entry by entry: reads bring many entries each.
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
		got = append(got, p[:n]...)
		reads++
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.Repeat(entry, entries)) {
		t.Error("what was read is not what was sent")
	}
	// However slow the machine: a read that found less than the mark has waited a millisecond for more.
	if t.Logf("%d entries took %d reads", entries, reads); reads > entries/2 {
		t.Errorf("%d entries took %d reads", entries, reads)
	}
}

// TestTheMarkFollowsWhatIsExpected asks the system for the mark that it has.
func TestTheMarkFollowsWhatIsExpected(t *testing.T) {
	t.Parallel()
	s, _ := sockets(t)
	for _, test := range []struct{ expected, mark int }{{0, 1}, {-5, 1}, {2000, 1}, {4000, 2048},
		{1 << 20, maxWait}, {30_000, 16 << 10}, {1, 1}} {
		s.setMark(markFor(test.expected))
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
	time.AfterFunc(3*patience, func() { far.Write([]byte("late")) }) //nolint:errcheck // the read below reports it
	s.expect(1 << 20)
	if n, err := s.Read(p); err != nil || string(p[:n]) != "late" {
		t.Fatalf("read %q, error %v", p[:n], err)
	}
}

// soon is long for anything on loopback, and short beside the idle time that a read may wait.
const soon = 10 * time.Second

func TestAWaitingReadEnds(t *testing.T) {
	t.Parallel()
	reset := func(_ *socket, far *net.TCPConn) error { return errors.Join(far.SetLinger(0), far.Close()) }
	tests := map[string]struct {
		end  func(near *socket, far *net.TCPConn) error
		want error
	}{
		"deadline": {func(near *socket, _ *net.TCPConn) error { return near.SetDeadline(time.Unix(1, 0)) },
			os.ErrDeadlineExceeded},
		"end":   {func(_ *socket, far *net.TCPConn) error { return far.Close() }, io.EOF},
		"reset": {reset, syscall.ECONNRESET},
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
			if n != 0 || !errors.Is(err, test.want) {
				t.Errorf("read %d bytes, error %v; want %v", n, err, test.want)
			}
		})
	}
}

// TestAReadSeesAnEndThatCameBefore ends the connection while nobody reads: a reset wakes nobody who comes later.
func TestAReadSeesAnEndThatCameBefore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		linger int
		want   error
	}{"end": {-1, io.EOF}, "reset": {0, syscall.ECONNRESET}} {
		for _, sent := range []string{"", "the last of it"} {
			t.Run(name+" after "+strconv.Quote(sent), func(t *testing.T) {
				t.Parallel()
				s, far := sockets(t)
				if err := s.SetReadDeadline(time.Now().Add(soon)); err != nil {
					t.Fatal(err)
				}
				_, err := far.Write([]byte(sent))
				if err := errors.Join(err, far.SetLinger(test.linger), far.Close()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * patience)
				var got []byte
				for err == nil {
					var n int
					p := make([]byte, 100)
					s.expect(1 << 20)
					n, err = s.Read(p)
					got = append(got, p[:n]...)
				}
				if string(got) != sent || !errors.Is(err, test.want) {
					t.Errorf("read %q, error %v; want %q, %v", got, err, sent, test.want)
				}
			})
		}
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
