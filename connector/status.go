package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

func statusFlags(*flag.FlagSet) func(context.Context, *state, streams) error {
	return func(_ context.Context, s *state, std streams) error {
		set, err := s.load()
		if err != nil {
			return err
		}
		var now status
		changes, changesErr := s.changes()
		if err := errors.Join(changesErr, s.read(statusFile, &now)); err != nil {
			return err
		}
		printStatus(std.out, &set, &now, len(changes))
		return nil
	}
}

func printStatus(out io.Writer, set *local, now *status, changes int) {
	if set.URL == "" {
		fmt.Fprintln(out, errNotEnrolled)
	} else {
		fmt.Fprintf(out, "Connector %q (%s) of %s, version %s\n", set.ConnectorName, set.ConnectorID, set.URL, version)
		if now.LastAnswer.IsZero() {
			fmt.Fprintln(out, "It has not asked for work yet: rollcall-connector run does")
		} else {
			fmt.Fprintf(out, "The cloud answered last: %s\n", ago(now.LastAnswer))
		}
	}
	if now.Error != "" {
		fmt.Fprintf(out, "It gives no work: %s\n", now.Error)
	}
	for i := range set.Targets {
		t := &set.Targets[i]
		fmt.Fprintf(out, "Holds the password of %q for %s, port %d (encryption %s), recognised by %s\n", t.Username,
			t.Host, t.Port, t.Encryption, t.anchors())
		for _, r := range now.Results {
			switch {
			case r.Target != t.Target:
			case r.Error != "":
				fmt.Fprintf(out, "  last read %s, failed: %s\n", ago(r.At), r.Error)
			default:
				fmt.Fprintf(out, "  last read %s, %d entries\n", ago(r.At), r.Entries)
			}
		}
	}
	fmt.Fprintf(out, "Hands over: %s\n", strings.Join(set.allowed(), ", "))
	switch {
	case changes == 1:
		fmt.Fprintln(out, "1 change on site waits for the cloud's audit log")
	case changes > 1:
		fmt.Fprintf(out, "%d changes on site wait for the cloud's audit log\n", changes)
	}
}

func ago(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s (%s ago)", at.Format(time.RFC3339), time.Since(at).Round(time.Second))
}
