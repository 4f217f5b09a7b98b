// Command bench measures Rollcall beside the best peers on this machine and writes docs/benchmarks.md. It starts
// OpenLDAP from Debian's packages with generated directories, and drives the built program through its API.
//
//	make bench                 directories of up to 100,000 entries
//	BENCH_FULL=1 make bench    and of 1,000,000
//	make bench ONLY=growth     only the chapters whose names match, to standard output
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the command.
type bench struct {
	full       bool
	cache, out string
	only       *regexp.Regexp
	// binary is the program, readerBinary the reader alone.
	binary, readerBinary string
	began                time.Time
	rows                 []row
	// sizes are what growth measured.
	sizes []size
	// looks are what the chapters of looks measured.
	looks []looked
}

func start(ctx context.Context, args []string) error {
	if len(args) == 3 && args[0] == libraryFlag {
		return measureLibrary(args[1], args[2])
	}
	b := &bench{began: time.Now()}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&b.full, "full", os.Getenv("BENCH_FULL") != "", "measure 1,000,000 entries too (default $BENCH_FULL)")
	flags.StringVar(&b.cache, "cache", "bench/cache", "the folder that keeps loaded directories; about 1 kB an entry")
	flags.StringVar(&b.out, "out", "docs/benchmarks.md", "the file to write; with -only it is standard output")
	only := flags.String("only", "", "measure only the chapters whose names match this regular expression")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if b.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	if b.cache, err = filepath.Abs(b.cache); err != nil {
		return err
	}
	return b.run(ctx)
}

// run builds, measures and writes.
func (b *bench) run(ctx context.Context) error {
	bin, err := os.MkdirTemp("", "rollcall-bench-bin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	b.binary, b.readerBinary = filepath.Join(bin, "rollcall"), filepath.Join(bin, "reader")
	for path, name := range map[string]string{b.binary: "rollcall/local", b.readerBinary: "rollcall/bench/reader"} {
		//nolint:gosec // the two names above
		build := exec.CommandContext(ctx, "go", "build", "-o", path, name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	before := machine(ctx)
	for _, c := range b.chapters() {
		if !b.only.MatchString(c.name) {
			continue
		}
		b.say("measuring %s", c.name)
		if err := c.measure(ctx); err != nil {
			return fmt.Errorf("measure %s: %w", c.name, err)
		}
	}
	text := b.report(before)
	if b.only.String() != "" {
		// The file keeps its other chapters.
		_, err := os.Stdout.WriteString(text)
		return err
	}
	return os.WriteFile(b.out, []byte(text), 0o644) //nolint:gosec // a document
}

// say prints what a long run is doing.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// add takes a finished row and shows it at once.
func (b *bench) add(r row) {
	b.rows = append(b.rows, r)
	b.say("%s: %s beside %s %s; %s", r.work, r.ours, r.peer, r.base, goals(r.goals))
}
