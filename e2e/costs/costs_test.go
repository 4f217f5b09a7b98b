package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rollcall/e2e/servers"
	"rollcall/e2e/servers/ldapserver"
)

// cells returns the rows of all tables of a document, by their first cell.
func cells(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", file))
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		row := strings.Split(strings.Trim(line, "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows[row[0]] = row[1:]
	}
	return rows
}

func number(t *testing.T, row []string, i int) float64 {
	t.Helper()
	if i >= len(row) {
		t.Fatalf("the row %q has no cell %d", row, i)
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(row[i], ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// guide is the table in the operator's guide: for each size, what each of the shown quantities comes to.
func guide(t *testing.T) map[int][]float64 {
	t.Helper()
	rows := cells(t, "operations.md")
	out := make(map[int][]float64)
	for _, users := range guideUsers {
		row := rows[fmt.Sprint(users)]
		for i := range shown {
			out[users] = append(out[users], number(t, row, i))
		}
	}
	return out
}

// TestTheGuideHasTheModelsNumbers computes the guide's table from the lines that make costs measured. It is not parallel: the laboratory
// changes the working directory.
func TestTheGuideHasTheModelsNumbers(t *testing.T) {
	measured := cells(t, "costs.md")
	for users, row := range guide(t) {
		for i, q := range shown {
			unchanged, written := measured[workUnchanged+": "+q.text], measured[workChange+": "+q.text]
			thousands := float64(users) / 1000
			want := number(t, unchanged, 0) + thousands*(number(t, unchanged, 1)+guideChanged*number(t, written, 0))
			if math.Abs(row[i]-want) > 0.02*want+0.005 {
				t.Errorf("a sync of %d users: the guide says %v %s, and costs.md comes to %.4g", users, row[i], q.text, want)
			}
		}
	}
}

// TestASyncTakesWhatTheGuideSays counts what a sync of a thousand users takes, and holds it against the guide: requests, units and bytes,
// but not seconds. It is at most 15 % off, and what a slow machine adds.
func TestASyncTakesWhatTheGuideSays(t *testing.T) {
	servers.Need(t)
	const users = 1000
	wants := guide(t)[users]
	entries := 1
	for ldapserver.PeopleAddresses(entries) < users {
		entries++
	}
	err := withLaboratory(t.Context(), func(l *laboratory, dir string) error {
		w, err := l.measure(t.Context(), entries, 1, int(1/guideChanged), filepath.Join(dir, "slapd"))
		if err != nil {
			return err
		}
		for i, q := range shown {
			if got := q.of(&w.changed); q.counted && math.Abs(got-wants[i]) > 0.15*wants[i]+q.slack {
				t.Errorf("%d users, %d changes: %.4g %s, and the guide says %v", w.users, w.changes, got, q.text, wants[i])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
