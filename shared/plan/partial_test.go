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

// rowsOf plans with a policy and returns each row in short.
func rowsOf(t *testing.T, policy plan.Policy, claims []address.Claim, stored ...user.User) []string {
	t.Helper()
	sortClaims(claims)
	sortUsers(stored)
	policy.DirectoryID = directoryID
	var rows []string
	_, err := plan.Build(plan.Desired{Claims: walk(claims), Skipped: walk([]address.Skipped{})}, lent(stored), policy,
		func(r *plan.Row) error {
			line := fmt.Sprintf("%s %s %s", r.Key, r.Change, r.Reason)
			if r.After != nil {
				line += fmt.Sprintf("%s of %s, %s", r.After.Kind, r.After.SourceID, r.After.HeldSpamReport)
			}
			if r.New {
				line += ", new"
			}
			rows = append(rows, line)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestAPartialReadOnlyAddsAndUpdates(t *testing.T) {
	t.Parallel()
	ann, bob, carl := claim("ann@x.org", "ann"), claim("bob@x.org", "bob"), claim("carl@x.org", "carl")
	moved := ann
	moved.DN = "cn=ann,ou=elsewhere"
	for name, c := range map[string]struct {
		claims []address.Claim
		stored []user.User
		want   []string
	}{
		"a new address, and nothing of whom it does not name": {
			claims: []address.Claim{ann}, stored: []user.User{imported(bob)},
			want: []string{"ann@x.org create primary of ann, off, new"},
		},
		"an own address": {
			claims: []address.Claim{moved}, stored: []user.User{with(imported(ann), daily)},
			want: []string{"ann@x.org update primary of ann, daily"},
		},
		"an address that is as it was": {
			claims: []address.Claim{ann}, stored: []user.User{imported(ann)},
			want: []string{"ann@x.org unchanged "},
		},
		"another's address": {
			claims: []address.Claim{aliasOf(ann, "bob@x.org"), ann}, stored: []user.User{imported(bob), imported(ann)},
			want: []string{"ann@x.org unchanged ", "bob@x.org skipped waits for a full sync"},
		},
		"a user added by hand": {
			claims: []address.Claim{carl}, stored: []user.User{with(imported(carl), manual)},
			want: []string{"carl@x.org skipped waits for a full sync"},
		},
		"primary and alias trade places": {
			claims: []address.Claim{bob, aliasOf(bob, "old@x.org")},
			stored: []user.User{
				imported(claim("old@x.org", "bob")), imported(aliasOf(claim("old@x.org", "bob"), "bob@x.org")),
			},
			want: []string{"bob@x.org skipped waits for a full sync", "old@x.org skipped waits for a full sync"},
		},
		"a new primary has what the one before had": {
			claims: []address.Claim{bob, aliasOf(bob, "old@x.org")},
			stored: []user.User{with(imported(claim("old@x.org", "bob")), daily)},
			want:   []string{"bob@x.org create primary of bob, daily", "old@x.org skipped waits for a full sync"},
		},
		"a protected user": {
			claims: []address.Claim{moved}, stored: []user.User{with(imported(ann), protected)},
			want: []string{"ann@x.org unchanged protected"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(c.want, rowsOf(t, plan.Policy{Partial: true}, c.claims, c.stored...)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWholeReadDecidesAnewAboutWhatPartialOnesBrought(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	looked := func(u *user.User) { u.CreatedAt, u.LastRunID = since, "01J" }
	byHand := func(u *user.User) { u.CreatedAt = since }
	ann, bob := claim("ann@x.org", "ann"), claim("bob@x.org", "bob")
	renamed := claim("b.new@x.org", "bob")
	for name, c := range map[string]struct {
		claims []address.Claim
		stored []user.User
		want   []string
	}{
		"a primary's claim comes before the alias that was seen first": {
			claims: []address.Claim{ann, bob, aliasOf(ann, "bob@x.org")},
			stored: []user.User{imported(ann), with(imported(aliasOf(ann, "bob@x.org")), looked)},
			want: []string{
				"ann@x.org unchanged ", "bob@x.org create primary of bob, off, new", "bob@x.org skipped duplicate",
			},
		},
		"a renamed person has the former primary's report": {
			claims: []address.Claim{renamed},
			stored: []user.User{with(imported(bob), daily), with(imported(renamed), looked)},
			want:   []string{"b.new@x.org update primary of bob, daily", "bob@x.org delete not in the directory"},
		},
		"unless somebody chose another one by hand": {
			claims: []address.Claim{renamed},
			stored: []user.User{with(imported(bob), daily), with(imported(renamed), byHand)},
			want:   []string{"b.new@x.org unchanged ", "bob@x.org delete not in the directory"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rowsOf(t, plan.Policy{NewSince: since.UnixMilli()}, c.claims, c.stored...)
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}
