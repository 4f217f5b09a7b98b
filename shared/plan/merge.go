package plan

import (
	"rollcall/shared/address"
	"rollcall/shared/user"
)

// addressState is all that is known about one address. It is valid until the next address.
type addressState struct {
	key     string
	claims  []address.Claim
	skipped []address.Skipped
	stored  *user.User
}

// merge walks the three lists, each ordered by key, and calls visit once for each key in that order.
func merge(desired Desired, stored Walk[user.User], visit func(*addressState) error) error {
	nextClaim, nextSkipped, nextUser := desired.Claims(), desired.Skipped(), stored()
	claim, skipped, owner := nextClaim(), nextSkipped(), nextUser()
	var a addressState
	for claim != nil || skipped != nil || owner != nil {
		a.key = firstKey(claim, skipped, owner)
		a.claims, a.skipped, a.stored = a.claims[:0], a.skipped[:0], nil
		for ; claim != nil && claim.Key == a.key; claim = nextClaim() {
			a.claims = append(a.claims, *claim)
		}
		for ; skipped != nil && skipped.Key == a.key; skipped = nextSkipped() {
			a.skipped = append(a.skipped, *skipped)
		}
		if owner != nil && owner.Key == a.key {
			a.stored = owner
		}
		if err := visit(&a); err != nil {
			return err
		}
		// Not before: the owner is gone with the next one.
		if a.stored != nil {
			owner = nextUser()
		}
	}
	return nil
}

// firstKey returns the first of the keys that there are.
func firstKey(c *address.Claim, s *address.Skipped, u *user.User) string {
	key, found := "", false
	if c != nil {
		key, found = c.Key, true
	}
	if s != nil && (!found || s.Key < key) {
		key, found = s.Key, true
	}
	if u != nil && (!found || u.Key < key) {
		key = u.Key
	}
	return key
}
