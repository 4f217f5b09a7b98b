package costs

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// line is every quantity as a function of the number of users: what each run takes, and what each user adds.
type line struct{ fixed, each quantities }

// through returns the line through two measurements. Neither part of it is negative.
func through(small, large quantities, smallUsers, largeUsers int) line {
	var l line
	for i := range small {
		l.each[i] = max(0, large[i]-small[i]) / float64(largeUsers-smallUsers)
		l.fixed[i] = max(0, small[i]-l.each[i]*float64(smallUsers))
	}
	return l
}

// at is the line's value for a number of users.
func (l line) at(users float64) quantities { return l.fixed.plus(l.each, users) }

// model is what was measured, as lines.
type model struct {
	preview, first, unchanged line
	// change is what writing one more user adds to a sync.
	change     quantities
	tick, look quantities
}

func newModel(small, large works) model {
	m := model{
		preview:   through(small.preview, large.preview, small.users, large.users),
		first:     through(small.first, large.first, small.users, large.users),
		unchanged: through(small.unchanged, large.unchanged, small.users, large.users),
		tick:      large.tick, look: large.look,
	}
	for i := range m.change {
		m.change[i] = max(0, large.changed[i]-large.unchanged[i]) / float64(large.changes)
	}
	return m
}

// sync is what a sync takes of so many users of which some have to be written.
func (m model) sync(users, changes float64) quantities {
	return m.unchanged.at(users).plus(m.change, changes)
}

// The month that is priced.
const (
	hours       = 730
	ticks       = hours * 12
	looks       = hours * 12
	previews    = 10
	dailyChange = 0.01
	days        = 30.4
	// journalMonths is how long plans and journals are kept.
	journalMonths = 90 / days
	userBytes     = 600
)

// month is what accounts of a number of users take in a month of hourly syncs.
func (m model) month(accounts, users float64) quantities {
	account := quantities{}.plus(m.sync(users, users*dailyChange*days/hours), hours).plus(m.preview.at(users), previews)
	return quantities{}.plus(account, accounts).plus(m.tick, ticks)
}

// price is one line of a bill.
type price struct {
	what    string
	dollars float64
}

// use prices what is paid by use.
func use(q quantities) []price {
	const million = 1e6
	gbSeconds := q[workerSeconds]*workerGB + q[apiSeconds]*apiGB
	small := q[messages]*perMillionMessages + q[events]*perMillionEvents +
		q[keyUses]*perMillionKMS + q[httpRequests]*perMillionHTTP
	return []price{
		{"DynamoDB requests", (q[readUnits]*perMillionReadUnits + q[writeUnits]*perMillionWriteUnits) / million},
		{"S3 requests", (q[puts]*perMillionS3Puts + q[gets]*perMillionS3Gets) / million},
		{"S3 storage (journals of 90 days)", q[storedMB] / 1024 * journalMonths * perBucketGBMonth},
		{"Lambda", gbSeconds*perGBSecond + q[invocations]*perMillionLambdas/million},
		{"SQS, EventBridge, KMS requests, API Gateway", small / million},
		{"Logs", q[logMB] / 1024 * perLogGB},
	}
}

// bill prices a month.
func bill(q quantities, fixed fixedParts, accounts, users float64) []price {
	tableGB := accounts * users * userBytes / (1 << 30)
	parts := float64(fixed.keys)*perKeyMonth + float64(fixed.alarms)*perAlarmMonth +
		float64(fixed.secrets)*perSecretMonth + metrics*perMetricMonth + dashboards*perDashboardMonth
	return append(use(q),
		price{"DynamoDB storage, with point-in-time recovery", tableGB * (perTableGBMonth + perRecoveryGBMonth)},
		price{"Independent of use: keys, secret, alarms, metrics, dashboard", parts})
}

func sum(prices []price) (dollars float64) {
	for _, p := range prices {
		dollars += p.dollars
	}
	return dollars
}

