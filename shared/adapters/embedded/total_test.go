package embedded

import (
	"testing"

	bolt "go.etcd.io/bbolt"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// TestTheUsersOfAnEarlierBuildAreCounted opens a folder whose buckets have no number of users, and asks for it before
// and after a write.
func TestTheUsersOfAnEarlierBuildAreCounted(t *testing.T) {
	t.Parallel()
	for _, writeFirst := range []bool{false, true} {
		s, err := Open(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		list := s.Users().For("acme")
		add := func(keys ...string) {
			t.Helper()
			var changes []users.Change
			for _, key := range keys {
				u := user.User{Key: key, Address: key, PrimaryAddress: key, Kind: user.Primary, Version: 1}
				changes = append(changes, users.Change{Key: key, After: &u})
			}
			if _, err := list.Apply(t.Context(), users.Fence{}, changes); err != nil {
				t.Fatal(err)
			}
		}
		add("a@example.com", "b@example.com", "c@example.com")
		err = s.db.Update(func(tx *bolt.Tx) error { return nested(tx, bucketUsers, []byte("acme")).SetSequence(0) })
		if err != nil {
			t.Fatal(err)
		}
		want := 3
		if writeFirst {
			add("d@example.com")
			want++
		}
		for range 2 {
			if got, err := list.Total(t.Context()); err != nil || got != want {
				t.Errorf("%d users, error %v; want %d", got, err, want)
			}
		}
		var stored uint64
		err = s.db.View(func(tx *bolt.Tx) error {
			stored = nested(tx, bucketUsers, []byte("acme")).Sequence()
			return nil
		})
		if err != nil || stored != uint64(want) {
			t.Errorf("%d is stored, error %v; want %d, so that nobody counts again", stored, err, want)
		}
	}
}
