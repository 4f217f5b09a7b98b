package main

import (
	"bytes"
	"crypto/sha256"
	"io"
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
