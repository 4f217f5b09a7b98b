package plan_test

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// TestBuildSwapsPrimaries holds that entries that swap their primaries both keep one, with their reports.
func TestBuildSwapsPrimaries(t *testing.T) {
	t.Parallel()
	ann, bob := claim("a@example.com", "1"), claim("b@example.com", "2")
	annNow, bobNow := claim("b@example.com", "1"), claim("a@example.com", "2")
	stored := []user.User{with(imported(ann), daily), imported(bob)}
	for name, claims := range map[string][]address.Claim{
		"and keep no alias": {annNow, bobNow},
		"and keep theirs as aliases": {
			annNow, aliasOf(annNow, "a@example.com"), bobNow, aliasOf(bobNow, "b@example.com"),
		},
		"and one keeps its own": {annNow, aliasOf(annNow, "a@example.com"), bobNow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, result := build(t, claims, nil, stored)
			if result.Summary.Primary != 2 || result.Summary.Create+result.Summary.Delete > 0 {
				t.Errorf("%+v, want two primaries that are updated", result.Summary)
			}
			for _, row := range rows {
				if row.Change == plan.Skipped {
					continue
				}
				wantID, wantReport := "2", user.ReportOff
				if row.Key == "b@example.com" {
					wantID, wantReport = "1", user.ReportDaily
				}
				u := row.After
				if u == nil || row.New || u.Kind != user.Primary || u.SourceID != wantID ||
					u.HeldSpamReport != wantReport {
					t.Errorf("%s becomes %+v (new: %t), want the primary of %s with report %s", row.Key, u, row.New,
						wantID, wantReport)
				}
			}
		})
	}
}

// TestBuildKeepsThePrimaryChosenLast has an entry with two stored primaries, since removals are off unless somebody
// chooses them, and a directory that shows both again.
func TestBuildKeepsThePrimaryChosenLast(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	importedOn := func(created, written int) func(*user.User) {
		return func(u *user.User) {
			u.LastRunID = fmt.Sprint("run", written)
			u.CreatedAt, u.UpdatedAt = day.AddDate(0, 0, created), day.AddDate(0, 0, written)
			u.Version = u.CreatedAt.UnixMilli() + int64(written-created)
		}
	}
	byHand := func(before func(*user.User)) func(*user.User) {
		return func(u *user.User) {
			before(u)
			u.LastRunID, u.UpdatedAt = "", day.AddDate(0, 0, 99)
		}
	}
	x, y := claim("x@example.com", "1"), claim("y@example.com", "1")
	for name, test := range map[string]struct {
		x, y func(*user.User)
		want string
	}{
		"the one made last":                     {importedOn(1, 1), importedOn(2, 2), y.Key},
		"whatever the order":                    {importedOn(2, 2), importedOn(1, 1), x.Key},
		"the one that became it again":          {importedOn(1, 3), importedOn(2, 2), x.Key},
		"not the one edited by hand":            {byHand(importedOn(1, 1)), importedOn(2, 2), y.Key},
		"the one edited by hand, if made later": {byHand(importedOn(3, 3)), importedOn(2, 2), x.Key},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, first := range []address.Claim{x, y} {
				first.Inferred, first.InferredNote = true, "inferred"
				other := aliasOf(first, x.Key)
				if first.Key == x.Key {
					other = aliasOf(first, y.Key)
				}
				stored := []user.User{with(imported(x), test.x), with(imported(y), test.y)}
				rows, _ := build(t, []address.Claim{first, other}, nil, stored)
				for _, row := range rows {
					want := user.Alias
					if row.Key == test.want {
						want = user.Primary
					}
					noted := len(row.Notes) == 1
					if row.Kind != want || row.PrimaryAddress != test.want || noted != (want == user.Primary) {
						t.Errorf("%s is %s of %s with notes %q, want %s of %s", row.Key, row.Kind, row.PrimaryAddress,
							row.Notes, want, test.want)
					}
				}
			}
		})
	}
}

// TestBuildKeepsOnlyAPrimaryThatMayBeIt has a directory that marks two primaries, and the stored one as an alias.
func TestBuildKeepsOnlyAPrimaryThatMayBeIt(t *testing.T) {
	t.Parallel()
	first := claim("first@example.com", "1")
	first.Inferred = true
	second, former := aliasOf(first, "second@example.com"), aliasOf(first, "former@example.com")
	former.Inferred = false
	rows, _ := build(t, []address.Claim{first, second, former}, nil,
		[]user.User{with(imported(claim("former@example.com", "1")), daily)})
	for _, row := range rows {
		if row.PrimaryAddress != first.Key || (row.Kind == user.Primary) != (row.Key == first.Key) {
			t.Errorf("%s is %s of %s, want %s to be the primary", row.Key, row.Kind, row.PrimaryAddress, first.Key)
		}
		if row.Key == first.Key && row.After.HeldSpamReport != user.ReportDaily {
			t.Error("the entry lost its report")
		}
	}
}

