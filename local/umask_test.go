//go:build unix

package main

import "syscall"

// A data folder that others can write is refused: those of the tests must not depend on the umask of whoever runs them.
var _ = syscall.Umask(0o022)
