package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	add("%d × %s, %s of memory", runtime.NumCPU(), field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal"))
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
	out, _ := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // the programs above
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "ldapsearch:"))
}

// report writes the table and the growth, each where it was measured.
func (b *bench) report(machine []string) error {
	if len(b.rows) > 0 {
		if err := b.write("benchmarks.md", b.head("Benchmarks", "what stands below the table is bench/notes.md", machine)+table(b.rows)+notes); err != nil {
			return err
		}
	}
	if len(b.growing) == 0 {
		return nil
	}
	if err := b.write("growth.svg", plot(b.growing)); err != nil {
		return err
	}
	return b.write("growth.md", b.head("Growth", "the code is bench/growth.go", machine)+growthText(b.growing))
}

func (b *bench) write(name, text string) error {
	return os.WriteFile(filepath.Join(b.out, name), []byte(text), 0o644) //nolint:gosec // a document
}

// head is a document's title, and what measured it.
func (b *bench) head(title, source string, machine []string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "# %s\n\nWritten by `make bench`", title)
	if b.full {
		t.WriteString(" with `BENCH_FULL=1`")
	}
	if only := b.only.String(); only != "" {
		fmt.Fprintf(&t, " and `ONLY='%s'`", only)
	}
	fmt.Fprintf(&t, " on %s in %s; do not edit (%s).\n\n", b.began.UTC().Format(time.DateOnly), time.Since(b.began).Round(time.Second), source)
	for _, line := range machine {
		fmt.Fprintf(&t, "- %s\n", line)
	}
	return t.String() + "\n"
}

// table is all rows, and how they were measured.
func table(rows []row) string {
	var t strings.Builder
	fmt.Fprintf(&t, "Each row is measured beside its peer, in turn (A B A B), %d times after one run that does not count: medians, in brackets the fastest and the slowest. Goals are on\n"+
		"the ratio of the medians, on the same machine in the same run; memory is the peak of the resident set, in MB of 2^20 bytes, the highest of all runs.\n\n", rounds)
	t.WriteString("| work | wall, s | CPU, s | memory, MB | peer | its wall, s | its CPU, s | its memory | goals |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for i := range rows {
		t.WriteString(rows[i].cells())
	}
	t.WriteString("\nThe peer's command for reading, where `-ZZ` stands for STARTTLS; `bench/reader` takes the same search:\n\n" +
		"    ldapsearch -x -LLL [-ZZ] -H ldap://… -D cn=reader,… -w … -b dc=example,dc=com -E pr=1000/noprompt '" + filter + "' mail proxyAddresses > /dev/null\n\n" +
		"How the time grows with the entries is in [growth.md](growth.md).\n\n")
	return t.String()
}

// cells is a row as a line of the table.
func (r row) cells() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.work, spread(r.ours, wall), spread(r.ours, cpu), highest(r.ours),
		r.peer, spread(r.base, wall), spread(r.base, cpu), highest(r.base), goals(r.goals))
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
	return fmt.Sprintf("%s (%s–%s)", figure(quantile(values, 0.5)), figure(quantile(values, 0)), figure(quantile(values, 1)))
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

// growthText is the plot, the time for an entry at each size, and how straight the lines are.
func growthText(lines []line) string {
	var t strings.Builder
	fmt.Fprintf(&t, "![time by entries, on two logarithmic axes](growth.svg)\n\nEach point is the median of %d runs, over STARTTLS, in which the sizes take turns, after one that does not count; each curve is the straight line\n"+
		"through its points: so much for a run, and so much for an entry. Microseconds for an entry:\n\n| entries |", rounds)
	for _, l := range lines {
		fmt.Fprintf(&t, " %s |", l.name)
	}
	t.WriteString("\n| ---: |" + strings.Repeat(" ---: |", len(lines)) + "\n")
	for i, p := range lines[0].points {
		fmt.Fprintf(&t, "| %s |", thousands(p.entries))
		for _, l := range lines {
			fmt.Fprintf(&t, " %.2f |", l.points[i].seconds/float64(l.points[i].entries)*1e6)
		}
		t.WriteString("\n")
	}
	t.WriteString("\n")
	for _, l := range lines {
		through, farthest := l.straight()
		far := goal{what: "farthest point from that line", unit: " %", got: 100 * farthest, most: 100 * straightness}
		fmt.Fprintf(&t, "- %s: %.1f ms for a run and %.2f µs for an entry; %s\n", l.name, 1e3*through.Fixed, 1e6*through.Each, goals([]goal{far}))
	}
	return t.String() + "\n" + growthNotes
}

// growthNotes is what the lines cannot say.
const growthNotes = `Signing in, TLS and the polling of the API are a fixed cost of a run, and all else is so much for an entry: the lines have both. Most of the reader's own fixed cost
is that a process which speaks TLS for the first time reads the authorities that the system trusts, beside the one of the settings; ldapsearch is told of that one
alone. What runs on has read them.
`

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
