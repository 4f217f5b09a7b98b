package main

import (
	"context"
	"math"
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

// fit returns the straight line through the points: what a run costs by itself, such as signing in, and what an entry adds, in seconds. It
// is the line with the least squares of relative errors: a thousand entries count as much as a million.
func (l line) fit() (fixed, each float64) {
	// The normal equations of 1 = fixed/t + each*n/t.
	var uu, uv, vv, u1, v1 float64
	for _, p := range l.points {
		u, v := 1/p.seconds, float64(p.entries)/p.seconds
		uu, uv, vv, u1, v1 = uu+u*u, uv+u*v, vv+v*v, u1+u, v1+v
	}
	determinant := uu*vv - uv*uv
	fixed, each = (u1*vv-v1*uv)/determinant, (v1*uu-u1*uv)/determinant
	if fixed < 0 {
		// Nothing takes less than no time: the best line through the origin.
		return 0, v1 / vv
	}
	return fixed, each
}

// farthest returns the largest distance between a measured time and the line, as a share of the line's.
func (l line) farthest() float64 {
	fixed, each := l.fit()
	most := 0.0
	for _, p := range l.points {
		straight := fixed + each*float64(p.entries)
		most = max(most, math.Abs(p.seconds-straight)/straight)
	}
	return most
}
