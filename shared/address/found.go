package address

import (
	"cmp"
	"iter"
	"slices"
)

// Found is what a directory has, in order.
type Found struct {
	count   int
	arena   arena
	entries list[entryRecord]
	claims  []claimRecord
	skipped []Skipped
}

// Found joins and sorts what was collected. The collector must not be used afterwards.
func (c *Collector) Found() *Found {
	c.joinAliases()
	f := &Found{count: c.count, arena: c.arena, entries: c.entries, claims: c.claims.flat(), skipped: c.skipped}
	f.sortClaims()
	slices.SortStableFunc(f.skipped, func(a, b Skipped) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.DN, b.DN), cmp.Compare(a.Address, b.Address))
	})
	return f
}

// Entries returns how many entries were read.
func (f *Found) Entries() int { return f.count }

// Claims yields the accepted addresses, ordered by key, then primaries before aliases, then by normalised DN.
func (f *Found) Claims() iter.Seq[Claim] {
	return func(yield func(Claim) bool) {
		for i, c := range f.claims {
			claim := f.claim(c)
			if f.shared(i) {
				claim.SortDN = f.sortDN(c)
			}
			if !yield(claim) {
				return
			}
		}
	}
}

// shared tells whether another entry claims the same address.
func (f *Found) shared(i int) bool {
	key := f.arena.get(f.claims[i].key)
	return i > 0 && f.arena.get(f.claims[i-1].key) == key || i+1 < len(f.claims) && f.arena.get(f.claims[i+1].key) == key
}

// Skipped yields the values that are not imported, ordered by key, then by DN.
func (f *Found) Skipped() iter.Seq[Skipped] { return slices.Values(f.skipped) }

func (f *Found) sortDN(c claimRecord) string {
	return normalDN(f.arena.get(f.entries.at(int(c.entry)).dn))
}

func (f *Found) claim(c claimRecord) Claim {
	e := f.entries.at(int(c.entry))
	return Claim{
		Key: f.arena.get(c.key), Address: f.arena.get(c.address), Kind: kindCodes[c.kind],
		PrimaryAddress: f.arena.get(e.primary), PrimaryKey: f.arena.get(e.primaryKey), Type: typeCodes[e.typ],
		Inferred: e.flags&flagInferred != 0, SourceID: f.arena.get(e.id), DN: f.arena.get(e.dn),
		Notes: notes(c, e.flags),
	}
}

// notes says what a person should know about an address.
func notes(c claimRecord, f flags) []string {
	if f == 0 && !c.utf8 {
		return nil
	}
	var out []string
	if f&flagInferred != 0 && c.kind == codePrimary {
		out = append(out, "primary inferred: the directory marks none")
	}
	if f&flagHidden != 0 {
		out = append(out, "hidden from address lists")
	}
	if f&flagDisabled != 0 {
		out = append(out, "account disabled")
	}
	if c.utf8 {
		out = append(out, "needs SMTPUTF8: the local part is not ASCII")
	}
	return out
}
