package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"rollcall/shared/manifest"
)

const (
	// coldRounds is how often each binary is started: one start takes milliseconds, and varies by as many.
	coldRounds = 41
	// coldMost is the goal: the time of a function's binary beside that of one with the Lambda library and the same
	// clients.
	coldMost = 1.5
	// startLimit bounds one start.
	startLimit = 30 * time.Second
)

// coldStarts measures each function from the start of its process to its first request for an event. The binaries are
// built as for a deployment, but for this machine's processor.
func (b *bench) coldStarts(ctx context.Context) error {
	bin, err := os.MkdirTemp("", "rollcall-bench-functions-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	built := make(map[string]bool)
	for _, f := range manifest.Functions() {
		ours, base := filepath.Join(bin, f.Binary), filepath.Join(bin, "baseline-"+f.Binary)
		if !built[f.Binary] {
			built[f.Binary] = true
			err := errors.Join(
				buildFunction(ctx, ours, "rollcall/functions/"+f.Binary),
				buildFunction(ctx, base, "rollcall/bench/baseline/"+f.Binary))
			if err != nil {
				return err
			}
		}
		r := row{
			work: "cold start of " + f.Name + " to its first `next`",
			peer: "a handler with aws-lambda-go and its clients alone",
		}
		if err := b.alternate(ctx, &r, coldRounds, coldStart(ours, f), coldStart(base, f)); err != nil {
			return err
		}
		r.ratio("wall", wall, coldMost)
		b.add(r)
	}
	return nil
}

// buildFunction builds as make build does.
func buildFunction(ctx context.Context, to, pkg string) error {
	flags := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", to, pkg}
	build := exec.CommandContext(ctx, "go", flags...) //nolint:gosec // our own packages
	build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build %s: %w", pkg, err)
	}
	return nil
}

// coldStart starts a bootstrap with its environment and waits for its first request to the Runtime API.
func coldStart(binary string, f manifest.Function) work {
	return func(ctx context.Context) (sample, error) {
		ctx, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return sample{}, err
		}
		asked := make(chan time.Time, 1)
		next := func(_ http.ResponseWriter, r *http.Request) {
			asked <- time.Now()
			<-r.Context().Done()
		}
		server := &http.Server{ReadHeaderTimeout: startLimit, Handler: http.HandlerFunc(next)}
		go server.Serve(listener) //nolint:errcheck // it ends when it is closed
		defer server.Close()
		c := exec.CommandContext(ctx, binary) //nolint:gosec // built above
		c.Env = functionEnvironment(f, listener.Addr().String())
		begun := time.Now()
		if err := c.Start(); err != nil {
			return sample{}, err
		}
		exited := make(chan error, 1)
		go func() { exited <- c.Wait() }()
		select {
		case at := <-asked:
			err = c.Process.Kill()
			//nolint:errcheck // it was killed
			<-exited
			return sample{wall: at.Sub(begun), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, err
		case err := <-exited:
			return sample{}, fmt.Errorf("%s ended before it asked for an event: %w", f.Name, err)
		}
	}
}

// functionEnvironment is what Lambda would set, with names of things that are never reached.
func functionEnvironment(f manifest.Function, runtime string) []string {
	all := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtime, "_HANDLER=" + f.Handler,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
	}
	for _, v := range f.Needs {
		all = append(all, string(v)+"=https://example.com/"+f.Name)
	}
	return all
}
