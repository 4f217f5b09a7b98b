// Command lab starts what stands in for AWS on this machine and runs a program with the environment that leads there:
//
//	go run ./e2e/lab bin/rollcall -aws -create
//
// Everything is gone when the program ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"rollcall/e2e/lab/awslab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) (err error) {
	if len(command) == 0 {
		return errors.New("name a program to run, such as: go run ./e2e/lab bin/rollcall -aws -create")
	}
	// The lab changes the working directory, and the program runs in this one.
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rollcall-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintln(os.Stderr, "lab: starting DynamoDB Local, an S3 server,",
		"and services in memory for SQS, KMS, EventBridge and STS")
	lab, err := awslab.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	child := exec.CommandContext(ctx, program, command[1:]...) //nolint:gosec // what this command is for
	child.Dir, child.Env = folder, append(os.Environ(), lab.Variables()...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	// It gets the signal too, and ends by itself.
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	if err := child.Run(); ctx.Err() == nil {
		return err
	}
	return nil
}
