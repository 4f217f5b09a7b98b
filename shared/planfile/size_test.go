package planfile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/user"
)

// lambdaAnswer is the most that a Lambda function can answer, in bytes.
const lambdaAnswer = 6 << 20

// TestPagesFitAnAnswer reads pages of 1,000 rows whose values are as long as a directory makes them.
func TestPagesFitAnAnswer(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]string{
		"plain": strings.Repeat("x", 8<<10), "quotes": strings.Repeat(`"\`, 4<<10),
		"control characters": strings.Repeat("\x01", 8<<10),
		"wide characters":    strings.Repeat("日", 3<<10), "not UTF-8": strings.Repeat("\xff", 8<<10),
		"markup": strings.Repeat("<&>", 3<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var rows []plan.Row
			for i := range 700 {
				key := fmt.Sprintf("%06d", i)
				row := plan.Row{Key: key, Address: key, Kind: user.Primary, Type: user.TypeUser, DN: long}
				row.Change = plan.Create
				if i%3 == 0 {
					row.Key, row.Address, row.Change, row.Kind, row.DN = key+long, key+long, plan.Skipped, "", key
				}
				rows = append(rows, row)
			}
			r := open(t, write(t, rows))
			var got []plan.Row
			for cursor, first := "", true; first || cursor != ""; first = false {
				page, err := r.Page(t.Context(), planfile.Filter{}, cursor, 1000)
				if err != nil {
					t.Fatal(err)
				}
				size := answer(t, page)
				if size > lambdaAnswer || len(page.Rows) == 0 || len(page.Next) > 100 {
					t.Fatalf("a page of %d rows has %d bytes, and its cursor %d", len(page.Rows), size, len(page.Next))
				}
				for i := range page.Rows {
					got = append(got, page.Rows[i].Row)
				}
				cursor = page.Next
			}
			if !reflect.DeepEqual(rows, got) {
				t.Errorf("%d rows were read, and not as the %d that were written", len(got), len(rows))
			}
		})
	}
}

// answer is the length of a function's answer with a page.
func answer(t *testing.T, page planfile.Page) int {
	t.Helper()
	encoded := func(value any) string {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	return len(encoded(encoded(page)))
}
