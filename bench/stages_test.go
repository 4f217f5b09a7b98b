package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"runtime"
	"testing"
	"time"

	"rollcall/local/demo/ldif"
	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/planfile/userlist"
	"rollcall/shared/settings"
	"rollcall/shared/user"
	"rollcall/shared/usercsv"
)

// stageEntries is how many entries the stages get; each benchmark says what it needs for one.
const stageEntries = 20_000

// entries returns a company as the directory reader yields it.
func entries(b *testing.B) (list []directory.Entry, rules *extract.Rules) {
	b.Helper()
	rules, err := extract.NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		b.Fatal(err)
	}
	for e := range company(stageEntries) {
		if len(e.Get("mail")) == 0 {
			continue
		}
		list = append(list, asked(e, rules.Attributes()))
	}
	return list, rules
}

// asked is an entry with the attributes that a search asks for.
func asked(e *ldif.Entry, names []string) directory.Entry {
	out := directory.Entry{DN: []byte(e.DN)}
	for _, name := range names {
		var values [][]byte
		for _, v := range e.Get(name) {
			values = append(values, []byte(v))
		}
		if len(values) > 0 {
			out.Attributes = append(out.Attributes, directory.Attribute{Name: name, Values: values})
		}
	}
	return out
}

func collect(list []directory.Entry, rules *extract.Rules) *extract.Collector {
	c := extract.NewCollector(rules)
	for i := range list {
		c.Add(&list[i])
	}
	return c
}

// build plans what was found against the stored users and calls emit for each row.
func build(b *testing.B, found *extract.Result, stored *userlist.List, emit func(*plan.Row) error) {
	b.Helper()
	desired := plan.Desired{Entries: found.Entries(), Claims: found.Claims, Skipped: found.Skipped}
	if _, err := plan.Build(desired, stored.Walk, plan.Policy{DirectoryID: "dc=example,dc=com"}, emit); err != nil {
		b.Fatal(err)
	}
}

// primaries returns the users that a sync of the primary addresses alone would have stored.
func primaries(b *testing.B, found *extract.Result) *userlist.List {
	b.Helper()
	list := new(userlist.List)
	build(b, found, list, func(row *plan.Row) error {
		if row.Kind == user.Primary {
			list.Append(row.After)
		}
		return nil
	})
	return list
}

func perEntry(b *testing.B, cpu0 time.Duration) {
	b.Helper()
	b.ReportMetric(float64((processTime()-cpu0).Nanoseconds())/float64(b.N)/stageEntries, "cpu-ns/entry")
}

func BenchmarkExtract(b *testing.B) {
	list, rules := entries(b)
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		collect(list, rules)
	}
	perEntry(b, used)
}

func BenchmarkExtractAndSort(b *testing.B) {
	list, rules := entries(b)
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		collect(list, rules).Result()
	}
	perEntry(b, used)
}

func BenchmarkPlan(b *testing.B) {
	list, rules := entries(b)
	found := collect(list, rules).Result()
	stored := primaries(b, found)
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		build(b, found, stored, func(*plan.Row) error { return nil })
	}
	perEntry(b, used)
}

func BenchmarkPlanAndStore(b *testing.B) {
	list, rules := entries(b)
	found := collect(list, rules).Result()
	stored := primaries(b, found)
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		w := planfile.NewWriter(io.Discard)
		build(b, found, stored, w.Add)
		if err := w.Close(planfile.Meta{}); err != nil {
			b.Fatal(err)
		}
	}
	perEntry(b, used)
}

// BenchmarkExport prints a stored plan as CSV, but for the file: the rows merged from their sections, printed and
// hashed.
func BenchmarkExport(b *testing.B) {
	list, rules := entries(b)
	found := collect(list, rules).Result()
	var stored bytes.Buffer
	w := planfile.NewWriter(&stored)
	build(b, found, new(userlist.List), w.Add)
	if err := w.Close(planfile.Meta{}); err != nil {
		b.Fatal(err)
	}
	plan, err := planfile.Open(bytes.NewReader(stored.Bytes()), int64(stored.Len()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		out := usercsv.NewWriter(io.MultiWriter(io.Discard, sha256.New()))
		for row, err := range plan.Rows(b.Context(), planfile.Filter{WithoutUsers: true}) {
			if err == nil {
				err = out.Row(&row.Row)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := out.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	perEntry(b, used)
}

// renamedEntries is how many entries BenchmarkPlanOfRenames has: what a plan keeps is little beside what a benchmark of
// fewer needs for itself.
const renamedEntries = 200_000

// BenchmarkPlanOfRenames plans against a list in which every entry had another primary address, and measures what the
// plan itself keeps in memory, beside the directory's addresses and the list.
func BenchmarkPlanOfRenames(b *testing.B) {
	rules, err := extract.NewRules(settings.Exchange, settings.Advanced{})
	if err != nil {
		b.Fatal(err)
	}
	collector := extract.NewCollector(rules)
	for e := range company(renamedEntries) {
		entry := asked(e, rules.Attributes())
		collector.Add(&entry)
	}
	found := collector.Result()
	// A "0" before each address: it is another one, and the order stays.
	stored := new(userlist.List)
	build(b, found, stored, func(row *plan.Row) error {
		if row.Kind == user.Primary && row.After != nil {
			former := *row.After
			former.Key, former.Address = "0"+former.Key, "0"+former.Address
			former.PrimaryAddress = former.Address
			stored.Append(&former)
		}
		return nil
	})
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before, kept := heap(), 0.0
	b.ReportAllocs()
	used := processTime()
	for b.Loop() {
		rows := 0
		build(b, found, stored, func(*plan.Row) error {
			if rows++; kept == 0 && rows == 1 {
				kept = heap() - before
			}
			return nil
		})
	}
	b.ReportMetric(kept/renamedEntries, "kept-B/entry")
	b.ReportMetric(float64((processTime()-used).Nanoseconds())/float64(b.N)/renamedEntries, "cpu-ns/entry")
	runtime.KeepAlive(found)
	runtime.KeepAlive(stored)
}
