package embedded

import (
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// release takes the database's pages out of this process's memory. They stay in the system's cache, where the next read
// finds them. bbolt maps the whole file, so that a walk over all users would leave the whole file resident. A
// transaction keeps the mapping in its place.
func release(tx *bolt.Tx) {
	// Advice: where the system does not take it, more stays resident.
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
}
