// Command smoke proves what only a deployment can: that the authorizer lets in whom it should, that each function may
// do what it does, that passwords are sealed and opened, that queues deliver, and that links work. It leaves nothing
// behind.
//
// go run ./e2e/smoke -url https://rollcall.example.com -token "$TOKEN" [-read-token "$READ"] [-preview directory.json]
//
// TOKEN is an access token with the scope admin, READ one with the scope read alone. directory.json is the body of a
// preview, such as {"connection": {…}}; without it the smoke test asks for a directory that must be refused, which
// takes the same way as far as the network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var s smoke
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.StringVar(&s.base, "url", "", "the deployment's address, as the stack's output names it")
	flags.StringVar(&s.token, "token", os.Getenv("ROLLCALL_TOKEN"),
		"an access token with the scope admin (default $ROLLCALL_TOKEN)")
	flags.StringVar(&s.readToken, "read-token", os.Getenv("ROLLCALL_READ_TOKEN"),
		"an access token with the scope read alone; without it that check is left out")
	flags.StringVar(&s.serviceToken, "service-token", os.Getenv("ROLLCALL_SERVICE_TOKEN"),
		"a program's token with the scopes service and admin; without it that check is left out")
	preview := flags.String("preview", "",
		"a file with the body of a preview of a directory that the deployment reaches")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.base = strings.TrimSuffix(s.base, "/")
	if s.base == "" || s.token == "" {
		return errors.New("-url and -token are needed; -h lists the flags")
	}
	if *preview != "" {
		body, err := os.ReadFile(*preview)
		if err != nil {
			return err
		}
		s.previewBody = string(body)
	}
	s.client = &http.Client{Timeout: time.Minute}
	return s.all(ctx)
}

// all makes every check, also after one that failed, and returns an error that counts the failures.
func (s *smoke) all(ctx context.Context) error {
	failed := 0
	for _, check := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"the API describes itself to anybody", s.document},
		{"the page is there", s.page},
		{"nobody comes in without a token, or with a false one", s.authorizer},
		{"a reader may read and not write", s.reader},
		{"a service acts for the account that it names, and nobody else does", s.service},
		{"users can be added, changed, found and removed, whatever their address", s.users},
		{"settings keep a password that nobody sees, and are deleted", s.settings},
		{"a preview goes through queue, worker and keys", s.preview},
		{"an export's link works, and no other", s.export},
		{"the schedule's index and the history answer", s.history},
	} {
		start := time.Now()
		err := check.do(ctx)
		switch {
		case errors.Is(err, errLeftOut):
			fmt.Printf("left out  %s: %v\n", check.name, err)
			continue
		case err != nil:
			failed++
			fmt.Printf("FAILED    %s: %v\n", check.name, err)
			continue
		}
		fmt.Printf("ok        %s (%d ms)\n", check.name, time.Since(start).Milliseconds())
	}
	if failed > 0 {
		return fmt.Errorf("%d checks failed", failed)
	}
	return nil
}
