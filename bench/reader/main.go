// Command reader reads a directory as an import does and throws the entries away: what is left is the reading itself,
// in a process of its own, to be measured beside ldapsearch.
//
//	reader -host 127.0.0.1 -port 389 -tls start -ca ca.pem -user cn=reader,dc=example,dc=com \
//	  -filter '(mail=*)' mail proxyAddresses
//
// The password is read from the environment variable READER_PASSWORD.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"

	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/settings/secret"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := read(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

func read(ctx context.Context, args []string) (err error) {
	to := settings.Connection{ServerType: settings.Exchange, Password: secret.New(os.Getenv("READER_PASSWORD"))}
	var query directory.Query
	flags := flag.NewFlagSet("reader", flag.ContinueOnError)
	flags.StringVar(&to.Host, "host", "127.0.0.1", "the server")
	flags.IntVar(&to.Port, "port", 389, "its port")
	security := flags.String("tls", "start",
		"start: STARTTLS; ssl: TLS from the first byte; none: no TLS, if the server refuses STARTTLS")
	ca := flags.String("ca", "", "a file with the certificate authority's PEM")
	flags.StringVar(&to.Username, "user", "", "the bind DN")
	flags.StringVar(&query.SearchBase, "base", "", "the search base")
	flags.StringVar(&query.Filter, "filter", "", "the filter")
	profile := flags.String("profile", "", "write a CPU profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	query.Attributes = flags.Args()
	to.UseSSL, to.AllowUnencrypted = *security == "ssl", *security == "none"
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		if err != nil {
			return err
		}
		to.CACertificate = string(pem)
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, file.Close())
		}()
	}
	values, bytes := 0, 0
	count := func(e *directory.Entry) error {
		for i := range e.Attributes {
			for _, v := range e.Attributes[i].Values {
				values++
				bytes += len(v)
			}
		}
		return nil
	}
	var last run.Step
	info, err := directory.New(directory.Config{}).Read(ctx, to, query, func(s run.Step) { last = s }, count)
	if err != nil {
		return err
	}
	fmt.Printf("%d entries, %d values, %d bytes, searched in %dms\n", info.Entries, values, bytes, last.MS)
	return nil
}
