// Command connector reads directories on a customer's site for a portal in the cloud that cannot reach them. It asks
// the portal for work over HTTPS, reads with passwords that never leave the site, and hands over what it read.
// docs/connector.md says who can do what, and the administrator's guide how it is set up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// version is set when a release is built (-ldflags "-X main.version=…").
var version = "development"

// exitRevoked is the status of a connector that the cloud does not know any more; its unit does not start it again.
const exitRevoked = 3

// What keeps a read of a million entries below 64 MB: the heap is collected early.
const (
	heapGrowth  = 50
	memoryLimit = 44 << 20
)

func main() {
	debug.SetGCPercent(heapGrowth)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := execute(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case errors.Is(err, errRevoked):
		fmt.Fprintln(os.Stderr, "rollcall-connector:", err)
		os.Exit(exitRevoked)
	}
	fmt.Fprintln(os.Stderr, "rollcall-connector:", err)
	os.Exit(1)
}

// streams are what a command reads from and writes to, and args what it was given besides flags.
type streams struct {
	in       io.Reader
	out, err io.Writer
	args     []string
}

// command is one command of the program.
type command struct {
	usage string
	// flags adds the command's own flags, and returns what does it once they are read.
	flags func(*flag.FlagSet) func(ctx context.Context, s *state, std streams) error
	// bare commands take no state folder that would have to be there.
	bare bool
}

func commands() map[string]command {
	return map[string]command{
		"enrol":    {usage: "make this machine known, with a code from the page", flags: enrolFlags},
		"password": {usage: "store a directory's password, which never leaves this machine", flags: passwordFlags},
		"run":      {usage: "ask for work and do it", flags: runFlags},
		"show":     {usage: "print what a read would hand over; nothing is sent to the cloud", flags: showFlags},
		"status":   {usage: "say what is held, and when what was reached", flags: statusFlags},
		"allow":    {usage: "hand over one more attribute: allow NAME", flags: allowFlags},
		"install":  {usage: "write a systemd unit", flags: installFlags, bare: true},
	}
}

// order is that in which the commands are listed.
var order = [...]string{"enrol", "password", "show", "run", "status", "allow", "install"}

const defaultState = "/var/lib/rollcall-connector"

func execute(ctx context.Context, args []string, std streams) error {
	all := commands()
	if len(args) == 0 || all[args[0]].flags == nil {
		fmt.Fprintln(std.err, "usage: rollcall-connector COMMAND [-state DIR] …; COMMAND -h lists its flags")
		for _, name := range order {
			fmt.Fprintf(std.err, "  %-9s %s\n", name, all[name].usage)
		}
		if len(args) > 0 && (args[0] == "-h" || args[0] == "-help" || args[0] == "help") {
			return nil
		}
		return errors.New("no such command: " + strings.Join(args, " "))
	}
	c := all[args[0]]
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(std.err)
	dir := flags.String("state", defaultState, "the folder with the key, the passwords and the settings")
	do := c.flags(flags)
	// Flags may stand behind a name too.
	for rest := args[1:]; ; {
		if err := flags.Parse(rest); err != nil {
			return err
		}
		if flags.NArg() == 0 {
			break
		}
		std.args, rest = append(std.args, flags.Arg(0)), flags.Args()[1:]
	}
	if len(std.args) > 0 && args[0] != "allow" {
		return fmt.Errorf("unknown argument %q; %s -h lists the flags", std.args[0], args[0])
	}
	if c.bare {
		return do(ctx, &state{*dir}, std)
	}
	s, err := openState(*dir)
	if err != nil {
		return err
	}
	return do(ctx, s, std)
}

// withoutNewline drops the final newline of a password that was typed, or written by echo.
func withoutNewline(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
}
