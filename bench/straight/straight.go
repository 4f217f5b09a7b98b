// Package straight fits straight lines to what was measured: so much for a run, and so much for each thing in it.
package straight

import "math"

// Line is a quantity as a function of a number of things.
type Line struct{ Fixed, Each float64 }

// Point is one measurement.
type Point struct{ X, Y float64 }

// At returns the line's value for a number of things.
func (l Line) At(x float64) float64 { return l.Fixed + l.Each*x }

// Fit returns the line with the least squares of relative errors, so that a small measurement counts as much as a large one. Neither
// part is negative: nothing takes less than nothing. Points of 0, of which no error is relative, are left out; Farthest shows them.
func Fit(points []Point) Line {
	// The normal equations of 1 = fixed/y + each*x/y.
	var uu, uv, vv, u1, v1 float64
	for _, p := range points {
		if p.Y == 0 {
			continue
		}
		u, v := 1/p.Y, p.X/p.Y
		uu, uv, vv, u1, v1 = uu+u*u, uv+u*v, vv+v*v, u1+u, v1+v
	}
	if uu == 0 {
		return Line{}
	}
	determinant := uu*vv - uv*uv
	l := Line{Fixed: (u1*vv - v1*uv) / determinant, Each: (v1*uu - u1*uv) / determinant}
	switch {
	case vv == 0 || determinant <= 1e-12*uu*vv || l.Each < 0:
		// One point alone, or a line that falls: what is fixed says it best.
		return Line{Fixed: u1 / uu}
	case l.Fixed < 0:
		return Line{Each: v1 / vv}
	}
	return l
}

// Farthest returns the largest distance between a point and the line, as a share of the line's value there.
func (l Line) Farthest(points []Point) float64 {
	most := 0.0
	for _, p := range points {
		if at := l.At(p.X); at > 0 {
			most = max(most, math.Abs(p.Y-at)/at)
		}
	}
	return most
}
