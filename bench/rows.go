package main

import (
	"context"
	"fmt"
)

// rounds is how often each side of a row is measured; the medians count.
const rounds = 5

// row is one line of the table: a work beside its peer.
type row struct {
	work, peer string
	ours, base series
	goals      []goal
}

// goal is one number that must not be above a limit.
type goal struct {
	what, unit string
	got, most  float64
	// shown marks a number that has no limit.
	shown bool
}

func (g goal) met() bool { return g.got <= g.most }

// ratio is a goal on the medians of both sides.
func (r *row) ratio(what string, of func(sample) float64, most float64) {
	r.goals = append(r.goals, goal{what: what, unit: "×", got: r.ours.median(of) / r.base.median(of), most: most})
}

// memory is a goal on the peak of the resident memory, in MB of 2^20 bytes: the highest of all runs.
func (r *row) memory(most float64) {
	highest := 0.0
	for _, mb := range r.ours.numbers(peak) {
		highest = max(highest, mb)
	}
	r.goals = append(r.goals, goal{what: "memory", unit: " MB", got: highest, most: most})
}

// chapter is a part of the table that needs the same servers.
type chapter struct {
	name    string
	measure func(ctx context.Context) error
}

// chapters lists all that is measured. The sizes are entries.
func (b *bench) chapters() []chapter {
	large := []int{100_000}
	if b.full {
		large = append(large, 1_000_000)
	}
	list := []chapter{{"cold-start", b.coldStarts}, {"csv", b.csv}, {"dynamo", b.dynamo}}
	for _, n := range append([]int{10_000}, large...) {
		read := func(ctx context.Context) error { return b.reading(ctx, n) }
		connected := func(ctx context.Context) error { return b.connecting(ctx, n) }
		list = append(list, chapter{fmt.Sprint("read-", n), read}, chapter{fmt.Sprint("connector-", n), connected})
	}
	for _, n := range large {
		imported := func(ctx context.Context) error { return b.importing(ctx, n) }
		list = append(list, chapter{fmt.Sprint("import-", n), imported})
		explained := func(ctx context.Context) error { return b.explaining(ctx, n) }
		list = append(list, chapter{fmt.Sprint("explain-", n), explained})
	}
	if b.full {
		full := func(ctx context.Context) error { return b.fullList(ctx, 1_000_000) }
		list = append(list, chapter{"full-list", full})
		for _, n := range []int{200_000, 500_000, 1_000_000} {
			renamed := func(ctx context.Context) error { return b.renaming(ctx, n) }
			list = append(list, chapter{fmt.Sprint("renames-", n), renamed})
		}
	}
	return append(list, chapter{"growth", b.growth},
		chapter{"looks", b.looking}, chapter{"looks-samba", b.lookingAtSamba})
}

// reading is the reader beside ldapsearch.
func (b *bench) reading(ctx context.Context, n int) error {
	for _, security := range []string{plain, startTLS} {
		err := b.withDirectory(ctx, n, security, func(d *slapd) error {
			r := row{work: fmt.Sprintf("read %s entries, %s", thousands(n), security), peer: "ldapsearch"}
			if err := b.alternate(ctx, &r, rounds, b.reader(d), d.ldapsearch()); err != nil {
				return err
			}
			r.ratio("wall", wall, 1.15)
			r.ratio("CPU", cpu, 1.0)
			r.memory(16)
			b.add(r)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
