package directory

import "golang.org/x/sys/unix"

// canWait tells whether the system can wake a reader for many bytes at a time.
const canWait = true

// setLowWater sets how many bytes wake a reader.
func setLowWater(fd uintptr, mark int) {
	// It cannot fail for a TCP socket (tcp_set_rcvlowat).
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, mark)
}

// pending returns how many bytes can be read at once.
func pending(fd uintptr) int {
	n, _ := unix.IoctlGetInt(int(fd), unix.SIOCINQ) // 0 where it fails: the read waits, and then says why
	return n
}

func readSocket(fd uintptr, p []byte) (int, error) { return unix.Read(int(fd), p) }
