package planfile_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// makeRows makes n entries' rows: a primary each, an alias for most, and now and then something else. They are ordered
// by key, and skipped rows repeat keys.
func makeRows(n int) []plan.Row {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var rows []plan.Row
	for i := range n {
		primary := fmt.Sprintf("user%07d@example.com", i)
		stored := user.User{
			Key: primary, Address: "U" + primary[1:], Kind: user.Primary, PrimaryAddress: "U" + primary[1:],
			Type: user.TypeUser, Source: user.FromDirectory,
			DirectoryID: "dc=example,dc=com", SourceID: fmt.Sprint("id-", i),
			DN:             "CN=Ünïcode " + fmt.Sprint(i) + ",DC=example,DC=com",
			HeldSpamReport: user.ReportDaily, Protected: i%7 == 0, Version: int64(i) + 1, LastRunID: "01JRUN",
			CreatedAt: at, UpdatedAt: at.Add(time.Duration(i)),
		}
		row := plan.Row{
			Key: primary, Address: stored.Address, Kind: user.Primary, PrimaryAddress: stored.Address,
			PrimaryKey: primary, Type: user.TypeUser, DN: stored.DN,
		}
		switch random.IntN(6) {
		case 0:
			row.Change, row.Before, row.Reason = plan.Delete, &stored, plan.ReasonNotFound
		case 1:
			after := stored
			after.DN = "CN=Moved"
			row.Change, row.Before, row.After, row.DN = plan.Update, &stored, &after, after.DN
		case 2:
			row.Change, row.Before = plan.Unchanged, &stored
		default:
			after := stored
			after.Version, after.LastRunID, after.CreatedAt, after.UpdatedAt = 0, "", time.Time{}, time.Time{}
			row.Change, row.After, row.New = plan.Create, &after, true
		}
		rows = append(rows, row)
		for a := range random.IntN(3) {
			alias := row
			alias.Key = fmt.Sprintf("alias%d.%07d@example.com", a, random.IntN(n*10))
			alias.Address, alias.Kind, alias.Change = alias.Key, user.Alias, plan.Create
			alias.New, alias.Before = false, nil
			alias.After = &user.User{
				Key: alias.Key, Address: alias.Key, Kind: user.Alias, PrimaryAddress: row.PrimaryAddress,
				Type: user.TypeUser, HeldSpamReport: user.ReportOff,
			}
			rows = append(rows, alias)
		}
		if i%11 == 0 {
			rows = append(rows, plan.Row{
				Key: primary, Address: primary, Kind: user.Alias, Type: user.TypeGroup, Change: plan.Skipped,
				Reason: plan.ReasonDuplicate, DN: "CN=Group",
				Notes: []string{"also claimed by somebody", "needs SMTPUTF8"},
			})
		}
		if i%97 == 0 {
			rows = append(rows, plan.Row{
				Key: "not an address", Address: "not an address", Change: plan.Skipped, Reason: address.ReasonInvalid,
			})
		}
	}
	slices.SortStableFunc(rows, func(a, b plan.Row) int { return cmp.Compare(a.Key, b.Key) })
	return rows
}

// write stores rows, giving the writer's row memory that is used again, as a plan does.
func write(t testing.TB, rows []plan.Row) []byte {
	t.Helper()
	var out bytes.Buffer
	w := planfile.NewWriter(&out)
	for _, r := range rows {
		var before, after user.User
		if r.Before != nil {
			before = *r.Before
			r.Before = &before
		}
		if r.After != nil {
			after = *r.After
			r.After = &after
		}
		if err := w.Add(&r); err != nil {
			t.Fatal(err)
		}
		before, after = user.User{Key: "overwritten"}, user.User{Key: "overwritten"}
	}
	meta := planfile.Meta{Fingerprint: "f", Result: run.Result{Summary: run.Summary{Entries: len(rows)}}}
	if err := w.Close(meta); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t testing.TB, data []byte) *planfile.Reader {
	t.Helper()
	r, err := planfile.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func collect(t testing.TB, r *planfile.Reader, f planfile.Filter) []plan.Row {
	t.Helper()
	var rows []plan.Row
	for placed, err := range r.Rows(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, deepCopy(&placed.Row))
	}
	return rows
}

// deepCopy copies a row with its text, which is gone with the next one.
func deepCopy(row *plan.Row) plan.Row {
	data, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	var out plan.Row
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}