// shown are the quantities that the tables have.
var shown = []struct {
	text string
	// scale is what the quantity is multiplied with to be shown.
	scale    float64
	quantity int
	// varies marks a time, which is another one in each run. slack is what a run that takes some seconds more may add
	// to a count: it stores its progress and renews its lease each second. Of bytes it is about a kilobyte: a small
	// journal is mostly what each one has, and a sync with at most 100 changes reads its own once more.
	varies bool
	slack  float64
}{
	{text: "DynamoDB requests", scale: 1, quantity: requests, slack: 12},
	{text: "read units", scale: 1, quantity: readUnits, slack: 12},
	{text: "write units", scale: 1, quantity: writeUnits, slack: 12},
	{text: "S3 requests that write", scale: 1, quantity: puts},
	{text: "S3 requests that read", scale: 1, quantity: gets, slack: 1},
	{text: "MB to S3", scale: 1, quantity: storedMB, slack: 0.0005},
	{text: "MB from S3", scale: 1, quantity: fetchedMB, slack: 0.0015},
	{text: "GB-seconds of a worker", scale: workerGB, quantity: workerSeconds, varies: true},
}

const introduction = `# What it costs

Written by ` + "`make costs`" + ` on %s; do not edit. The functions' own binaries ran previews and syncs
of %d and %d users on DynamoDB Local, an S3 server and services in memory; every request, unit, byte and
second was counted. Seconds are this machine's, with its database on the same processors, and Lambda's
may be half or twice as many. A sync with at most 100 changes reads its journal once more than is shown, to
tell of them: one request and about a kilobyte.

## Measured: what a run takes by itself, and what its users add

| | fixed | for each 1,000 users |
| --- | ---: | ---: |
`

func report(small, large works, fixed fixedParts, now time.Time) []byte {
	var t bytes.Buffer
	m := newModel(small, large)
	fmt.Fprintf(&t, introduction, now.UTC().Format(time.DateOnly), small.users, large.users)
	for _, w := range []struct {
		name string
		line
	}{
		{"preview against an empty list", m.preview},
		{"first sync of a preview", m.first},
		{"sync that finds nothing to do", m.unchanged},
		{"users written by a sync", line{each: m.change}},
	} {
		for _, q := range shown {
			once, each := q.scale*w.fixed[q.quantity], 1000*q.scale*w.each[q.quantity]
			fmt.Fprintf(&t, "| %s: %s | %s | %s |\n", w.name, q.text, figure(once), figure(each))
		}
	}
	fmt.Fprintf(&t, "\nOne tick of the clock takes %.3g read units.\n\n", m.tick[readUnits])
	fmt.Fprintf(&t, looksText, m.look[requests], m.look[readUnits], m.look[writeUnits], workerGB*m.look[workerSeconds],
		looks, sum(use(quantities{}.plus(m.look, looks))))
	writeSyncs(&t, m)
	writeMonths(&t, m, fixed)
	return t.Bytes()
}

const looksText = `A quick look that finds nothing takes %.0f DynamoDB requests, %.3g read units, %.3g write units
and %.2g GB-seconds of a worker, whatever the number of users. A month of them every five minutes (%d) costs %.2f
dollars an account.

`

// figure shows three figures, without an exponent.
func figure(v float64) string {
	if v < 1e-9 {
		return "0"
	}
	if v < 999.5 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	return strconv.FormatFloat(math.Round(v/unit)*unit, 'f', 0, 64)
}

// tableChanged is the share of the users that the table's syncs write.
const tableChanged = 0.01

const syncsHead = `## What a sync takes that writes %.0f %% of its users

A test counts the first row again. Beyond the sizes that were measured a row is the line's value; a plan of
more than 8 MB (300,000 users) goes to S3 in parts of 8 MB with a request each, which the line lacks.

| users |`

