// Command costs measures what previews and syncs take of AWS (requests, units, bytes, seconds) by running the functions' own binaries
// on what stands in for AWS, and computes what a month costs from that and from public prices. It writes docs/costs.md.
//
//	make costs
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"rollcall/e2e/awslab"
	"rollcall/e2e/cloud"
)

// sizes are the numbers of directory entries that are measured. The first and the last give the lines, the one between says how
// straight they are.
var sizes = [...]int{500, 2000, 5000}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "costs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("costs", flag.ContinueOnError)
	out := flags.String("out", "docs/costs.md", "the file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// The lab changes the working directory.
	path, err := filepath.Abs(*out)
	if err != nil {
		return err
	}
	fixed, err := countAnyway()
	if err != nil {
		return err
	}
	measured, err := measureAll(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, report(measured, fixed, time.Now()), 0o644); err != nil { //nolint:gosec // a document
		return err
	}
	fmt.Fprintln(os.Stderr, "wrote", path)
	return nil
}

// measureAll measures each size on one deployment.
func measureAll(ctx context.Context) (all []works, err error) {
	dir, err := os.MkdirTemp("", "rollcall-costs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	say("building the functions")
	if err := cloud.Build(ctx, dir); err != nil {
		return nil, err
	}
	say("starting what stands in for AWS")
	lab, err := awslab.Start(ctx, filepath.Join(dir, "lab"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	l := &laboratory{lab: lab, log: new(bytes.Buffer)}
	// The clock does not tick by itself: its cost is measured apart.
	if l.Deployment, err = cloud.Start(ctx, dir, lab, cloud.Config{Log: &locked{to: l.log}, Tick: 24 * time.Hour}); err != nil {
		return nil, err
	}
	defer l.Close()
	for i, n := range sizes {
		say("measuring %d entries (%d of %d)", n, i+1, len(sizes))
		w, err := l.measure(ctx, n, filepath.Join(dir, fmt.Sprint("slapd-", n)))
		if err != nil {
			return nil, fmt.Errorf("measure %d entries: %w", n, err)
		}
		all = append(all, w)
	}
	return all, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// locked lets several processes' output into one buffer.
type locked struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
