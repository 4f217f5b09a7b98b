package userlist_test

import (
	"crypto/sha256"
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
		got = append(got, cloned(*u))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-appended +yielded):\n%.2000s", diff)
	}
	if list.Len() != len(want) {
		t.Errorf("Len() = %d, want %d", list.Len(), len(want))
	}
}

// cloned is a user whose text outlives the walk's next step.
func cloned(u user.User) user.User {
	for _, text := range []*string{&u.Key, &u.Address, &u.PrimaryAddress, &u.SourceID, &u.DN} {
		*text = strings.Clone(*text)
	}
	return u
}

// TestListIsCompressed holds that a list takes little more than half the length of its users' text, of which a third is
// ids that cannot be compressed to less than half.
func TestListIsCompressed(t *testing.T) {
	t.Parallel()
	var list userlist.List
	text := 0
	for i := range 50_000 {
		address := fmt.Sprintf("user%05d@example.com", i)
		id, dn := fmt.Sprintf("%x", sha256.Sum256([]byte(address)))[:32], "cn=User "+address+",dc=example,dc=com"
		list.Append(&user.User{Key: address, Address: address, PrimaryAddress: address, SourceID: id, DN: dn})
		text += len(address) + len(id) + len(dn)
	}
	if size := list.Size(); size > text*6/10 {
		t.Errorf("%d bytes of text take %d bytes of memory", text, size)
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
				got = append(got, strings.Clone(u.Key))
			}
		}
	}
	if diff := cmp.Diff([]string{"a@example.com", "a@example.com", "b@example.com", "b@example.com"}, got); diff != "" {
		t.Errorf("walked (-want +got):\n%s", diff)
	}
}
