//go:build !windows

package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
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

// ownerOf names the owner of a folder.
func ownerOf(folder string) (string, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return "", fmt.Errorf("look whose the state folder is: %w", err)
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return "", fmt.Errorf("it is not known whose %s is; say so with -user", folder)
	}
	id := strconv.FormatUint(uint64(owner.Uid), 10)
	if of, err := user.LookupId(id); err == nil {
		return of.Username, nil
	}
	return id, nil
}
