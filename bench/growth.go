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

// growthRounds is how often each size is measured.
const growthRounds = 3

// growth measures reading and previewing at sizes that grow threefold.
func (b *bench) growth(ctx context.Context) error {
	sizes := []int{1_000, 3_000, 10_000, 30_000, 100_000}
	if b.full {
		sizes = append(sizes, 300_000, 1_000_000)
	}
	lines := []line{{name: "ldapsearch"}, {name: "reader"}, {name: "whole preview"}}
	for _, n := range sizes {
		err := b.withDirectory(ctx, n, startTLS, func(d *slapd) error { return b.grow(ctx, d, lines) })
		if err != nil {
			return err
		}
	}
	b.growing = lines
	return nil
}

// grow adds one size to each line.
func (b *bench) grow(ctx context.Context, d *slapd, lines []line) error {
	connection, err := d.connection()
	if err != nil {
		return err
	}
	return inFolder(func(data string) error {
		return b.withProgram(data, func(p *program) error {
			works := []work{d.ldapsearch(), b.reader(d), p.preview(ctx, "growth", map[string]any{"connection": connection}, d.entries)}
			for i, w := range works {
				var s series
				for range growthRounds {
					once, err := w(ctx)
					if err != nil {
						return err
					}
					s = append(s, once)
				}
				lines[i].points = append(lines[i].points, point{d.entries, s.median(wall)})
				b.say("%s of %s entries: %.3f s", lines[i].name, thousands(d.entries), s.median(wall))
			}
			return nil
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