// pages reads all pages of a filter and checks that each, but for a search's, is full.
func pages(t *testing.T, r *planfile.Reader, f planfile.Filter, limit int) []plan.Row {
	t.Helper()
	var rows []plan.Row
	for cursor := ""; ; {
		page, err := r.Page(t.Context(), f, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Rows) > limit || page.Next != "" && len(page.Rows) < limit && f.Q == "" && f.Primary == "" {
			t.Fatalf("a page of %d rows, with next %t, at limit %d", len(page.Rows), page.Next != "", limit)
		}
		for _, p := range page.Rows {
			rows = append(rows, p.Row)
		}
		if cursor = page.Next; cursor == "" {
			return rows
		}
	}
}

// bySection orders rows as a plan file lists those with the same key.
func expected(rows []plan.Row, keep func(*plan.Row) bool) []plan.Row {
	var out []plan.Row
	for i := range rows {
		if keep(&rows[i]) {
			out = append(out, rows[i])
		}
	}
	rank := func(r plan.Row) int {
		kind := slices.Index(append(user.Kinds(), ""), r.Kind)
		return (slices.Index(plan.Changes(), r.Change)*3+kind)*8 + slices.Index(append(user.Types(), ""), r.Type)
	}
	slices.SortStableFunc(
		out, func(a, b plan.Row) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(rank(a), rank(b))) },
	)
	return out
}

func TestRowsAndPages(t *testing.T) {
	t.Parallel()
	rows := makeRows(3000)
	r := open(t, write(t, rows))
	if got := r.Meta(); got.Fingerprint != "f" || got.Result.Summary.Entries != len(rows) {
		t.Errorf("meta %+v", got)
	}
	someone := rows[slices.IndexFunc(rows, func(r plan.Row) bool {
		return r.Kind == user.Alias && r.Change == plan.Create
	})]
	tests := map[string]struct {
		filter planfile.Filter
		keep   func(*plan.Row) bool
	}{
		"all": {planfile.Filter{}, func(*plan.Row) bool { return true }},
		"one change": {
			planfile.Filter{Changes: []plan.Change{plan.Delete}},
			func(r *plan.Row) bool { return r.Change == plan.Delete },
		},
		"two changes": {
			planfile.Filter{Changes: []plan.Change{plan.Skipped, plan.Update}},
			func(r *plan.Row) bool { return r.Change == plan.Skipped || r.Change == plan.Update },
		},
		"a kind": {
			planfile.Filter{Kinds: []user.Kind{user.Alias}}, func(r *plan.Row) bool { return r.Kind == user.Alias },
		},
		"a type": {
			planfile.Filter{Types: []user.Type{user.TypeGroup}},
			func(r *plan.Row) bool { return r.Type == user.TypeGroup },
		},
		"a type of nobody": {
			planfile.Filter{Types: []user.Type{user.TypeResource}}, func(*plan.Row) bool { return false },
		},
		"a primary": {
			planfile.Filter{Primary: someone.PrimaryKey},
			func(r *plan.Row) bool { return r.PrimaryKey == someone.PrimaryKey },
		},
		"a primary's aliases": {
			planfile.Filter{Primary: someone.PrimaryKey, Kinds: []user.Kind{user.Alias}},
			func(r *plan.Row) bool {
				return r.PrimaryKey == someone.PrimaryKey && r.Kind == user.Alias
			},
		},
		"a primary of nobody": {planfile.Filter{Primary: "nobody@example.com"}, func(*plan.Row) bool { return false }},
		"text in an address": {planfile.Filter{Q: "R00012"}, func(r *plan.Row) bool {
			return strings.Contains(strings.ToLower(r.Address+" "+r.PrimaryAddress), "r00012")
		}},
		"text in a DN": {
			planfile.Filter{Q: "ünïcode 12"},
			func(r *plan.Row) bool { return strings.Contains(strings.ToLower(r.DN), "ünïcode 12") },
		},
		"a choice of ours": {
			planfile.Filter{Keep: func(r *planfile.PlacedRow) bool { return r.New }, KeepName: "new"},
			func(r *plan.Row) bool { return r.New },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := expected(rows, test.keep)
			if diff := gocmp.Diff(want, collect(t, r, test.filter)); diff != "" {
				t.Errorf("rows (-want +got):\n%.2000s", diff)
			}
			for _, limit := range []int{1, 7, 100, 1000} {
				if limit == 1 && len(want) > 500 {
					continue
				}
				if test.filter.Keep != nil && limit > 100 {
					continue
				}
				if diff := gocmp.Diff(want, pages(t, r, test.filter, limit)); diff != "" {
					t.Errorf("pages of %d (-want +got):\n%.2000s", limit, diff)
				}
			}
		})
	}
}

