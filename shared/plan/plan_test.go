package plan_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

const directoryID = "dc=example,dc=com"

// claim is an entry's claim to its own primary address.
func claim(key, id string) address.Claim {
	return address.Claim{
		Key: key, Address: key, Kind: user.Primary, PrimaryAddress: key, PrimaryKey: key, Type: user.TypeUser,
		SourceID: id, DN: "cn=" + id, SortDN: "cn=" + id,
	}
}

// aliasOf is an entry's claim to another address.
func aliasOf(primary address.Claim, key string) address.Claim {
	c := primary
	c.Key, c.Address, c.Kind = key, key, user.Alias
	return c
}

// imported is the user that a claim becomes.
func imported(c address.Claim) user.User {
	return user.User{
		Key: c.Key, Address: c.Address, Kind: c.Kind, PrimaryAddress: c.PrimaryAddress, Type: c.Type,
		Source:      user.FromDirectory,
		DirectoryID: directoryID, SourceID: c.SourceID, DN: c.DN, HeldSpamReport: user.ReportOff, Version: 1,
	}
}

func with(u user.User, change func(*user.User)) user.User {
	change(&u)
	return u
}

func daily(u *user.User)     { u.HeldSpamReport = user.ReportDaily }
func protected(u *user.User) { u.Protected = true }
func manual(u *user.User) {
	u.Source, u.DirectoryID, u.SourceID, u.DN = user.Manual, "", "", ""
}

// walk begins a list. It hands out one value's memory again and again, so that whoever keeps one is found out.
func walk[T any](list []T) plan.Walk[T] {
	return func() func() *T {
		rest := list
		var lent, none T
		return func() *T {
			lent = none
			if len(rest) == 0 {
				return nil
			}
			lent, rest = rest[0], rest[1:]
			return &lent
		}
	}
}

// build runs Build on unordered lists and copies its rows.
func build(
	t *testing.T, claims []address.Claim, skipped []address.Skipped, stored []user.User, exclude ...string,
) ([]plan.Row, run.Result) {
	t.Helper()
	patterns, err := address.ParsePatterns(exclude)
	if err != nil {
		t.Fatal(err)
	}
	claims, stored = slices.Clone(claims), slices.Clone(stored)
	sortClaims(claims)
	sortUsers(stored)
	var rows []plan.Row
	result, err := plan.Build(
		plan.Desired{Entries: len(claims), Claims: walk(claims), Skipped: walk(skipped)},
		lent(stored), plan.Policy{DirectoryID: directoryID, Exclude: patterns},
		func(r *plan.Row) error {
			rows = append(rows, copyRow(*r))
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return rows, result
}

func sortClaims(claims []address.Claim) {
	slices.SortStableFunc(claims, func(a, b address.Claim) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.SortDN, b.SortDN))
	})
}

func sortUsers(users []user.User) {
	slices.SortFunc(users, func(a, b user.User) int { return cmp.Compare(a.Key, b.Key) })
}

func copyRow(r plan.Row) plan.Row {
	r.Notes = slices.Clone(r.Notes)
	for _, u := range []**user.User{&r.Before, &r.After} {
		if *u != nil {
			c := **u
			*u = &c
		}
	}
	ownTexts(&r)
	return r
}

// outcome is what a row comes to, in short.
type outcome struct {
	Key    string
	Change plan.Change
	Reason address.Reason
	New    bool
}

func outcomes(rows []plan.Row) []outcome {
	var out []outcome
	for _, r := range rows {
		out = append(out, outcome{r.Key, r.Change, r.Reason, r.New})
	}
	return out
}

