// Command costs measures what previews and syncs take of AWS (requests, units, bytes, seconds) by running the functions' own binaries
// on what stands in for AWS, and computes what a month costs from that and from public prices. It writes docs/costs.md and the table in
// docs/operations.md.
//
//	make costs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"rollcall/e2e/lab/awslab"
	"rollcall/e2e/lab/cloud"
)

// sizes are the numbers of directory entries that are measured, each so many rounds.
var sizes = []int{500, 3_000, 12_000}

const (
	rounds = 3
	// missing is the part of the users that a sync with changes finds missing: one of so many.
	missing = 10
	// warmUp is how many entries are imported before anything counts: the first run meets a cold database.
	warmUp = 1000
)

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
	out := flags.String("out", "docs", "the folder with costs.md and operations.md to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// The lab changes the working directory.
	docs, err := filepath.Abs(*out)
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
	m, guide := newModel(measured), filepath.Join(docs, "operations.md")
	text, err := os.ReadFile(guide)
	if err == nil {
		text, err = updateGuide(text, m)
	}
	if err != nil {
		return err
	}
	page := filepath.Join(docs, "costs.md")
	if err := errors.Join(os.WriteFile(page, report(measured, m, fixed, time.Now()), 0o644), os.WriteFile(guide, text, 0o644)); err != nil { //nolint:gosec // documents
		return err
	}
	fmt.Fprintln(os.Stderr, "wrote", page, "and the table in", guide)
	return nil
}

// measureAll measures each size on one deployment.
func measureAll(ctx context.Context) (all []works, err error) {
	err = withLaboratory(ctx, func(l *laboratory, dir string) error {
		say("warming up with %d entries", warmUp)
		if _, err := l.measure(ctx, warmUp, 1, missing, filepath.Join(dir, "slapd-warm")); err != nil {
			return fmt.Errorf("warm up: %w", err)
		}
		for i, n := range sizes {
			say("measuring %d entries (%d of %d)", n, i+1, len(sizes))
			w, err := l.measure(ctx, n, rounds, missing, filepath.Join(dir, fmt.Sprint("slapd-", n)))
			if err != nil {
				return fmt.Errorf("measure %d entries: %w", n, err)
			}
			all = append(all, w)
		}
		return nil
	})
	return all, err
}

// withLaboratory builds the functions and runs them on what stands in for AWS, in a folder that is gone afterwards.
func withLaboratory(ctx context.Context, use func(l *laboratory, dir string) error) (err error) {
	dir, err := os.MkdirTemp("", "rollcall-costs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	say("building the functions")
	if err := cloud.Build(ctx, dir); err != nil {
		return err
	}
	say("starting what stands in for AWS")
	lab, err := awslab.Start(ctx, filepath.Join(dir, "lab"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	l := &laboratory{lab: lab, log: new(printed)}
	// The clock does not tick by itself: its cost is measured apart.
	if l.Deployment, err = cloud.Start(ctx, dir, lab, cloud.Config{Log: l.log, Tick: 24 * time.Hour}); err != nil {
		return err
	}
	defer l.Close()
	return use(l, dir)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// printed counts what several processes print.
type printed struct {
	mu    sync.Mutex
	bytes int
}

func (l *printed) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += len(p)
	return len(p), nil
}

// Len returns the number of bytes that were printed.
func (l *printed) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}
