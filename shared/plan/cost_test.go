package plan_test

import (
	"fmt"
	"testing"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// TestARowCostsNoAllocation is the budget of planning, which is exact: a plan of ten times the addresses, some new,
// some changed and most as they were, takes as many allocations. Those that are gone are as many in both: they are
// kept by their entry's id.
func TestARowCostsNoAllocation(t *testing.T) {
	allocations := func(n int) float64 {
		var claims []address.Claim
		var stored []user.User
		for i := range n {
			c := claim(fmt.Sprintf("u%06d@example.com", i), fmt.Sprint("id", i))
			u := imported(c)
			switch i % 10 {
			case 0:
				claims = append(claims, c)
			case 1:
				if stored = append(stored, u); i > 100 {
					claims = append(claims, c)
				}
			case 2:
				claims, stored = append(claims, c), append(stored, with(u, func(u *user.User) { u.DN = "cn=before" }))
			default:
				claims, stored = append(claims, c), append(stored, u)
			}
		}
		none := walk([]address.Skipped(nil))
		return testing.AllocsPerRun(5, func() {
			_, err := plan.Build(
				plan.Desired{Entries: n, Claims: walk(claims), Skipped: none}, walk(stored),
				plan.Policy{DirectoryID: directoryID}, func(*plan.Row) error { return nil },
			)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocations(200), allocations(2000); few != many {
		t.Errorf("a plan of 200 addresses costs %v allocations, one of 2,000 %v", few, many)
	}
}
