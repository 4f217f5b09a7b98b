package main

import (
	"bytes"
	"fmt"
	"math"
	"time"
)

// line is a quantity as a function of the number of users (or of changes): what each run takes, and what each user adds.
type line struct{ fixed, each quantities }

// through is the line through two measurements.
func through(x1 float64, a quantities, x2 float64, b quantities) line {
	each := combine(a, b, func(a, b float64) float64 { return math.Max(0, (b-a)/(x2-x1)) })
	return line{fixed: combine(a, each, func(a, each float64) float64 { return math.Max(0, a-each*x1) }), each: each}
}

// at is the line's value for a number of users.
func (l line) at(users float64) quantities {
	return combine(l.fixed, l.each, func(fixed, each float64) float64 { return math.Max(0, fixed+each*users) })
}

// model is what was measured, as lines.
type model struct {
	preview, first, unchanged line
	// change is what writing one more user adds to a sync.
	change quantities
	tick   quantities
}

func newModel(all []works) model {
	a, b := all[0], all[len(all)-1]
	x1, x2 := float64(a.users), float64(b.users)
	return model{
		preview: through(x1, a.preview, x2, b.preview), first: through(x1, a.first, x2, b.first), unchanged: through(x1, a.unchanged, x2, b.unchanged),
		change: combine(b.changed, b.unchanged, func(changed, unchanged float64) float64 {
			return math.Max(0, changed-unchanged) / float64(b.changes)
		}),
		tick: b.tick,
	}
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
	account := times(m.unchanged.at(users), hours)
	account = combine(account, times(m.change, users*dailyChange*days), plus)
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

func report(all []works, fixed anyway, now time.Time) []byte {
	m := newModel(all)
	var t bytes.Buffer
	fmt.Fprintf(&t, `# What it costs

Written by `+"`make costs`"+` on %s; do not edit. The functions' own binaries ran previews and syncs of %d, %d and %d users on DynamoDB Local, an S3 server and services in
memory; every request, unit, byte and second was counted. Seconds are this machine's, cold starts included, and Lambda's may be half or twice as many.

## Measured, for each run and for each user in it

| | fixed | for each 1,000 users | straight within |
| --- | --- | --- | --- |
`, now.UTC().Format(time.DateOnly), all[0].users, all[1].users, all[2].users)
	for _, w := range []struct {
		name string
		line line
		of   func(works) quantities
	}{
		{"preview against an empty list", m.preview, func(w works) quantities { return w.preview }},
		{"first sync of a preview", m.first, func(w works) quantities { return w.first }},
		{"sync that finds nothing to do", m.unchanged, func(w works) quantities { return w.unchanged }},
	} {
		between := w.line.at(float64(all[1].users))
		for _, name := range shown {
			fixed, each := *name.of(&w.line.fixed), *name.of(&w.line.each)*1000
			measured, computed := w.of(all[1]), between
			straight := deviation(*name.of(&measured), *name.of(&computed))
			if name.time {
				straight = "–"
			}
			fmt.Fprintf(&t, "| %s: %s | %.3g | %.3g | %s |\n", w.name, name.text, fixed, each, straight)
		}
	}
	fmt.Fprintf(&t, "| one more user to write, in a sync: write units | %.3g | | |\n| one tick of the clock: read units | %.3g | | |\n\n", m.change.WriteUnits, m.tick.ReadUnits)
	months(&t, m, fixed)
	return t.Bytes()
}

// shown are the quantities that the table has.
var shown = []struct {
	text string
	of   func(*quantities) *float64
	// time is no count, and another one in each run.
	time bool
}{
	{"read units", func(q *quantities) *float64 { return &q.ReadUnits }, false},
	{"write units", func(q *quantities) *float64 { return &q.WriteUnits }, false},
	{"S3 requests that write", func(q *quantities) *float64 { return &q.Puts }, false},
	{"S3 requests that read", func(q *quantities) *float64 { return &q.Gets }, false},
	{"MB to S3", func(q *quantities) *float64 { return &q.StoredMB }, false},
	{"seconds of a worker", func(q *quantities) *float64 { return &q.WorkerSeconds }, true},
}

func deviation(measured, computed float64) string {
	if measured == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", math.Abs(computed-measured)/measured*100)
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