// TestRowsWithoutUsers reads the same rows as ever, but for their users.
func TestRowsWithoutUsers(t *testing.T) {
	t.Parallel()
	r := open(t, write(t, makeRows(1000)))
	next, stop := iter.Pull2(r.Rows(t.Context(), planfile.Filter{WithoutUsers: true}))
	defer stop()
	users := 0
	for want, err := range r.Rows(t.Context(), planfile.Filter{}) {
		got, gotErr, ok := next()
		if err != nil || gotErr != nil || !ok {
			t.Fatalf("errors %v and %v, a row %t", err, gotErr, ok)
		}
		if want.Before != nil || want.After != nil {
			users++
		}
		bare := *want
		bare.Before, bare.After = nil, nil
		if diff := gocmp.Diff(bare, *got, gocmp.AllowUnexported(planfile.PlacedRow{})); diff != "" {
			t.Fatalf("row %s (-want +got):\n%s", want.Key, diff)
		}
	}
	if _, _, more := next(); more || users == 0 {
		t.Errorf("more rows %t, and %d had users", more, users)
	}
}

func TestASearchGoesInBoundedSteps(t *testing.T) {
	t.Parallel()
	rows := makeRows(60_000)
	r := open(t, write(t, rows))
	first, err := r.Page(t.Context(), planfile.Filter{Q: "user0059999"}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Rows) != 0 || first.Next == "" {
		t.Errorf(
			"the first step of a search gave %d rows and next %q; want none and a next", len(first.Rows), first.Next,
		)
	}
	found := pages(t, r, planfile.Filter{Q: "user0059999"}, 10)
	want := expected(rows, func(r *plan.Row) bool {
		return strings.Contains(r.Key, "user0059999") ||
			strings.Contains(strings.ToLower(r.PrimaryAddress), "user0059999")
	})
	if diff := gocmp.Diff(want, found); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestCursorsBelongToTheirList(t *testing.T) {
	t.Parallel()
	r := open(t, write(t, makeRows(500)))
	page, err := r.Page(t.Context(), planfile.Filter{Changes: []plan.Change{plan.Create}}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]struct {
		filter planfile.Filter
		cursor string
	}{
		"another filter": {planfile.Filter{Changes: []plan.Change{plan.Delete}}, page.Next},
		"changed":        {planfile.Filter{Changes: []plan.Change{plan.Create}}, "A" + page.Next[1:]},
		"cut short":      {planfile.Filter{Changes: []plan.Change{plan.Create}}, page.Next[:len(page.Next)-2]},
		"not base64":     {planfile.Filter{Changes: []plan.Change{plan.Create}}, "***"},
	} {
		if _, err := r.Page(t.Context(), use.filter, use.cursor, 10); !errors.Is(err, planfile.ErrBadCursor) {
			t.Errorf("%s: error %v, want %v", name, err, planfile.ErrBadCursor)
		}
	}
}

func TestBatchesAreAppliedInOrderAndNumberedForGood(t *testing.T) {
	t.Parallel()
	rows := makeRows(2000)
	r := open(t, write(t, rows))
	changes := []plan.Change{plan.Create, plan.Update, plan.Delete}
	var all []planfile.Batch
	for b, err := range r.Batches(t.Context(), changes, 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	seen, last := 0, 0
	for _, b := range all {
		for _, row := range b.Rows {
			rank := slices.Index(changes, row.Change)
			if rank < last {
				t.Fatalf("a %s comes after a %s", row.Change, changes[last])
			}
			last = rank
			seen++
		}
	}
	for i := 1; i < len(all); i++ {
		if before, next := &all[i-1].Rows[0], &all[i].Rows[0]; before.Change == next.Change && before.Key > next.Key {
			t.Fatalf("a batch from %s on comes before one from %s on", before.Key, next.Key)
		}
	}
	if want := len(expected(rows, func(r *plan.Row) bool { return slices.Contains(changes, r.Change) })); seen != want {
		t.Errorf("%d rows in batches, want %d", seen, want)
	}
	middle := len(all) / 2
	for b, err := range r.Batches(t.Context(), changes, all[middle].Index) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(all[middle], b); diff != "" {
			t.Errorf("batch %d, read from there (-want +got):\n%.1000s", b.Index, diff)
		}
		break
	}
	// A page tells the same places as the batches.
	page, err := r.Page(t.Context(), planfile.Filter{Changes: changes}, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range page.Rows {
		p, place := &page.Rows[i], r.Position(&page.Rows[i])
		at := slices.IndexFunc(all, func(b planfile.Batch) bool { return b.Index == place.Batch })
		if at < 0 || all[at].Rows[place.Row].Key != p.Key {
			t.Fatalf("row %s is not at %+v", p.Key, place)
		}
	}
}

func TestRowsMustComeInOrder(t *testing.T) {
	t.Parallel()
	w := planfile.NewWriter(new(bytes.Buffer))
	if err := w.Add(&plan.Row{Key: "b", Change: plan.Create}); err != nil {
		t.Fatal(err)
	}
	if w.Add(&plan.Row{Key: "a", Change: plan.Create}) == nil || w.Close(planfile.Meta{}) == nil {
		t.Error("rows out of order made a plan file")
	}
}

func TestDamageIsAnError(t *testing.T) {
	t.Parallel()
	data := write(t, makeRows(300))
	for _, at := range []int{0, len(data) / 3, len(data) / 2, len(data) - 60, len(data) - 10, len(data) - 1} {
		broken := bytes.Clone(data)
		broken[at] ^= 0x40
		if err := readAll(broken); err == nil {
			t.Errorf("byte %d of %d was changed, and nobody noticed", at, len(data))
		}
	}
	for _, length := range []int{0, 10, len(data) / 2, len(data) - 1} {
		if readAll(data[:length]) == nil {
			t.Errorf("cut to %d of %d bytes, and nobody noticed", length, len(data))
		}
	}
}

func readAll(data []byte) error {
	r, err := planfile.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, err := range r.Rows(context.Background(), planfile.Filter{}) {
		if err != nil {
			return err
		}
	}
	_, err = r.Page(context.Background(), planfile.Filter{Primary: "user0000001@example.com"}, "", 10)
	return err
}

func FuzzOpen(f *testing.F) {
	data := write(f, makeRows(2))
	f.Add(data)
	f.Add(data[len(data)/2:])
	f.Fuzz(func(_ *testing.T, data []byte) { _ = readAll(data) })
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	var o, back planfile.Outcomes
	places := []planfile.Position{{Batch: 0, Row: 3}, {Batch: 5, Row: 0}, {Batch: 70_000, Row: 255}}
	for _, p := range places {
		o.Add(p)
	}
	var out bytes.Buffer
	if err := o.Encode(&out); err != nil {
		t.Fatal(err)
	}
	if err := back.Decode(bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		if !back.Has(p) {
			t.Errorf("%+v is lost", p)
		}
	}
	if back.Len() != len(places) || back.Has(planfile.Position{Batch: 1}) {
		t.Errorf("%d places came back, want %d", back.Len(), len(places))
	}
	if err := back.Decode(bytes.NewReader(out.Bytes()[:out.Len()-1]), int64(out.Len()-1)); err == nil {
		t.Error("outcomes cut short were read")
	}
}

func BenchmarkWrite(b *testing.B) {
	rows := makeRows(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		w := planfile.NewWriter(&discard{})
		for i := range rows {
			if err := w.Add(&rows[i]); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(planfile.Meta{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkPage reads a page as a request does, the opening of the stored plan included, from plans of 1,000 and of
// 1,000,000 rows.
func BenchmarkPage(b *testing.B) {
	for _, entries := range []int{500, 500_000} {
		data := write(b, makeRows(entries))
		for name, f := range map[string]planfile.Filter{
			"all": {}, "create": {Changes: []plan.Change{plan.Create}},
			"skipped": {Changes: []plan.Change{plan.Skipped}}, "primary": {Primary: "user0000400@example.com"},
		} {
			b.Run(fmt.Sprintf("%d entries/%s", entries, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := open(b, data).Page(b.Context(), f, "", 100); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestLongRowsMakeShortBlocks writes rows with values as long as a directory may send: a reader takes no block beyond
// a length, and a worker has memory for a few.
func TestLongRowsMakeShortBlocks(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	w := planfile.NewWriter(&buf)
	long := "CN=" + strings.Repeat("x", 1<<20)
	const count = 40
	for i := range count {
		key := fmt.Sprintf("a%02d@example.com", i)
		row := plan.Row{
			Key: key, Address: key, Kind: user.Primary, PrimaryAddress: key, PrimaryKey: key, Type: user.TypeUser,
			DN: long, Change: plan.Create, After: &user.User{Key: key},
		}
		if err := w.Add(&row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(planfile.Meta{}); err != nil {
		t.Fatal(err)
	}
	r, err := planfile.Open(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for batch, err := range r.Batches(t.Context(), plan.Changes(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Rows) > 8 {
			t.Errorf("a batch has %d rows of a megabyte each", len(batch.Rows))
		}
		rows += len(batch.Rows)
	}
	if rows != count {
		t.Errorf("%d rows, want %d", rows, count)
	}
}
