package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{
		{[]float64{3, 1, 2}, 0.5, 2}, {[]float64{4, 1, 3, 2}, 0.5, 2.5}, {[]float64{7}, 0.99, 7}, {nil, 0.5, 0},
		{hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0, 1},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %v of %d values is %v, want %v", c.q, len(c.values), got, c.want)
		}
	}
}

func TestARowNamesEachGoal(t *testing.T) {
	t.Parallel()
	r := row{work: "a", peer: "b", ours: series{{wall: 3 * time.Second, peak: 20 << 20}}, base: series{{wall: 2 * time.Second}}}
	r.ratio("wall", wall, 1.15)
	r.memory(32)
	r.goals = append(r.goals, goal{what: "seen", got: 7, shown: true})
	want := "| a | 3 |  | 20.0 | b | 2 |  |  | wall 1.5× ≤ 1.15: **missed**; memory 20 MB ≤ 32: met; seen 7 |\n"
	if got := r.cells(); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := thousands(1234567) + " " + thousands(999); got != "1,234,567 999" {
		t.Errorf("thousands give %q", got)
	}
}

func TestAGoBenchmarksTime(t *testing.T) {
	t.Parallel()
	found := benchmarkLine.FindStringSubmatch("goos: linux\nBenchmarkFirstSync-2   \t       1\t1234567890 ns/op\t  5 B/op\nPASS\n")
	if len(found) != 2 || found[1] != "1234567890" {
		t.Errorf("found %q", found)
	}
}

// TestGrowthTellsAStraightLine fits lines of which one has a fixed part and one bends, and draws them.
func TestGrowthTellsAStraightLine(t *testing.T) {
	t.Parallel()
	lines := []line{{"steady", []point{{1_000, 0.06}, {10_000, 0.15}, {100_000, 1.05}}}, {"bent", []point{{1_000, 0.01}, {10_000, 0.1}, {100_000, 2}}}}
	decoder := xml.NewDecoder(strings.NewReader(plot(lines[:1])))
	circles := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 3 {
		t.Errorf("%d points are drawn, want 3", circles)
	}
	text := growthText(lines)
	for _, want := range []string{"steady: 50.0 ms for a run and 10.00 µs for an entry; ", "≤ 20: met", "≤ 20: **missed**", "| 100,000 | 10.50 | 20.00 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}
