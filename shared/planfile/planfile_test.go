package planfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/user"
)

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
		"a reason": {
			planfile.Filter{Reasons: []string{"duplicate", "no reason"}},
			func(r *plan.Row) bool { return r.Reason == plan.ReasonDuplicate },
		},
		"a domain": {
			planfile.Filter{Domains: []string{"example.com"}},
			func(r *plan.Row) bool { return strings.HasSuffix(r.Key, "@example.com") },
		},
		"a domain of nobody": {
			planfile.Filter{Domains: []string{"not an address"}}, func(*plan.Row) bool { return false },
		},
		"a prefix": {
			planfile.Filter{Prefix: "user00012"},
			func(r *plan.Row) bool { return strings.HasPrefix(r.Key, "user00012") },
		},
		"a prefix of a primary's rows": {
			planfile.Filter{Prefix: "alias", Primary: someone.PrimaryKey},
			func(r *plan.Row) bool {
				return r.PrimaryKey == someone.PrimaryKey && strings.HasPrefix(r.Key, "alias")
			},
		},
		"text in an address": {planfile.Filter{Q: "R00012"}, func(r *plan.Row) bool {
			return strings.Contains(strings.ToLower(r.Address+" "+r.PrimaryAddress), "r00012")
		}},
		"text in a DN": {
			planfile.Filter{Q: "ünïcode 12"},
			func(r *plan.Row) bool { return strings.Contains(strings.ToLower(r.DN), "ünïcode 12") },
		},
		"text in a reason": {
			planfile.Filter{Q: "DUPLIC"},
			func(r *plan.Row) bool { return r.Reason == plan.ReasonDuplicate },
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
		"another prefix": {planfile.Filter{Changes: []plan.Change{plan.Create}, Prefix: "a"}, page.Next},
		"another domain": {planfile.Filter{Changes: []plan.Change{plan.Create}, Domains: []string{"a"}}, page.Next},
		"another reason": {planfile.Filter{Changes: []plan.Change{plan.Create}, Reasons: []string{"a"}}, page.Next},
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
