package plan

import (
	"cmp"

	"rollcall/shared/address"
	"rollcall/shared/user"
)

// renames holds what the row of one address must know about its entry's other addresses.
type renames struct {
	// former holds, by source id, the stored primary of an entry that is no longer the entry's primary.
	former *formers
	// kept holds, by source id, the stored primary of an entry whose directory does not mark exactly one: it stays the
	// primary as long as the directory shows it among those that may be it.
	kept map[string]keptPrimary
}

type keptPrimary struct {
	key, address string
	written
}

// written is when an import wrote a stored user last, as far as is known: an edit by hand hides it, but for the time of
// creation. An entry may have several stored primaries, where removals are off or some are protected: the one written
// last was its primary until now, as no import writes the others.
type written struct {
	// at is a Unix time in microseconds.
	at      int64
	version int64
}

func writtenAt(u *user.User) written {
	if u.LastRunID == "" {
		return written{u.CreatedAt.UnixMicro(), u.Version}
	}
	return written{u.UpdatedAt.UnixMicro(), u.Version}
}

func (w written) after(o written) bool {
	return cmp.Or(cmp.Compare(w.at, o.at), cmp.Compare(w.version, o.version)) > 0
}

// findRenames walks both lists once before the plan is made, since a row may depend on one that comes after it.
func findRenames(desired Desired, stored Walk[user.User], policy Policy) renames {
	r := renames{former: newFormers(), kept: make(map[string]keptPrimary)}
	if stored()() == nil {
		return r
	}
	// The walk gives no errors: its callback never returns one.
	_ = merge(desired, stored, func(a *addressState) error {
		s := a.stored
		if s != nil && s.Kind == user.Primary && s.SourceID != "" && s.DirectoryID == policy.DirectoryID &&
			!policy.provisional(s) {
			r.add(a)
		}
		return nil
	})
	return r
}

// add notes what became of a stored primary.
func (r renames) add(a *addressState) {
	s := a.stored
	for i := range a.claims {
		c := &a.claims[i]
		switch {
		case c.SourceID != s.SourceID:
		case c.Inferred:
			if kept, ok := r.kept[c.SourceID]; !ok || writtenAt(s).after(kept.written) {
				r.kept[c.SourceID] = keptPrimary{key: c.Key, address: c.Address, written: writtenAt(s)}
			}
			return
		case c.Kind == user.Primary:
			return
		}
	}
	r.former.add(s)
}

// resolve returns the claim with the primary that its entry keeps, where the directory does not mark one.
func (r renames) resolve(c *address.Claim) *address.Claim {
	if len(r.kept) == 0 {
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

// winner returns the index of the claim that gets the address, or -1 where there is none: a primary's before an
// alias's, among these the stored owner's, else the lower DN's.
func (r renames) winner(a *addressState, policy Policy) int {
	best := -1
	for i := range a.claims {
		if best < 0 || r.before(a, &a.claims[i], &a.claims[best], policy) {
			best = i
		}
	}
	return best
}

func (r renames) before(a *addressState, one, other *address.Claim, policy Policy) bool {
	if kind, otherKind := r.resolve(one).Kind, r.resolve(other).Kind; kind != otherKind {
		return kind == user.Primary
	}
	if a.stored != nil && !policy.provisional(a.stored) {
		if owns := policy.owns(a.stored, one); owns != policy.owns(a.stored, other) {
			return owns
		}
	}
	return one.SortDN < other.SortDN
}
