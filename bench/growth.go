package main

import (
	"context"

	"rollcall/bench/straight"
)

// line is a work at growing sizes.
type line struct {
	name   string
	points []point
}

// point is the median time of a work with so many entries.
type point struct {
	entries int
	seconds float64
}

// growth measures reading and previewing at sizes that grow threefold. The sizes take turns: what else the machine does in a minute, or how
// fast it is in that minute, meets each of them.
func (b *bench) growth(ctx context.Context) error {
	sizes := []int{1_000, 3_000, 10_000, 30_000, 100_000}
	if b.full {
		sizes = append(sizes, 300_000, 1_000_000)
	}
	return b.withSizes(ctx, sizes, nil, func(all []size) error {
		for round := range rounds + 1 {
			for _, one := range all {
				for i, w := range one.works {
					s, err := w(ctx)
					if err != nil {
						return err
					}
					if round > 0 {
						one.took[i] = append(one.took[i], s)
					}
				}
			}
			b.say("round %d of %d through all sizes is done", round, rounds)
		}
		b.growing = []line{{name: "ldapsearch"}, {name: "reader"}, {name: "whole preview"}}
		for _, one := range all {
			for i := range b.growing {
				b.growing[i].points = append(b.growing[i].points, point{one.entries, one.took[i].median(wall)})
			}
		}
		return nil
	})
}

// size is a directory of one size with what is measured on it, and what that took.
type size struct {
	entries int
	works   []work
	took    []series
}

// withSizes starts a directory and a program for each size, uses all of them, and stops them.
func (b *bench) withSizes(ctx context.Context, sizes []int, started []size, use func([]size) error) error {
	if len(sizes) == 0 {
		return use(started)
	}
	return b.withDirectory(ctx, sizes[0], startTLS, func(d *slapd) error {
		connection, err := d.connection()
		if err != nil {
			return err
		}
		return inFolder(func(data string) error {
			return b.withProgram(data, func(p *program) error {
				works := []work{d.ldapsearch(), b.reader(d), p.preview(ctx, "growth", map[string]any{"connection": connection}, d.entries)}
				return b.withSizes(ctx, sizes[1:], append(started, size{d.entries, works, make([]series, len(works))}), use)
			})
		})
	})
}

// straightness is how far a measured time may be from its line, as a share of it.
const straightness = 0.2

// straight returns the straight line through the points, in seconds, and how far the farthest of them is from it, as a share.
func (l line) straight() (through straight.Line, farthest float64) {
	points := make([]straight.Point, len(l.points))
	for i, p := range l.points {
		points[i] = straight.Point{X: float64(p.entries), Y: p.seconds}
	}
	through = straight.Fit(points)
	return through, through.Farthest(points)
}
