package plan

import (
	"iter"

	"rollcall/shared/address"
	"rollcall/shared/user"
)

// addressState is all that is known about one address. Its fields are reused for the next one.
type addressState struct {
	key     string
	claims  []address.Claim
	skipped []address.Skipped
	stored  *user.User
}

// merge walks the three lists, each ordered by key, and calls visit once for each key in that order.
func merge(desired Desired, stored iter.Seq[user.User], visit func(*addressState) error) error {
	claims, stopClaims := pull(desired.Claims)
	defer stopClaims()
	skipped, stopSkipped := pull(desired.Skipped)
	defer stopSkipped()
	users, stopUsers := pull(stored)
	defer stopUsers()

	var a addressState
	var owner user.User
	for {
		a.key = ""
		found := false
		for _, head := range []struct {
			key string
			ok  bool
		}{{claims.head.Key, claims.ok}, {skipped.head.Key, skipped.ok}, {users.head.Key, users.ok}} {
			if head.ok && (!found || head.key < a.key) {
				a.key, found = head.key, true
			}
		}
		if !found {
			return nil
		}
		a.claims, a.skipped, a.stored = a.claims[:0], a.skipped[:0], nil
		for ; claims.ok && claims.head.Key == a.key; claims.advance() {
			a.claims = append(a.claims, claims.head)
		}
		for ; skipped.ok && skipped.head.Key == a.key; skipped.advance() {
			a.skipped = append(a.skipped, skipped.head)
		}
		for ; users.ok && users.head.Key == a.key; users.advance() {
			owner = users.head
			a.stored = &owner
		}
		if err := visit(&a); err != nil {
			return err
		}
	}
}

// cursor walks one sequence, a step at a time.
type cursor[T any] struct {
	next func() (T, bool)
	head T
	ok   bool
}

func pull[T any](seq iter.Seq[T]) (*cursor[T], func()) {
	next, stop := iter.Pull(seq)
	c := &cursor[T]{next: next}
	c.advance()
	return c, stop
}

func (c *cursor[T]) advance() { c.head, c.ok = c.next() }
