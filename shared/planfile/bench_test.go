package planfile_test

import (
	"fmt"
	"testing"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
)

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
