package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"rollcall/bench/straight"
)

// line is every quantity as a function of the number of users: what each run takes, and what each user adds. farthest is how far the
// farthest measurement is from its line, as a share of it.
type line struct{ fixed, each, farthest quantities }

// through is the line through what was measured of one work.
func through(all []works, of func(*works) *quantities) line {
	var l line
	for i := range l.fixed.list() {
		points := make([]straight.Point, len(all))
		for j := range all {
			points[j] = straight.Point{X: float64(all[j].users), Y: *of(&all[j]).list()[i]}
		}
		fit := straight.Fit(points)
		*l.fixed.list()[i], *l.each.list()[i], *l.farthest.list()[i] = fit.Fixed, fit.Each, fit.Farthest(points)
	}
	return l
}

// at is the line's value for a number of users.
func (l line) at(users float64) quantities {
	return combine(l.fixed, l.each, func(fixed, each float64) float64 { return fixed + each*users })
}

// model is what was measured, as lines.
type model struct {
	preview, first, unchanged line
	// change is what writing one more user adds to a sync.
	change quantities
	tick   quantities
}

func newModel(all []works) model {
	largest := all[len(all)-1]
	return model{
		preview:   through(all, func(w *works) *quantities { return &w.preview }),
		first:     through(all, func(w *works) *quantities { return &w.first }),
		unchanged: through(all, func(w *works) *quantities { return &w.unchanged }),
		change: combine(largest.changed, largest.unchanged, func(changed, unchanged float64) float64 {
			return math.Max(0, changed-unchanged) / float64(largest.changes)
		}),
		tick: largest.tick,
	}
}

// sync is what a sync takes of so many users of which some have to be written.
func (m model) sync(users, changes float64) quantities {
	return combine(m.unchanged.at(users), m.change, func(unchanged, change float64) float64 { return unchanged + change*changes })
}

// The month that is priced.
const (
	hours       = 730
	ticks       = hours * 12
	previews    = 10
	dailyChange = 0.01
	days        = 30.4
	// journalDays and plan days are how long plans are kept.
	journalMonths = 90 / days
	userBytes     = 600
)

// month is what accounts of a number of users take in a month of hourly syncs.
func (m model) month(accounts, users float64) quantities {
	times := func(q quantities, n float64) quantities {
		return combine(q, q, func(a, _ float64) float64 { return a * n })
	}
	account := times(m.sync(users, users*dailyChange*days/hours), hours)
	account = combine(account, times(m.preview.at(users), previews), plus)
	return combine(times(account, accounts), times(m.tick, ticks), plus)
}

// price is one line of a bill.
type price struct {
	what    string
	dollars float64
}

// bill prices a month.
func (a anyway) bill(q quantities, accounts, users float64) []price {
	tableGB := accounts * users * userBytes / (1 << 30)
	return []price{
		{"DynamoDB requests", q.ReadUnits/1e6*perMillionReadUnits + q.WriteUnits/1e6*perMillionWriteUnits},
		{"DynamoDB storage, with point-in-time recovery", tableGB * (perTableGBMonth + perRecoveryGBMonth)},
		{"S3 requests", q.Puts/1e6*perMillionS3Puts + q.Gets/1e6*perMillionS3Gets},
		{"S3 storage (journals of 90 days)", q.StoredMB / 1024 * journalMonths * perBucketGBMonth},
		{"Lambda", (q.WorkerSeconds*workerGB+q.APISeconds*apiGB)*perGBSecond + q.Invocations/1e6*perMillionLambdas},
		{"SQS, EventBridge, KMS requests, API Gateway", q.Messages/1e6*perMillionMessages + q.Events/1e6*perMillionEvents + q.KeyUses/1e6*perMillionKMS + q.HTTP/1e6*perMillionHTTP},
		{"Logs", q.LogMB / 1024 * perLogGB},
		{"What is there anyway: keys, alarms, metrics, dashboard", float64(a.keys)*perKeyMonth + float64(a.alarms)*perAlarmMonth + metrics*perMetricMonth + dashboards*perDashboardMonth},
	}
}

func report(all []works, m model, fixed anyway, now time.Time) []byte {
	var t bytes.Buffer
	var counts []string
	for _, w := range all {
		counts = append(counts, fmt.Sprint(w.users))
	}
	fmt.Fprintf(&t, `# What it costs

Written by `+"`make costs`"+` on %s; do not edit. The functions' own binaries ran previews and syncs of %s users on DynamoDB Local, an S3 server and services in memory, each
%d times, of which the medians count; every request, unit, byte and second was counted. Seconds are this machine's, with its database on the same two processors, and Lambda's may be half or twice as many.

## Measured: what a run takes by itself, and what its users add

"Farthest" is how far the farthest measurement is from that line.

| | fixed | for each 1,000 users | farthest |
| --- | --- | --- | --- |
`, now.UTC().Format(time.DateOnly), strings.Join(counts, ", "), rounds)
	for _, w := range []struct {
		name string
		line line
	}{{workPreview, m.preview}, {workFirst, m.first}, {workUnchanged, m.unchanged}} {
		for _, q := range shown {
			fmt.Fprintf(&t, "| %s: %s | %s | %s | %.0f %% |\n", w.name, q.text, figure(q.of(&w.line.fixed)), figure(1000*q.of(&w.line.each)), 100*q.get(&w.line.farthest))
		}
	}
	t.WriteString("\nA sync that writes users takes besides, for each 1,000 of them:\n\n| | |\n| --- | --- |\n")
	for _, q := range shown {
		fmt.Fprintf(&t, "| %s: %s | %s |\n", workChange, q.text, figure(1000*q.of(&m.change)))
	}
	fmt.Fprintf(&t, "\nOne tick of the clock takes %.3g read units.\n\n", m.tick.ReadUnits)
	takes(&t, m)
	months(&t, m, fixed)
	return t.Bytes()
}

