package directory

import "golang.org/x/sys/unix"

// canWait reports whether the system can wake a reader for many bytes at a time.
const canWait = true

// setLowWater sets how many bytes wake a reader.
func setLowWater(fd uintptr, mark int) {
	// It cannot fail for a TCP socket (tcp_set_rcvlowat).
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, mark)
}

// readable reports whether a read would be woken: the mark is reached, or the connection has ended one way or another
// (poll(2)).
func readable(fd uintptr) bool {
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(asked, 0)
	return n > 0 || err != nil
}

// readSocket is read(2), which a signal does not end.
func readSocket(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = unix.Read(int(fd), p)
		if err != unix.EINTR { //nolint:errorlint // a system call's own number
			return max(n, 0), err
		}
	}
}
