package main

import (
	"regexp"
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
	r := row{
		work: "a", peer: "b",
		ours: series{{wall: 3 * time.Second, peak: 20 << 20}}, base: series{{wall: 2 * time.Second}},
	}
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
	const printed = "goos: linux\nBenchmarkFirstSync-2   \t       1\t1234567890 ns/op\t  5 B/op\nPASS\n"
	found := benchmarkLine.FindStringSubmatch(printed)
	if len(found) != 2 || found[1] != "1234567890" {
		t.Errorf("found %q", found)
	}
}

func TestGrowthIsSecondsFor100000Entries(t *testing.T) {
	t.Parallel()
	seconds := func(s float64) series { return samples([]float64{s}) }
	got := growthTable([]size{
		{entries: 1_000, took: []series{seconds(0.06), seconds(0.02), seconds(0.03)}},
		{entries: 200_000, took: []series{seconds(2), seconds(1), seconds(3)}},
	})
	want := `| entries | ldapsearch | reader | whole preview |
| ---: | ---: | ---: | ---: |
| 1,000 | 6 | 2 | 3 |
| 200,000 | 1 | 0.5 | 1.5 |
`
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
}

func TestAReportHasWhatWasMeasured(t *testing.T) {
	t.Parallel()
	sizes := []size{{entries: 1_000, took: []series{nil, nil, nil}}}
	for only, wants := range map[string]map[string]bool{
		"":       {"`make bench`": true, "## Growth": true, "| work |": false, "## What is behind": true},
		"growth": {"`make bench ONLY='growth'`": true, "## Growth": true, "## What is behind": false},
	} {
		b := &bench{only: regexp.MustCompile(only), sizes: sizes}
		text := b.report([]string{"a machine"})
		for want, found := range wants {
			if strings.Contains(text, want) != found {
				t.Errorf("%q is in the report of %q: %t, want %t", want, only, !found, found)
			}
		}
	}
}
