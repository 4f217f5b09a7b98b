// Package costs measures what previews and syncs take of AWS (requests, units, bytes, seconds) by running the
// functions' own binaries on what stands in for AWS, and computes what a month costs from that and from public
// prices. `make costs` writes docs/costs.md.
package costs

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/e2e/servers"
	"rollcall/e2e/servers/ldapserver"
)

var update = flag.Bool("update", false, "measure all and write docs/costs.md")

// The directory entries that are measured for the document. The first import of all meets a cold database and does not
// count.
const (
	warmUpEntries = 1000
	smallEntries  = 500
	largeEntries  = 12_000
	// missing is the part of the users that a sync with changes finds missing: one of so many.
	missing = 10
)

// TestASyncTakesWhatTheDocumentSays counts what a sync of a thousand users takes, and compares requests, units and
// bytes with docs/costs.md, but not seconds. It may be 15 % off, and what a slow machine adds.
func TestASyncTakesWhatTheDocumentSays(t *testing.T) {
	servers.Need(t)
	document, err := filepath.Abs("../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	fixed := countFixed(t)
	// The lab changes the working directory.
	m := newMeter(t)
	if *update {
		m.measure(t, warmUpEntries, missing)
		text := report(m.measure(t, smallEntries, missing), m.measure(t, largeEntries, missing), fixed, time.Now())
		if err := os.WriteFile(document, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const users = 1000
	wants := documented(t, document)
	entries := 1
	for ldapserver.PeopleAddresses(entries) < users {
		entries++
	}
	w := m.measure(t, entries, int(1/tableChanged))
	for i, q := range shown {
		got := q.scale * w.changed[q.quantity]
		if !q.varies && math.Abs(got-wants[i]) > 0.15*wants[i]+q.slack {
			t.Errorf("%d users, %d changes: %.4g %s, and costs.md says %v", w.users, w.changes, got, q.text, wants[i])
		}
	}
}

// documented returns the document's first row of what a sync takes: of 1,000 users, as shown has them.
func documented(t *testing.T, document string) (numbers []float64) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, row, _ := strings.Cut(string(text), "\n| 1000 |")
	row, _, _ = strings.Cut(row, "\n")
	for cell := range strings.SplitSeq(strings.TrimSuffix(row, " |"), "|") {
		v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, v)
	}
	if len(numbers) != len(shown) {
		t.Fatalf("docs/costs.md has %d numbers for 1,000 users, want %d", len(numbers), len(shown))
	}
	return numbers
}

// TestReportIsALineThroughBothSizes makes a report of two measurements that lie on a line.
func TestReportIsALineThroughBothSizes(t *testing.T) {
	t.Parallel()
	at := func(users int) works {
		w := works{users: users, changes: users / missing}
		w.unchanged[readUnits] = 20 + 0.1*float64(users)
		w.changed[readUnits] = w.unchanged[readUnits]
		w.changed[writeUnits] = float64(w.changes)
		return w
	}
	text := string(report(at(1_000), at(20_000), fixedParts{keys: 2, alarms: 10, secrets: 1}, time.Now()))
	for _, want := range []string{
		"| sync that finds nothing to do: read units | 20 | 100 |\n",
		"| users written by a sync: write units | 0 | 1000 |\n",
		"\n| 10000 | 0 | 1020 | 100 | 0 |",
		// 730 syncs, each of 20 units and 0.1 for each user; 30.4 % of the users are written in a month.
		"\n| DynamoDB requests | 0.01 | 11.14 | 9.32 |\n",
		"| Independent of use: keys, secret, alarms, metrics, dashboard | 13.60 | 13.60 | 13.60 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}
