package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

func showFlags(flags *flag.FlagSet) func(context.Context, *state, streams) error {
	var to whose
	to.add(flags)
	serverType := flags.String("serverType", string(settings.Exchange), "exchange, communigate or groupwise")
	base := flags.String("base", "", "the search base, as on the page")
	filter := flags.String("filter", "", "the filter string, as on the page")
	most := flags.Int("most", 20, "how many entries to print; 0 for all")
	return func(ctx context.Context, s *state, std streams) error {
		set, err := s.load()
		if err != nil {
			return err
		}
		if to.host == "" {
			return errors.New("-host is missing: the directory's servers, as on the page")
		}
		of := set.only(to.target())
		return show(ctx, &set, connector.Request{
			Connection: settings.Connection{ServerType: settings.ServerType(*serverType), Host: of.Host, Port: of.Port,
				Username: of.Username},
			Query: &directory.Query{SearchBase: *base, Filter: *filter},
		}, *most, std.out)
	}
}

// only returns the one target at a host where no username was given; otherwise what was asked for.
func (l *local) only(asked connector.Target) connector.Target {
	var at []connector.Target
	for i := range l.Targets {
		if l.Targets[i].Host == asked.Host {
			at = append(at, l.Targets[i].Target)
		}
	}
	if _, found := l.find(asked); !found && asked.Username == "" && len(at) == 1 {
		return at[0]
	}
	return asked
}

// show reads as a job would, and prints what would be handed over.
func show(ctx context.Context, set *local, r connector.Request, most int, out io.Writer) error {
	w := &worker{local: set, order: connector.Order{Request: r}}
	rules, err := newCounter(r.Connection.ServerType, r.Overrides)
	if err != nil {
		return err
	}
	r.Query.Attributes = rules.rules.Attributes()
	to, trust, err := w.allow(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Attributes that are handed over: %s\n", strings.Join(set.allowed(), ", "))
	kept, encoder := keeper{allowed: set.allowed()}, json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	onStep := func(s run.Step) { fmt.Fprintf(out, "  %-8s %s\n", s.Step, s.Detail) }
	entries := 0
	reader := directory.New(directory.Config{Trust: trust, MaxMemory: readMemory})
	_, err = w.read(ctx, reader, to, onStep, func(e *directory.Entry) error {
		if entries++; most > 0 && entries > most {
			return nil
		}
		return printEntry(encoder, kept.keep(e))
	})
	if err == nil && most > 0 && entries > most {
		fmt.Fprintf(out, "… and %d more entries (-most 0 prints all)\n", entries-most)
	}
	return err
}

// printEntry prints one entry as a line of JSON: values that are no text stand there in base64.
func printEntry(to *json.Encoder, e *directory.Entry) error {
	attributes := make(map[string][]any, len(e.Attributes))
	for _, a := range e.Attributes {
		for _, v := range a.Values {
			attributes[a.Name] = append(attributes[a.Name], printed(v))
		}
	}
	return to.Encode(struct {
		DN         any              `json:"dn"`
		Attributes map[string][]any `json:"attributes"`
	}{printed(e.DN), attributes})
}

// printed is a value as JSON shows it.
func printed(v []byte) any {
	if utf8.Valid(v) {
		return string(v)
	}
	return v
}
