package planfile_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/user"
)

// facetsOf stores a row for each key and returns the plan's facets.
func facetsOf(t *testing.T, keys []string) *planfile.Facets {
	t.Helper()
	rows := make([]plan.Row, len(keys))
	for i, key := range keys {
		rows[i] = plan.Row{Key: key, Address: key, Kind: user.Primary, Type: user.TypeUser, Change: plan.Create}
	}
	slices.SortFunc(rows, func(a, b plan.Row) int { return cmp.Compare(a.Key, b.Key) })
	return open(t, write(t, rows)).Meta().Facets
}

// TestFacetsCountTheRowsThatTheirFilterFinds holds each value's count against the list with that filter.
func TestFacetsCountTheRowsThatTheirFilterFinds(t *testing.T) {
	t.Parallel()
	rows := makeRows(2000)
	r := open(t, write(t, rows))
	facets := r.Meta().Facets
	total := 0
	for _, v := range facets.Types {
		total += v.Count
		if n := len(collect(t, r, planfile.Filter{Types: []user.Type{user.Type(v.Value)}})); n != v.Count {
			t.Errorf("type %+v, and its filter finds %d", v, n)
		}
	}
	for _, v := range facets.Reasons {
		if n := len(collect(t, r, planfile.Filter{Reasons: []string{v.Value}})); n != v.Count {
			t.Errorf("reason %+v, and its filter finds %d", v, n)
		}
	}
	for _, v := range facets.Domains {
		if n := len(collect(t, r, planfile.Filter{Domains: []string{v.Value}})); n != v.Count {
			t.Errorf("domain %+v, and its filter finds %d", v, n)
		}
	}
	if len(facets.Types) != 2 || len(facets.Reasons) != 3 || len(facets.Domains) != 1 || total == 0 {
		t.Errorf("facets %+v", facets)
	}
}

func TestFacetsHaveTheFiftyMostFrequent(t *testing.T) {
	t.Parallel()
	var keys []string
	var want []planfile.Value
	for d := range 60 {
		domain := fmt.Sprintf("d%02d.example", d)
		for i := range 100 - d {
			keys = append(keys, fmt.Sprintf("u%03d@%s", i, domain))
		}
		if d < 50 {
			want = append(want, planfile.Value{Value: domain, Count: 100 - d})
		}
	}
	// Nobody can ask for what is no domain.
	for i := range 200 {
		keys = append(keys, fmt.Sprint("no address ", i), fmt.Sprintf("u%d@no domain", i))
	}
	if diff := gocmp.Diff(want, facetsOf(t, keys).Domains); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}

// TestTheFacetsOfManyDomainsAreNearlyRight has more domains than are counted exactly.
func TestTheFacetsOfManyDomainsAreNearlyRight(t *testing.T) {
	t.Parallel()
	const many, frequent = 50_000, 3
	var keys []string
	for i := range many {
		keys = append(keys, fmt.Sprintf("u%05d@d%05d.example", i, i))
		for f := range frequent {
			keys = append(keys, fmt.Sprintf("u%05d@frequent%d.example", i, f))
		}
	}
	domains := facetsOf(t, keys).Domains
	most := len(keys) / 10_000
	for i, v := range domains[:frequent] {
		if v.Value[:8] != "frequent" || v.Count > many || v.Count < many-most {
			t.Errorf("domain %d is %+v, want a frequent one with %d, or up to %d less", i, v, many, most)
		}
	}
}

func TestAPrefixIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	rows := makeRows(60_000)
	r := open(t, write(t, rows))
	f := planfile.Filter{Prefix: "user005999", Kinds: []user.Kind{user.Primary}}
	want := expected(rows, func(row *plan.Row) bool {
		return bytes.HasPrefix([]byte(row.Key), []byte(f.Prefix)) && row.Kind == user.Primary
	})
	page, err := r.Page(t.Context(), f, "", 1000)
	if err != nil || page.Scanned != len(want) || page.Next != "" {
		t.Errorf("%d rows were looked at for %d, next %q, error %v", page.Scanned, len(want), page.Next, err)
	}
	if diff := gocmp.Diff(want, pages(t, r, f, 3)); diff != "" || len(want) != 10 {
		t.Errorf("%d rows (-want +got):\n%.1000s", len(want), diff)
	}
}
