// Command local runs the whole of Rollcall in one process, with nothing else installed: the API, the workers, the
// stores in a folder, and three demo directories to import from.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rollcall/shared/adapters/embedded"
	"rollcall/shared/user"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := execute(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "rollcall:", err)
		os.Exit(1)
	}
}

func execute(ctx context.Context, args []string) error {
	var c config
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "the loopback address to listen on")
	flags.StringVar(&c.data, "data", "./.rollcall", "the folder to keep everything in")
	flags.BoolVar(&c.demo, "demo", true, "serve three demo directories to import from")
	flags.DurationVar(&c.hour, "hour", time.Hour, "how long an hour of a schedule lasts, to try one out")
	flags.DurationVar(&c.tick, "tick", 500*time.Millisecond,
		"how often a run stores how far it is, and sees that it was stopped")
	flags.BoolVar(&c.aws, "aws", false,
		"keep everything on AWS, or on an emulator that AWS_ENDPOINT_URL names, as the ROLLCALL_ variables say")
	flags.BoolVar(&c.create, "create", false,
		"with -aws: make the tables and the bucket where they are missing, to try things out")
	c.listOrigins(flags)
	c.mailFlags(flags)
	erase := flags.String("erase", "", "erase all data of this account, and end")
	backup := flags.String("backup", "",
		"write a copy of the data folder into this file, and end; the folder may be in use")
	restore := flags.String("restore", "", "make an empty or missing data folder from this backup, and end")
	check := flags.Bool("check", false, "read everything in the data folder, say what is damaged, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; -h lists the flags", flags.Arg(0))
	}
	if err := withoutValue(flags); err != nil {
		return err
	}
	if err := c.checkFlags(); err != nil {
		return err
	}
	c.out, c.log = os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil))
	jobs := 0
	for _, asked := range []bool{*erase != "", *backup != "", *restore != "", *check} {
		if asked {
			jobs++
		}
	}
	switch {
	case jobs > 1:
		return errors.New("-erase, -backup, -restore and -check go one at a time")
	case c.aws && jobs == 1 && *erase == "":
		return errors.New("-backup, -restore and -check are for a data folder, not for -aws")
	case *erase != "":
		return eraseAccount(ctx, c, user.Account(*erase))
	case *backup != "":
		return c.backup(ctx, *backup)
	case *restore != "":
		return c.restore(ctx, *restore)
	case *check:
		return c.check(ctx)
	}
	return serve(ctx, c)
}

func (c *config) listOrigins(flags *flag.FlagSet) {
	flags.Var(&c.frames, "frame-ancestors", "`origins` of portals that may show the page in a frame, with commas")
	flags.Var(&c.callers, "cors-origins", "`origins` whose pages may call the API, for every account, with commas")
}

// checkFlags says what is wrong with the values of flags.
func (c config) checkFlags() error {
	switch {
	case c.hour < time.Second || c.hour > time.Hour:
		return fmt.Errorf("-hour %s is not between 1s and 1h", c.hour)
	case c.tick < time.Millisecond || c.tick > time.Minute:
		return fmt.Errorf("-tick %s is not between 1ms and 1m", c.tick)
	case c.create && !c.aws:
		return errors.New("-create goes with -aws")
	}
	return c.checkMail()
}

// withoutValue names a flag that was given an empty value, as a script does whose variable is not set.
func withoutValue(flags *flag.FlagSet) (err error) {
	flags.Visit(func(f *flag.Flag) {
		if f.Value.String() == "" {
			err = fmt.Errorf("-%s needs a value", f.Name)
		}
	})
	return err
}

// eraseFolder deletes an account from the data folder, which no server may have open.
func eraseFolder(ctx context.Context, c config, account user.Account) error {
	store, err := embedded.Open(c.data, embedded.Options{Log: c.log})
	if err != nil {
		return err
	}
	return errors.Join(store.Erase(ctx, account), store.Close())
}

// eraseAccount deletes all that there is of an account.
func eraseAccount(ctx context.Context, c config, account user.Account) error {
	var err error
	if c.aws {
		err = eraseAWS(ctx, c, account)
	} else {
		err = eraseFolder(ctx, c, account)
	}
	if err == nil {
		fmt.Fprintf(c.out, "erased account %s\n", account)
	}
	return err
}
