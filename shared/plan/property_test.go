package plan_test

import (
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// drawClaims draws entries over a few addresses, so that entries often claim the same one.
func drawClaims(t *rapid.T) []address.Claim {
	addresses := rapid.SampledFrom([]string{"a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@y.org", "f@y.org"})
	var claims []address.Claim
	for i := range rapid.IntRange(0, 5).Draw(t, "entries") {
		own := rapid.SliceOfNDistinct(addresses, 1, 4, rapid.ID).Draw(t, "addresses")
		primary := claim(own[0], fmt.Sprint(i))
		primary.Inferred = rapid.Bool().Draw(t, "inferred")
		claims = append(claims, primary)
		for _, a := range own[1:] {
			alias := aliasOf(primary, a)
			alias.Inferred = primary.Inferred && rapid.Bool().Draw(t, "may be the primary")
			claims = append(claims, alias)
		}
	}
	return claims
}

func drawUsers(t *rapid.T) []user.User {
	addresses := []string{"a@x.org", "b@x.org", "c@x.org", "d@x.org", "g@y.org", "h@y.org"}
	keys := rapid.SliceOfDistinct(rapid.SampledFrom(addresses), rapid.ID).
		Draw(t, "stored")
	users := make([]user.User, 0, len(keys))
	for i, key := range keys {
		u := claimUser(key)
		u.SourceID = fmt.Sprint(rapid.IntRange(0, 6).Draw(t, "owner"))
		if i > 0 && rapid.Bool().Draw(t, "alias") {
			u.Kind, u.PrimaryAddress = user.Alias, keys[0]
		} else if rapid.Bool().Draw(t, "daily") {
			u.HeldSpamReport = user.ReportDaily
		}
		u.Protected = rapid.IntRange(0, 3).Draw(t, "protected") == 0
		if rapid.IntRange(0, 3).Draw(t, "manual") == 0 {
			manual(&u)
		}
		users = append(users, u)
	}
	return users
}

// apply does what a sync would do, with Remove Accounts where remove says so.
func apply(stored []user.User, rows []plan.Row, remove bool) []user.User {
	byKey := make(map[string]user.User)
	for _, u := range stored {
		byKey[u.Key] = u
	}
	for _, r := range rows {
		switch r.Change {
		case plan.Create, plan.Update:
			byKey[r.Key] = *r.After
		case plan.Delete:
			if remove {
				delete(byKey, r.Key)
			}
		}
	}
	out := make([]user.User, 0, len(byKey))
	for _, u := range byKey {
		out = append(out, u)
	}
	return out
}

func TestPropertyAfterApplyThePlanIsEmpty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		stored := drawUsers(r)
		remove := rapid.Bool().Draw(r, "remove")
		// Directories that come one after another, with the same entries, swap primaries, rename entries and make
		// primaries of aliases.
		for range rapid.IntRange(1, 3).Draw(r, "directories") {
			claims := drawClaims(r)
			rows, _ := build(t, claims, nil, stored)
			after := apply(stored, rows, remove)
			again, result := build(t, claims, nil, after)
			if s := result.Summary; s.Create+s.Update > 0 || remove && s.Delete > 0 {
				r.Fatalf(
					"the second plan writes again:\nclaims %+v\nstored %+v\nfirst %+v\nsecond %+v", claims, stored,
					outcomes(rows), outcomes(again),
				)
			}
			stored = after
		}
	})
}

// TestPropertyUndoRestores takes back what a sync of any plan did.
func TestPropertyUndoRestores(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		stored := drawUsers(r)
		rows, _ := build(t, drawClaims(r), nil, stored)
		var applied []plan.Row
		for i := range rows {
			if rows[i].After != nil {
				rows[i].After.LastRunID = "run"
			}
			if rows[i].Change != plan.Unchanged && rows[i].Change != plan.Skipped {
				applied = append(applied, rows[i])
			}
		}
		after := apply(stored, rows, true)
		sortUsers(after)
		var undo []plan.Row
		result, err := plan.Invert(slices.Values(applied), lent(after), func(row *plan.Row) error {
			undo = append(undo, copyRow(*row))
			return nil
		})
		if err != nil || result.Summary.Conflicts > 0 {
			r.Fatalf("%d conflicts, %v", result.Summary.Conflicts, err)
		}
		got := apply(after, undo, true)
		sortUsers(got)
		sortUsers(stored)
		if diff := gocmp.Diff(stored, got); diff != "" {
			r.Fatalf("users (-before the sync +after its undo):\n%s", diff)
		}
	})
}

// TestPropertyNoPrimaryIsLostToAnAlias holds that whoever has a primary of its own gets it, unless another primary has
// it or the user is protected.
func TestPropertyNoPrimaryIsLostToAnAlias(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		claims, stored := drawClaims(r), drawUsers(r)
		rows, _ := build(t, claims, nil, stored)
		kept := make(map[string]plan.Row)
		for _, row := range rows {
			if row.Change != plan.Skipped && row.Change != plan.Delete {
				kept[row.Key] = row
			}
		}
		for _, c := range claims {
			if row := kept[c.Key]; c.Kind == user.Primary && !c.Inferred && row.Kind != user.Primary &&
				row.Reason != plan.ReasonProtected {
				r.Fatalf("%s is the primary of %s, and its row is %+v", c.Key, c.DN, row)
			}
		}
	})
}

func TestPropertyEveryUserHasOneRowAndProtectedOnesStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		claims, stored := drawClaims(r), drawUsers(r)
		rows, _ := build(t, claims, nil, stored)
		seen := make(map[string]int)
		claimed := 0
		last := ""
		for _, row := range rows {
			if row.Key < last {
				r.Fatalf("%s comes after %s", row.Key, last)
			}
			last = row.Key
			if row.Change == plan.Skipped {
				claimed++
				continue
			}
			seen[row.Key]++
			if row.Before != nil && row.Before.Protected && row.Change != plan.Unchanged {
				r.Fatalf("protected user %s: %s", row.Key, row.Change)
			}
			if row.Change == plan.Update && row.After.Kind == user.Primary && row.Before.Kind == user.Primary &&
				row.Before.SourceID == row.After.SourceID && row.Before.HeldSpamReport != row.After.HeldSpamReport {
				r.Fatalf("the report of %s changed: %+v", row.Key, row)
			}
		}
		for _, u := range stored {
			if seen[u.Key] != 1 {
				r.Fatalf("stored user %s has %d rows", u.Key, seen[u.Key])
			}
		}
		// Nothing is dropped: every claim is a row of its own, or a skipped one.
		accepted := 0
		for _, row := range rows {
			if row.Change != plan.Skipped && row.Change != plan.Delete && hasClaim(claims, row.Key) {
				accepted++
			}
		}
		if accepted+claimed != len(claims) {
			r.Fatalf("%d claims, but %d accepted and %d skipped", len(claims), accepted, claimed)
		}
	})
}

func hasClaim(claims []address.Claim, key string) bool {
	for _, c := range claims {
		if c.Key == key {
			return true
		}
	}
	return false
}

func TestPropertyTheSameInputGivesTheSamePlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		claims, stored := drawClaims(r), drawUsers(r)
		one, first := build(t, claims, nil, stored)
		two, second := build(t, claims, nil, stored)
		if diff := gocmp.Diff(one, two) + gocmp.Diff(first, second); diff != "" {
			r.Fatal(diff)
		}
	})
}
