package plan_test

import (
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/shared/address"
	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// lent begins a list of users as package userlist does: the next user's text is written over that of the one before, so
// that whoever keeps a text is found out.
func lent(users []user.User) plan.Walk[user.User] {
	return func() func() *user.User {
		next := walk(users)()
		var memory []byte
		return func() *user.User {
			for i := range memory {
				memory[i] = '#'
			}
			u := next()
			if u == nil {
				return nil
			}
			texts := userTexts(u)
			size := 0
			for _, text := range texts {
				size += len(*text)
			}
			// Texts share the memory, which must not move while it is filled.
			memory = slices.Grow(memory[:0], size)
			for _, text := range texts {
				from := len(memory)
				memory = append(memory, *text...)
				*text = unsafe.String(unsafe.SliceData(memory[from:]), len(memory)-from)
			}
			return u
		}
	}
}

// TestPropertyAPlanKeepsNoLentText holds that a plan is the same whether or not its users' text lasts.
func TestPropertyAPlanKeepsNoLentText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		claims, stored := drawClaims(r), drawUsers(r)
		sortClaims(claims)
		sortUsers(stored)
		desired := plan.Desired{Entries: len(claims), Claims: walk(claims), Skipped: walk([]address.Skipped(nil))}
		var plans [2][]plan.Row
		for i, users := range []plan.Walk[user.User]{walk(stored), lent(stored)} {
			_, err := plan.Build(desired, users, plan.Policy{DirectoryID: directoryID}, func(row *plan.Row) error {
				plans[i] = append(plans[i], copyRow(*row))
				return nil
			})
			if err != nil {
				r.Fatal(err)
			}
		}
		if diff := cmp.Diff(plans[0], plans[1]); diff != "" {
			r.Fatalf("rows (-text that lasts +text that is lent):\n%s", diff)
		}
	})
}

// userTexts are the texts of a user that its list lends.
func userTexts(u *user.User) []*string {
	return []*string{&u.Key, &u.Address, &u.PrimaryAddress, &u.SourceID, &u.DN}
}

// ownTexts gives a row texts that last.
func ownTexts(r *plan.Row) {
	texts := []*string{&r.Key, &r.Address, &r.PrimaryAddress, &r.PrimaryKey, &r.DN}
	for _, u := range []*user.User{r.Before, r.After} {
		if u != nil {
			texts = append(texts, userTexts(u)...)
		}
	}
	for _, text := range texts {
		*text = strings.Clone(*text)
	}
}
