package planfile_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

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
		if len(page.Rows) > limit || page.Next != "" && len(page.Rows) < limit && f.Q == "" && f.Primary == "" &&
			len(f.Reasons)+len(f.Domains) == 0 {
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