// writeSyncs writes what syncs of several sizes take.
func writeSyncs(t *bytes.Buffer, m model) {
	fmt.Fprintf(t, syncsHead, 100*tableChanged)
	dashes := "\n| ---: |"
	for _, q := range shown {
		fmt.Fprintf(t, " %s |", q.text)
		dashes += " ---: |"
	}
	t.WriteString(dashes)
	for _, users := range []int{1_000, 10_000, 100_000, 1_000_000} {
		fmt.Fprintf(t, "\n| %d |", users)
		takes := m.sync(float64(users), tableChanged*float64(users))
		for _, q := range shown {
			fmt.Fprintf(t, " %s |", figure(q.scale*takes[q.quantity]))
		}
	}
	t.WriteString("\n\n")
}

const monthsHead = `## A month of hourly syncs, in US dollars

%d syncs an account, of which each day's find 1 %% of the users changed; %d previews.
Prices: %s (check them before you rely on a
sum), without the free tier. What is optional (a VPC's NAT gateways, a firewall) and what callers download is
not in it.

| | 1 account, 1,000 users | 1,000 accounts, 1,000 users each | 1 account, 1,000,000 users |
| --- | ---: | ---: | ---: |
`

const firstImport = `A first import of 1,000,000 users costs %.2f dollars once, nearly all of it for %.1f million write
units.
`

// writeMonths writes the bills.
func writeMonths(t *bytes.Buffer, m model, fixed fixedParts) {
	fmt.Fprintf(t, monthsHead, hours, previews, pricesAsOf)
	one := bill(m.month(1, 1e3), fixed, 1, 1e3)
	many := bill(m.month(1e3, 1e3), fixed, 1e3, 1e3)
	large := bill(m.month(1, 1e6), fixed, 1, 1e6)
	for i := range one {
		fmt.Fprintf(t, "| %s | %.2f | %.2f | %.2f |\n", one[i].what, one[i].dollars, many[i].dollars, large[i].dollars)
	}
	fmt.Fprintf(t, "| **together** | **%.2f** | **%.2f** | **%.2f** |\n\n", sum(one), sum(many), sum(large))
	first := m.preview.at(1e6).plus(m.first.at(1e6), 1)
	fmt.Fprintf(t, firstImport, sum(use(first)), first[writeUnits]/1e6)
	writeConnector(t)
}

const connectorHead = `
## A connector

An instance that has nothing to do asks every 15 seconds: %d times a month. Its requests were counted
from the code (` + "`importer.Desk`" + `), not measured:

| for each request | | dollars a month |
| --- | --- | ---: |
`

const connectorEnd = `
While it reads it asks every five seconds, and while somebody waits on the page every second: an hour a
day of the one adds 8 %%, of the other 58 %%. CloudFront's requests, which are in none of these tables, cost
another %.2f dollars beyond its free tier. What is read passes through it as well: a million entries with a
mail address and an id are 20 MB, and so 0.04 cents at 2 cents a GB.
`

// writeConnector writes what it costs that a connector asks for work.
func writeConnector(t *bytes.Buffer) {
	const polls, million = hours * 3600 / 15, 1e6
	fmt.Fprintf(t, connectorHead, polls)
	all := 0.0
	for _, part := range []struct {
		what, counted string
		dollars       float64
	}{
		{"API Gateway", "1 request", perMillionHTTP / million},
		{"Lambda", "1 request, 15 ms of 512 MB", perMillionLambdas/million + 0.015*0.5*perGBSecond},
		{"DynamoDB: reads", "3 read units: the name of the key, the connector to check the signature, and again " +
			"to give work", 3 * perMillionReadUnits / million},
		{"DynamoDB: writes", "2 write units: 1 for the number that counts once, and at every second request 2 for " +
			"when it was seen", 2 * perMillionWriteUnits / million},
		{"Logs", "1 KB: of API Gateway, Lambda and the function", perLogGB / million},
	} {
		fmt.Fprintf(t, "| %s | %s | %.2f |\n", part.what, part.counted, polls*part.dollars)
		all += polls * part.dollars
	}
	fmt.Fprintf(t, "| **together** | | **%.2f** |\n", all)
	fmt.Fprintf(t, connectorEnd, polls*1.0/million)
}
