//go:build !windows

package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// asService runs under systemd, or whatever else ends a process with SIGTERM.
func asService(ctx context.Context, run func(context.Context) error) error { return run(ctx) }

// giveTo gives a file that root makes to the folder's owner, who is the user that systemd made for the service.
func giveTo(folder string, file *os.File) error {
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("look at the state folder: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !known || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	return file.Chown(int(owner.Uid), int(owner.Gid))
}
