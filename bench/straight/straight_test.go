package straight_test

import (
	"math"
	"testing"

	"rollcall/bench/straight"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		points   []straight.Point
		want     straight.Line
		farthest float64
	}{
		"a line":              {[]straight.Point{{1000, 60}, {10_000, 150}, {100_000, 1050}}, straight.Line{Fixed: 50, Each: 0.01}, 0},
		"nothing fixed":       {[]straight.Point{{1, 2}, {10, 20}}, straight.Line{Each: 2}, 0},
		"the same throughout": {[]straight.Point{{1, 7}, {10, 7}, {100, 7}}, straight.Line{Fixed: 7}, 0},
		"one that falls":      {[]straight.Point{{1, 9}, {10, 8}, {100, 7}}, straight.Line{Fixed: 7.833}, 0.149},
		"a curve":             {[]straight.Point{{1, 1}, {10, 100}, {100, 10_000}}, straight.Line{Each: 1.11}, 89},
		"one point":           {[]straight.Point{{5, 3}}, straight.Line{Fixed: 3}, 0},
		"zeros and one more":  {[]straight.Point{{1, 0}, {10, 0}, {100, 5}}, straight.Line{Fixed: 5}, 1},
		"nothing":             {[]straight.Point{{1, 0}, {10, 0}}, straight.Line{}, 0},
		"no points":           {nil, straight.Line{}, 0},
	} {
		got := straight.Fit(test.points)
		near := func(a, b float64) bool { return math.Abs(a-b) <= 0.02*math.Max(math.Abs(b), 0.01) }
		if !near(got.Fixed, test.want.Fixed) || !near(got.Each, test.want.Each) {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
		if far := got.Farthest(test.points); !near(far, test.farthest) {
			t.Errorf("%s: the farthest point is %v away, want %v", name, far, test.farthest)
		}
	}
}
