//go:build !windows

package main

import "syscall"

// A careless umask is for the program to notice, and not for the tests' own files.
var _ = syscall.Umask(0o077)
