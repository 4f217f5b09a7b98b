// Command preflight looks at the AWS account of the credentials, and at what is deployed there, for what a deployment
// of the templates in a folder would fail at, lose, or work badly with. It changes nothing. docs/operations.md says
// when to run it; `make deploy` always does.
//
//	preflight [-accept NAME,NAME] FOLDER
//
// Its exit status is 0 where nothing stands against the deployment, 1 where something does, and 2 where it could not
// look.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	web := &http.Client{Timeout: 10 * time.Second}
	lookup := func(ctx context.Context, host string) error {
		_, err := net.DefaultResolver.LookupHost(ctx, host)
		return err
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, surroundings{web, lookup, time.Now()}))
}

// surroundings are what a check has besides AWS.
type surroundings struct {
	web *http.Client
	// lookup asks for a host's addresses.
	lookup func(context.Context, string) error
	now    time.Time
}

// finding is something that stands against a deployment: what it is, why that matters, and what to do about it. One
// that warns stops nothing.
type finding struct {
	name, what, why, do string
	warns               bool
}

// The program's exit statuses.
const (
	statusFine = iota
	statusFound
	statusBlind
)

func run(ctx context.Context, args []string, out io.Writer, around surroundings) int {
	flags := flag.NewFlagSet("preflight", flag.ContinueOnError)
	flags.SetOutput(out)
	accept := flags.String("accept", "", "names of findings that shall not stop the deployment, separated by commas")
	if err := flags.Parse(args); err != nil {
		return statusBlind
	}
	if flags.NArg() != 1 {
		fmt.Fprintln(out, "give the folder of the templates: preflight cdk.out")
		return statusBlind
	}
	p, err := newPreflight(ctx, flags.Arg(0), around)
	if err != nil {
		fmt.Fprintln(out, err)
		return statusBlind
	}
	found, err := p.look(ctx)
	if err != nil {
		fmt.Fprintln(out, err)
		return statusBlind
	}
	return report(out, found, strings.Split(*accept, ","))
}

// look makes every check. Where account or region are wrong, the others would look at the wrong place.
func (p *preflight) look(ctx context.Context) ([]finding, error) {
	found, err := p.place(ctx)
	if err != nil || len(found) > 0 {
		return found, err
	}
	for _, check := range []func(context.Context) ([]finding, error){
		p.services, p.bootstrapped, p.deployed, p.restored, p.concurrency, p.certificate, p.issuer, p.mail,
	} {
		more, err := check(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return append(found, p.passing()...), nil
}

// report prints the findings, those that stop the deployment first, and returns the exit status.
func report(out io.Writer, found []finding, accepted []string) int {
	var stops, warns []finding
	for _, f := range found {
		for _, name := range accepted {
			if f.name == name {
				f.warns, f.what = true, f.what+" (accepted)"
			}
		}
		if f.warns {
			warns = append(warns, f)
		} else {
			stops = append(stops, f)
		}
	}
	for _, f := range stops {
		fmt.Fprintf(out, "STOP %s: %s\n  Why: %s\n  Do:  %s\n", f.name, f.what, f.why, f.do)
	}
	for _, f := range warns {
		fmt.Fprintf(out, "warning %s: %s\n  Why: %s\n  Do:  %s\n", f.name, f.what, f.why, f.do)
	}
	if len(stops) == 0 {
		fmt.Fprintf(out, "Nothing stands against the deployment; %d warnings.\n", len(warns))
		return statusFine
	}
	fmt.Fprintf(out, "%d findings stop the deployment; %d warnings. Where one shall not stop it: ACCEPT=%s\n",
		len(stops), len(warns), stops[0].name)
	return statusFound
}

// blind is the finding that something could not be looked at. It stops nothing: the credentials that look may be
// allowed less than those of CloudFormation.
func blind(name, what string, err error) []finding {
	return []finding{{name: name, what: what + " could not be checked: " + brief(err), warns: true,
		why: "It may be wrong, and the deployment would be the first to say so.",
		do:  "Look at it yourself, or run this with credentials that may read it."}}
}

// brief is the innermost reason of an error of the SDK's, which tells the whole way to it.
func brief(err error) string {
	if err == nil {
		return "there was no answer"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