// The names of the works in the table, which the test reads.
const (
	workPreview   = "preview against an empty list"
	workFirst     = "first sync of a preview"
	workUnchanged = "sync that finds nothing to do"
	workChange    = "users written"
)

// quantity is one that the tables have.
type quantity struct {
	text string
	// scale is what the quantity is multiplied with to be shown.
	scale float64
	get   func(*quantities) float64
	// counted tells a count from a time, which is another one in each run. slack is what a run that takes some seconds more may add to it:
	// it stores its progress and renews its lease each second.
	counted bool
	slack   float64
}

func (q quantity) of(all *quantities) float64 { return q.scale * q.get(all) }

var shown = []quantity{
	{"DynamoDB requests", 1, func(q *quantities) float64 { return q.Requests }, true, 12},
	{"read units", 1, func(q *quantities) float64 { return q.ReadUnits }, true, 12},
	{"write units", 1, func(q *quantities) float64 { return q.WriteUnits }, true, 12},
	{"S3 requests that write", 1, func(q *quantities) float64 { return q.Puts }, true, 0},
	{"S3 requests that read", 1, func(q *quantities) float64 { return q.Gets }, true, 0},
	{"MB to S3", 1, func(q *quantities) float64 { return q.StoredMB }, true, 0},
	{"MB from S3", 1, func(q *quantities) float64 { return q.FetchedMB }, true, 0},
	{"GB-seconds of a worker", workerGB, func(q *quantities) float64 { return q.WorkerSeconds }, false, 0},
}

// guideUsers are the sizes in the guide's table, and guideChanged the share of the users that such a sync writes.
var guideUsers = []int{1_000, 10_000, 100_000, 1_000_000}

const guideChanged = 0.01

// figure shows three figures, without an exponent.
func figure(v float64) string {
	if v < 1e-9 {
		return "0"
	}
	if v < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return strconv.FormatFloat(math.Round(v/unit)*unit, 'f', 0, 64)
}

// takes writes the table that the operator's guide has too.
func takes(t *bytes.Buffer, m model) {
	fmt.Fprintf(t, "## What a sync takes that writes %.0f %% of its users\n\nThe operator's guide has this table, and a test holds it against this page and against what is counted anew. Beyond the sizes that were measured it is the\n"+
		"line's value; a plan of more than 8 MB (300,000 users) is sent to S3 in parts of 8 MB, a request each, which no line tells.\n\n%s\n", 100*guideChanged, guideTable(m))
}

// guideHead begins the guide's table.
const guideHead = "| users |"

// guideTable is what syncs of several sizes take.
func guideTable(m model) string {
	var t strings.Builder
	t.WriteString(guideHead)
	for _, q := range shown {
		fmt.Fprintf(&t, " %s |", q.text)
	}
	t.WriteString("\n| ---: |" + strings.Repeat(" ---: |", len(shown)) + "\n")
	for _, users := range guideUsers {
		fmt.Fprintf(&t, "| %d |", users)
		takes := m.sync(float64(users), guideChanged*float64(users))
		for _, q := range shown {
			fmt.Fprintf(&t, " %s |", figure(q.of(&takes)))
		}
		t.WriteString("\n")
	}
	return t.String()
}

// errNoTable means that the guide has lost its table.
var errNoTable = errors.New("docs/operations.md has no table that begins with " + guideHead)

// updateGuide puts the table into the operator's guide in place of the one that is there.
func updateGuide(guide []byte, m model) ([]byte, error) {
	before, rest, found := strings.Cut(string(guide), "\n"+guideHead)
	_, after, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		return nil, errNoTable
	}
	return []byte(before + "\n" + guideTable(m) + "\n" + after), nil
}

// months writes the bills.
func months(t *bytes.Buffer, m model, fixed anyway) {
	fmt.Fprintf(t, "## A month of hourly syncs, in US dollars\n\n%d syncs an account, of which each day's find 1 %% of the users changed; %d previews. Prices: %s, without the free tier. What is\n"+
		"optional (a VPC's NAT gateways, a firewall) and what callers download is not in it.\n\n", hours, previews, pricesAsOf)
	cases := []struct {
		name            string
		accounts, users float64
	}{{"1 account, 1,000 users", 1, 1000}, {"1,000 accounts, 1,000 users each", 1000, 1000}, {"1 account, 1,000,000 users", 1, 1_000_000}}
	t.WriteString("| |")
	bills := make([][]price, len(cases))
	for i, c := range cases {
		fmt.Fprintf(t, " %s |", c.name)
		bills[i] = fixed.bill(m.month(c.accounts, c.users), c.accounts, c.users)
	}
	t.WriteString("\n| --- | --- | --- | --- |\n")
	sums := make([]float64, len(cases))
	for row := range bills[0] {
		fmt.Fprintf(t, "| %s |", bills[0][row].what)
		for i := range cases {
			sums[i] += bills[i][row].dollars
			fmt.Fprintf(t, " %.2f |", bills[i][row].dollars)
		}
		t.WriteString("\n")
	}
	fmt.Fprintf(t, "| **together** | **%.2f** | **%.2f** | **%.2f** |\n\n", sums[0], sums[1], sums[2])
	t.WriteString("A first import of 1,000,000 users costs ")
	first := combine(m.preview.at(1e6), m.first.at(1e6), plus)
	total := 0.0
	for _, p := range fixed.bill(first, 0, 0)[:7] {
		total += p.dollars
	}
	fmt.Fprintf(t, "%.2f dollars once, nearly all of it for %.1f million write units.\n", total, first.WriteUnits/1e6)
}