func TestBuildDecidesEachCase(t *testing.T) {
	t.Parallel()
	ann := claim("ann@example.com", "1")
	bob := claim("bob@example.com", "2")
	info := claim("info@example.com", "3")
	tests := map[string]struct {
		claims  []address.Claim
		skipped []address.Skipped
		stored  []user.User
		exclude []string
		want    []outcome
	}{
		"nothing anywhere": {},
		"new primary and alias": {
			claims: []address.Claim{ann, aliasOf(ann, "a@example.com")},
			want:   []outcome{{"a@example.com", plan.Create, "", false}, {"ann@example.com", plan.Create, "", true}},
		},
		"as stored": {
			claims: []address.Claim{ann}, stored: []user.User{imported(ann)},
			want: []outcome{{"ann@example.com", plan.Unchanged, "", false}},
		},
		"gone from the directory": {
			claims: []address.Claim{ann}, stored: []user.User{imported(ann), imported(bob)},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false},
				{"bob@example.com", plan.Delete, plan.ReasonNotFound, false},
			},
		},
		"added by hand and not in the directory": {
			stored: []user.User{with(imported(bob), manual)},
			want:   []outcome{{"bob@example.com", plan.Delete, plan.ReasonNotFound, false}},
		},
		"protected and gone": {
			stored: []user.User{with(imported(bob), protected)},
			want:   []outcome{{"bob@example.com", plan.Unchanged, plan.ReasonProtected, false}},
		},
		"protected and changed": {
			claims: []address.Claim{
				aliasOf(ann, "bob@example.com"), ann,
			}, stored: []user.User{with(imported(bob), protected), imported(ann)},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false},
				{"bob@example.com", plan.Unchanged, plan.ReasonProtected, false},
			},
		},
		"excluded is never created, changed or removed": {
			claims: []address.Claim{
				ann, aliasOf(bob, "info@example.com"),
			}, stored: []user.User{imported(bob), imported(info)},
			exclude: []string{"*@example.com"},
			want: []outcome{
				{"ann@example.com", plan.Skipped, plan.ReasonExcluded, false},
				{"bob@example.com", plan.Unchanged, plan.ReasonExcluded, false},
				{"info@example.com", plan.Unchanged, plan.ReasonExcluded, false},
			},
		},
		"an invalid value counts as present": {
			skipped: []address.Skipped{
				{Key: "bob@example.com", Reason: address.ReasonInvalid, Present: true},
			}, stored: []user.User{imported(bob)},
			want: []outcome{
				{"bob@example.com", plan.Unchanged, plan.ReasonPresent, false},
				{"bob@example.com", plan.Skipped, address.ReasonInvalid, false},
			},
		},
		"a value that the settings leave out is absent": {
			skipped: []address.Skipped{
				{Key: "bob@example.com", Reason: address.ReasonDomainNotAccepted},
			}, stored: []user.User{imported(bob)},
			want: []outcome{
				{"bob@example.com", plan.Delete, address.ReasonDomainNotAccepted, false},
				{"bob@example.com", plan.Skipped, address.ReasonDomainNotAccepted, false},
			},
		},
		"a primary's claim wins over an alias's": {
			claims: []address.Claim{ann, aliasOf(ann, "info@example.com"), info},
			want: []outcome{
				{"ann@example.com", plan.Create, "", true},
				{"info@example.com", plan.Create, "", true},
				{"info@example.com", plan.Skipped, plan.ReasonDuplicate, false},
			},
		},
		"a primary's claim wins over the stored owner's alias, and is a new person's": {
			claims: []address.Claim{ann, aliasOf(ann, "info@example.com"), info},
			stored: []user.User{imported(ann), imported(aliasOf(ann, "info@example.com"))},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false},
				{"info@example.com", plan.Create, "", true},
				{"info@example.com", plan.Skipped, plan.ReasonDuplicate, false},
			},
		},
		"an alias that its entry lost is a new entry's primary": {
			claims: []address.Claim{ann, info},
			stored: []user.User{imported(ann), imported(aliasOf(ann, "info@example.com"))},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false}, {"info@example.com", plan.Create, "", true},
			},
		},
		"an alias that is its own entry's primary now": {
			claims: []address.Claim{info, aliasOf(info, "ann@example.com")},
			stored: []user.User{imported(aliasOf(info, "ann@example.com")), imported(aliasOf(ann, "info@example.com"))},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false}, {"info@example.com", plan.Create, "", true},
			},
		},
		"an alias added by hand is a new entry's primary": {
			claims: []address.Claim{ann, info},
			stored: []user.User{imported(ann), with(imported(aliasOf(ann, "info@example.com")), manual)},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false}, {"info@example.com", plan.Create, "", true},
			},
		},
		"a former primary that stays an alias is a new entry's primary": {
			claims: []address.Claim{ann, aliasOf(ann, "info@example.com"), info},
			stored: []user.User{imported(claim("info@example.com", "1"))},
			want: []outcome{
				{"ann@example.com", plan.Create, "", false},
				{"info@example.com", plan.Create, "", true},
				{"info@example.com", plan.Skipped, plan.ReasonDuplicate, false},
			},
		},
		"an entry that was made again is nobody new": {
			claims: []address.Claim{claim("ann@example.com", "9")}, stored: []user.User{imported(ann)},
			want: []outcome{{"ann@example.com", plan.Update, "", false}},
		},
		"the stored owner wins among primaries": {
			claims: []address.Claim{claim("ann@example.com", "0"), ann}, stored: []user.User{imported(ann)},
			want: []outcome{
				{"ann@example.com", plan.Unchanged, "", false},
				{"ann@example.com", plan.Skipped, plan.ReasonDuplicate, false},
			},
		},
		"the stored owner wins among aliases": {
			claims: []address.Claim{aliasOf(claim("a@example.com", "0"), "info@example.com"),
				aliasOf(ann, "info@example.com")},
			stored: []user.User{imported(aliasOf(ann, "info@example.com"))},
			want: []outcome{
				{"info@example.com", plan.Unchanged, "", false},
				{"info@example.com", plan.Skipped, plan.ReasonDuplicate, false},
			},
		},
		"adopting a user added by hand": {
			claims: []address.Claim{ann}, stored: []user.User{with(imported(ann), manual)},
			want: []outcome{{"ann@example.com", plan.Update, "", false}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, _ := build(t, test.claims, test.skipped, test.stored, test.exclude...)
			if diff := gocmp.Diff(test.want, outcomes(rows)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildAdoptsWithoutTakingOver(t *testing.T) {
	t.Parallel()
	ann := claim("ann@example.com", "1")
	rows, _ := build(t, []address.Claim{ann}, nil, []user.User{with(with(imported(ann), manual), daily)})
	got := rows[0].After
	if got.Source != user.Manual || got.HeldSpamReport != user.ReportDaily || got.SourceID != "1" {
		t.Errorf("adopted user is %+v; want source manual, daily report, source id 1", got)
	}
}

func TestBuildTellsWhoKeepsADuplicate(t *testing.T) {
	t.Parallel()
	low, high := claim("info@example.com", "a"), claim("info@example.com", "b")
	rows, _ := build(t, []address.Claim{high, low}, nil, nil)
	if rows[0].DN != "cn=a" || rows[1].DN != "cn=b" {
		t.Fatalf("winner %q, loser %q; want the lower DN to win", rows[0].DN, rows[1].DN)
	}
	if diff := gocmp.Diff([]string{"also claimed by cn=a, which keeps it"}, rows[1].Notes); diff != "" {
		t.Errorf("notes of the loser (-want +got):\n%s", diff)
	}
}

func TestBuildCounts(t *testing.T) {
	t.Parallel()
	ann, bob, cat := claim("ann@example.com", "1"), claim("bob@example.com", "2"), claim("cat@example.com", "3")
	room := with(imported(cat), func(u *user.User) { u.Key, u.Address = "room@example.com", "room@example.com" })
	_, result := build(t,
		[]address.Claim{ann, aliasOf(ann, "a@example.com"), bob, cat, aliasOf(cat, "a@example.com")},
		[]address.Skipped{{Key: "x", Reason: address.ReasonInvalid}},
		[]user.User{imported(ann), with(imported(bob), func(u *user.User) { u.DN = "cn=moved" }), room,
			with(claimUser("old@example.com"), protected), with(claimUser("hand@example.com"), manual)})
	want := run.Result{
		Summary: run.Summary{
			Entries: 5, Addresses: 4, Primary: 3, Aliases: 1, Create: 2, Update: 1, Delete: 2, Unchanged: 2,
			Skipped: 2, ByType: map[user.Type]int{user.TypeUser: 4},
		},
		Census: run.Census{Stored: 4, Removals: 2, StoredImported: 3, RemovalsImported: 1},
	}
	if diff := gocmp.Diff(want, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func claimUser(key string) user.User { return imported(claim(key, key)) }

func TestBuildStopsAtTheFirstErrorOfItsReader(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	claims := []address.Claim{claim("a@example.com", "1"), claim("b@example.com", "2")}
	calls := 0
	_, err := plan.Build(plan.Desired{Claims: walk(claims), Skipped: walk[address.Skipped](nil)},
		walk[user.User](nil), plan.Policy{}, func(*plan.Row) error {
			calls++
			return full
		})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("got error %v after %d calls, want %v after 1", err, calls, full)
	}
}