// TestBuildMovesUsersOfVersion04 has a Users List of version 0.4, for which İlker and ilker were one user.
func TestBuildMovesUsersOfVersion04(t *testing.T) {
	t.Parallel()
	const formerKey, key, shown = "ilker@example.com", "i\u0307lker@example.com", "İlker@example.com"
	now := claim(key, "1")
	now.Address, now.PrimaryAddress = shown, shown
	before := with(imported(now), func(u *user.User) { u.Key = formerKey })
	other := claim(formerKey, "2")
	for name, test := range map[string]struct {
		claims  []address.Claim
		stored  user.User
		exclude []string
		want    []outcome
	}{
		"moves with the report": {[]address.Claim{now}, with(before, daily), nil, []outcome{
			{formerKey, plan.Delete, plan.ReasonFormerKey, false}, {key, plan.Create, "", false},
		}},
		"and leaves the key to whom it belongs": {[]address.Claim{now, other}, with(before, daily), nil, []outcome{
			{formerKey, plan.Update, "", false}, {key, plan.Create, "", false},
		}},
		"protected": {[]address.Claim{now}, with(before, protected), nil, []outcome{
			{formerKey, plan.Unchanged, plan.ReasonProtected, false}, {key, plan.Create, "", false},
		}},
		"excluded": {nil, before, []string{shown}, []outcome{
			{formerKey, plan.Unchanged, plan.ReasonExcluded, false},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, _ := build(t, test.claims, nil, []user.User{test.stored}, test.exclude...)
			if diff := gocmp.Diff(test.want, outcomes(rows)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			u := rows[len(rows)-1].After
			if u != nil && (u.HeldSpamReport != test.stored.HeldSpamReport || u.Protected != test.stored.Protected) {
				t.Errorf("stored %+v, becomes %+v: report and protection must move along", test.stored, u)
			}
		})
	}
}

func TestBuildKeepsReportAndProtectionThroughARename(t *testing.T) {
	t.Parallel()
	old := claim("ann.miller@example.com", "1")
	renamed := claim("ann.smith@example.com", "1")
	tests := map[string]struct {
		claims []address.Claim
		stored []user.User
		want   map[string]user.HeldSpamReport
	}{
		"the old address stays as an alias": {
			claims: []address.Claim{
				renamed, aliasOf(renamed, old.Key),
			}, stored: []user.User{with(imported(old), daily)},
			want: map[string]user.HeldSpamReport{old.Key: user.ReportOff, renamed.Key: user.ReportDaily},
		},
		"the old address goes": {
			claims: []address.Claim{renamed}, stored: []user.User{with(imported(old), daily)},
			want: map[string]user.HeldSpamReport{renamed.Key: user.ReportDaily},
		},
		"an alias becomes the primary": {
			claims: []address.Claim{renamed, aliasOf(renamed, old.Key)},
			stored: []user.User{with(imported(old), daily), imported(aliasOf(old, renamed.Key))},
			want:   map[string]user.HeldSpamReport{old.Key: user.ReportOff, renamed.Key: user.ReportDaily},
		},
		"a report that was off stays off": {
			claims: []address.Claim{renamed}, stored: []user.User{imported(old)},
			want: map[string]user.HeldSpamReport{renamed.Key: user.ReportOff},
		},
	}
	// Removals are off unless somebody chooses them, so that the primary of a first rename is still there at the
	// second.
	created := func(version int64) func(*user.User) { return func(u *user.User) { u.Version = version } }
	earlier, later := claim("zoe@example.com", "1"), claim("anna@example.com", "1")
	for name, stale := range map[string][2]address.Claim{
		"the last of two former primaries counts": {earlier, later}, "whatever their order": {later, earlier},
	} {
		tests[name] = struct {
			claims []address.Claim
			stored []user.User
			want   map[string]user.HeldSpamReport
		}{
			claims: []address.Claim{
				renamed,
			}, stored: []user.User{
				with(imported(stale[0]), created(1)), with(with(imported(stale[1]), daily), created(2)),
			},
			want: map[string]user.HeldSpamReport{renamed.Key: user.ReportDaily},
		}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, _ := build(t, test.claims, nil, test.stored)
			got := make(map[string]user.HeldSpamReport)
			for _, r := range rows {
				if r.After != nil {
					got[r.Key] = r.After.HeldSpamReport
				}
				if r.New {
					t.Errorf("%s counts as newly imported", r.Key)
				}
			}
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("protection moves along, and the protected old address stays", func(t *testing.T) {
		t.Parallel()
		rows, _ := build(t, []address.Claim{renamed}, nil, []user.User{with(with(imported(old), daily), protected)})
		want := []outcome{{old.Key, plan.Unchanged, plan.ReasonProtected, false}, {renamed.Key, plan.Create, "", false}}
		if diff := gocmp.Diff(want, outcomes(rows)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if !rows[1].After.Protected {
			t.Error("the new primary address lost its protection")
		}
	})
}

func TestBuildKeepsAnInferredPrimary(t *testing.T) {
	t.Parallel()
	infer := func(c address.Claim) address.Claim { c.Inferred = true; return c }
	first, second := claim("first@example.com", "1"), claim("second@example.com", "1")
	stored := []user.User{imported(first), imported(aliasOf(first, second.Key))}
	// The server gives the values in another order this time.
	rows, _ := build(t, []address.Claim{infer(second), infer(aliasOf(second, first.Key))}, nil, stored)
	want := []outcome{{first.Key, plan.Unchanged, "", false}, {second.Key, plan.Unchanged, "", false}}
	if diff := gocmp.Diff(want, outcomes(rows)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
