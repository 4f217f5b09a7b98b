package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// notes is what the numbers cannot say: why a goal is missed, and what was tried.
//
//go:embed notes.md
var notes string

// machine describes what is measured on, line by line.
func machine(ctx context.Context) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	processor, memory := field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal")
	add("%d × %s, %s of memory", runtime.NumCPU(), processor, memory)
	add("%s on %s", firstLine(ctx, "uname", "-sr"), field("/etc/os-release", "PRETTY_NAME"))
	add("%s, %s", runtime.Version(), firstLine(ctx, "ldapsearch", "-VV"))
	load, _ := os.ReadFile("/proc/loadavg")
	add("load before the first measurement: %s", strings.Join(strings.Fields(string(load))[:3], " "))
	return lines
}

// field returns the value of a "name: value" or NAME="value" line of a system file.
func field(path, name string) string {
	data, _ := os.ReadFile(path) // without it the report says nothing there
	for _, line := range strings.Split(string(data), "\n") {
		if rest, found := strings.CutPrefix(line, name); found {
			return strings.Trim(rest, " \t:=\"")
		}
	}
	return "unknown"
}

// firstLine returns the first line that a program prints.
func firstLine(ctx context.Context, name string, args ...string) string {
	//nolint:gosec // the programs above
	out, _ := exec.CommandContext(ctx, name, args...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "ldapsearch:"))
}

// report is the document: what measured it, the table, the growth and, where it is whole, the notes.
func (b *bench) report(machine []string) string {
	var t strings.Builder
	command := "make bench"
	if b.full {
		command = "BENCH_FULL=1 " + command
	}
	if only := b.only.String(); only != "" {
		command += fmt.Sprintf(" ONLY='%s'", only)
	}
	fmt.Fprintf(&t, "# Benchmarks\n\nWritten by `%s` on %s in %s; do not edit: the text below is bench/notes.md.\n\n",
		command, b.began.UTC().Format(time.DateOnly), time.Since(b.began).Round(time.Second))
	for _, line := range machine {
		fmt.Fprintf(&t, "- %s\n", line)
	}
	if len(b.rows) > 0 {
		t.WriteString(table(b.rows))
	}
	if len(b.sizes) > 0 {
		t.WriteString(growthTable(b.sizes))
	}
	if len(b.looks) > 0 {
		t.WriteString(looksTable(b.looks))
	}
	if b.only.String() == "" {
		t.WriteString(notes)
	}
	return t.String()
}

// tableHead says how the rows were measured, and begins their table.
const tableHead = `
Each row is measured beside its peer, in turn (A B A B), %d times after one run that does not count: medians, in
brackets the fastest and the slowest. Goals are on the ratio of the medians, on the same machine in the same run;
memory is the peak of the resident set, in MB of 2^20 bytes, the highest of all runs.

| work | wall, s | CPU, s | memory, MB | peer | its wall, s | its CPU, s | its memory | goals |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

// tableFoot is the peer's command.
const tableFoot = `
The peer's command for reading, where ` + "`-ZZ` stands for STARTTLS; `bench/reader`" + ` takes the same search:

    ldapsearch -x -LLL [-ZZ] -H ldap://… -D cn=reader,… -w … -b dc=example,dc=com -E pr=1000/noprompt \
      '%s' mail proxyAddresses > /dev/null

`

// table is all rows, and how they were measured.
func table(rows []row) string {
	var t strings.Builder
	fmt.Fprintf(&t, tableHead, rounds)
	for i := range rows {
		t.WriteString(rows[i].cells())
	}
	fmt.Fprintf(&t, tableFoot, filter)
	return t.String()
}

// cells is a row as a line of the table.
func (r row) cells() string {
	all := []string{
		r.work, spread(r.ours, wall), spread(r.ours, cpu), highest(r.ours),
		r.peer, spread(r.base, wall), spread(r.base, cpu), highest(r.base), goals(r.goals),
	}
	return "| " + strings.Join(all, " | ") + " |\n"
}

// spread is a median with the smallest and the largest value.
func spread(s series, of func(sample) float64) string {
	values := s.numbers(of)
	switch {
	case len(values) == 0 || quantile(values, 1) == 0:
		return ""
	case len(values) == 1:
		return figure(values[0])
	}
	median, least, most := quantile(values, 0.5), quantile(values, 0), quantile(values, 1)
	return fmt.Sprintf("%s (%s–%s)", figure(median), figure(least), figure(most))
}

func highest(s series) string {
	if most := quantile(s.numbers(peak), 1); most > 0 {
		return fmt.Sprintf("%.1f", most)
	}
	return ""
}

// figure shows three figures, and small values as such.
func figure(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// String is a series in short.
func (s series) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s s, CPU %s s, %s MB", spread(s, wall), spread(s, cpu), highest(s)))
}

// goals says of each goal whether it is met.
func goals(list []goal) string {
	var parts []string
	for _, g := range list {
		if g.shown {
			parts = append(parts, fmt.Sprintf("%s %.3g%s", g.what, g.got, g.unit))
			continue
		}
		verdict := "met"
		if !g.met() {
			verdict = "**missed**"
		}
		parts = append(parts, fmt.Sprintf("%s %.3g%s ≤ %.4g: %s", g.what, g.got, g.unit, g.most, verdict))
	}
	return strings.Join(parts, "; ")
}

// growthHead says how the growth was measured.
const growthHead = `
## Growth

Seconds per 100,000 entries, over STARTTLS: the medians of %d runs in which the sizes take turns. Signing in, TLS and
the polling of the API cost each run the same, so that small directories take longer per entry.

`

// growthTable is the time for 100,000 entries at each size.
func growthTable(sizes []size) string {
	var t strings.Builder
	fmt.Fprintf(&t, growthHead, rounds)
	fmt.Fprintf(&t, "| entries | %s |\n", strings.Join(growing[:], " | "))
	fmt.Fprintf(&t, "| ---: |%s\n", strings.Repeat(" ---: |", len(growing)))
	for _, one := range sizes {
		fmt.Fprintf(&t, "| %s |", thousands(one.entries))
		for _, took := range one.took {
			fmt.Fprintf(&t, " %s |", figure(took.median(wall)/float64(one.entries)*100_000))
		}
		t.WriteString("\n")
	}
	return t.String() + "\n"
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
