package plan

import (
	"rollcall/shared/address"
	"rollcall/shared/user"
)

// renames holds what the row of one address must know about its entry's other addresses.
type renames struct {
	// former holds, by source id, the stored primary of an entry that is no longer the entry's primary.
	former map[string]formerPrimary
	// kept holds, by source id, the stored primary of an entry whose directory marks none: it stays the primary.
	kept map[string]keptPrimary
}

type formerPrimary struct {
	address   string
	report    user.HeldSpamReport
	protected bool
	version   int64
}

type keptPrimary struct{ key, address string }

// findRenames walks both lists once before the plan is made, since a row may depend on one that comes after it.
func findRenames(desired Desired, stored Walk[user.User], policy Policy) renames {
	r := renames{former: make(map[string]formerPrimary), kept: make(map[string]keptPrimary)}
	if stored()() == nil {
		return r
	}
	// The walk gives no errors: its callback never returns one.
	_ = merge(desired, stored, func(a *addressState) error {
		s := a.stored
		if s == nil || s.Kind != user.Primary || s.SourceID == "" || s.DirectoryID != policy.DirectoryID ||
			policy.provisional(s) {
			return nil
		}
		for i := range a.claims {
			if c := &a.claims[i]; c.SourceID == s.SourceID && c.Inferred {
				r.kept[c.SourceID] = keptPrimary{key: c.Key, address: c.Address}
				return nil
			}
		}
		if w := r.winner(a, policy); w >= 0 && a.claims[w].SourceID == s.SourceID &&
			a.claims[w].Kind == user.Primary {
			return nil
		}
		// An entry that was renamed before may have several, where removals are off or some are protected: the one
		// created last, which has the highest version, was its primary until now.
		if former, ok := r.former[s.SourceID]; !ok || s.Version > former.version {
			// A stored user's text is gone with the next one; a claim's lasts.
			text := s.SourceID + s.Address
			r.former[text[:len(s.SourceID)]] = formerPrimary{
				address: text[len(s.SourceID):], report: s.HeldSpamReport, protected: s.Protected, version: s.Version,
			}
		}
		return nil
	})
	return r
}

// resolve returns the claim with the primary that its entry keeps, where the directory marks none.
func (r renames) resolve(c *address.Claim) *address.Claim {
	if !c.Inferred {
		return c
	}
	kept, ok := r.kept[c.SourceID]
	if !ok {
		return c
	}
	resolved := *c
	resolved.PrimaryAddress, resolved.PrimaryKey, resolved.Kind = kept.address, kept.key, user.Alias
	if c.Key == kept.key {
		resolved.Kind = user.Primary
	}
	return &resolved
}

// winner returns the index of the claim that gets the address, or -1 where there is none: the stored owner's, else a
// primary's before an alias's, else the lower DN's.
func (r renames) winner(a *addressState, policy Policy) int {
	best := -1
	for i := range a.claims {
		if a.stored != nil && policy.owns(a.stored, &a.claims[i]) && !policy.provisional(a.stored) {
			return i
		}
		if best < 0 || r.before(&a.claims[i], &a.claims[best]) {
			best = i
		}
	}
	return best
}

func (r renames) before(a, b *address.Claim) bool {
	a, b = r.resolve(a), r.resolve(b)
	if a.Kind != b.Kind {
		return a.Kind == user.Primary
	}
	return a.SortDN < b.SortDN
}
