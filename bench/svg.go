package main

import (
	"fmt"
	"math"
	"strings"
)

// The plot's size and margins, in pixels.
const (
	plotWidth, plotHeight           = 720, 440
	plotLeft, plotTop, plotX, plotY = 70, 30, 520, 350
)

// colours of the lines, told apart also without colour sight (Okabe and Ito).
var colours = []string{"#0072b2", "#009e73", "#d55e00", "#cc79a7"}

// curveSteps is how many pieces a straight line is drawn in: on logarithmic axes it is a curve.
const curveSteps = 60

// plot draws on two logarithmic axes as SVG: a point for each time that was measured, and the straight line through them.
func plot(lines []line) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	a := axesOf(lines)
	for e := a.minX; e <= a.maxX; e++ {
		x := a.x(math.Pow(10, e))
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			x, plotTop, x, plotTop+plotY, x, plotTop+plotY+18, thousands(int(math.Pow(10, e))))
	}
	for e := a.minY; e <= a.maxY; e++ {
		y := a.y(math.Pow(10, e))
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g s</text>`+"\n",
			plotLeft, y, plotLeft+plotX, y, plotLeft-6, y+4, math.Pow(10, e))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">entries of the directory</text>`+"\n", plotLeft+plotX/2, plotTop+plotY+42)
	for i, l := range lines {
		colour := colours[i%len(colours)]
		for _, p := range l.points {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s, %s entries: %.3f s</title></circle>`+"\n",
				a.x(float64(p.entries)), a.y(p.seconds), colour, l.name, thousands(p.entries), p.seconds)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", a.curve(l), colour)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s" font-weight="bold">%s</text>`+"\n", plotLeft+plotX+12, plotTop+20+20*(len(lines)-1-i), colour, l.name)
	}
	return b.String() + "</svg>\n"
}

// axes maps values to places. Its bounds are powers of ten.
type axes struct{ minX, maxX, minY, maxY float64 }

func axesOf(lines []line) axes {
	a := axes{minX: math.Inf(1), maxX: math.Inf(-1), minY: math.Inf(1), maxY: math.Inf(-1)}
	for _, l := range lines {
		for _, p := range l.points {
			x, y := math.Log10(float64(p.entries)), math.Log10(p.seconds)
			a.minX, a.maxX = min(a.minX, math.Floor(x)), max(a.maxX, math.Ceil(x))
			a.minY, a.maxY = min(a.minY, math.Floor(y)), max(a.maxY, math.Ceil(y))
		}
	}
	return a
}

// curve is the straight line through a line's points.
func (a axes) curve(l line) string {
	through, _ := l.straight()
	first, last := float64(l.points[0].entries), float64(l.points[len(l.points)-1].entries)
	path := make([]string, curveSteps+1)
	for i := range path {
		entries := first * math.Pow(last/first, float64(i)/curveSteps)
		path[i] = fmt.Sprintf("%.1f,%.1f", a.x(entries), a.y(through.At(entries)))
	}
	return strings.Join(path, " ")
}

func (a axes) x(v float64) float64 { return plotLeft + plotX*(math.Log10(v)-a.minX)/(a.maxX-a.minX) }

func (a axes) y(v float64) float64 {
	return plotTop + plotY*(a.maxY-math.Log10(v))/(a.maxY-a.minY)
}
