package userlist_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/planfile/userlist"
	"rollcall/shared/user"
)

func TestListGivesBackWhatWasAppended(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 23, 10, 0, 0, 123, time.UTC)
	want := []user.User{
		{},
		{
			Key: "a@example.com", Address: "A@example.com", Kind: user.Alias, PrimaryAddress: "b@example.com",
			Type: user.TypeUser, Source: user.Manual, DirectoryID: "dc=example,dc=com", SourceID: "id-1",
			DN: "cn=ä,dc=example,dc=com", HeldSpamReport: user.ReportDaily, Protected: true,
			Version: 1_795_000_000_000, LastRunID: "run", CreatedAt: created, UpdatedAt: created.Add(time.Hour),
		},
		{Key: "b@example.com", Address: "b@example.com", PrimaryAddress: "b@example.com", Version: -1},
		{Key: "c@example.com", DN: strings.Repeat("x", 3<<20)},
	}
	for i := range 20_000 {
		address := fmt.Sprintf("user%05d@example.com", i)
		want = append(want, user.User{Key: address, Address: address, PrimaryAddress: address, DN: "cn=" + address})
	}
	var list userlist.List
	for i := range want {
		list.Append(&want[i])
	}
	var got []user.User
	next := list.Walk()
	for u := next(); u != nil; u = next() {
		got = append(got, *u)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-appended +yielded):\n%.2000s", diff)
	}
	if list.Len() != len(want) {
		t.Errorf("Len() = %d, want %d", list.Len(), len(want))
	}
}

// TestListCanBeWalkedAgain holds that two walks do not meet, and that a walk stays at its end.
func TestListCanBeWalkedAgain(t *testing.T) {
	t.Parallel()
	var list userlist.List
	for _, key := range []string{"a@example.com", "b@example.com"} {
		list.Append(&user.User{Key: key})
	}
	first, second := list.Walk(), list.Walk()
	var got []string
	for range 3 {
		for _, next := range []func() *user.User{first, second} {
			if u := next(); u != nil {
				got = append(got, u.Key)
			}
		}
	}
	if diff := cmp.Diff([]string{"a@example.com", "a@example.com", "b@example.com", "b@example.com"}, got); diff != "" {
		t.Errorf("walked (-want +got):\n%s", diff)
	}
}
