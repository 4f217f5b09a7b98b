package extract

import (
	"cmp"
	"slices"
	"strings"

	"rollcall/shared/address"
)

// Result has the addresses of a directory, in order.
type Result struct {
	count   int
	arena   arena
	entries list[entryRecord]
	claims  []claimRecord
	skipped []address.Skipped
	notes   []string
}

// Result joins and sorts what was collected. The collector must not be used afterwards.
func (c *Collector) Result() *Result {
	c.joinAliases()
	f := &Result{count: c.count, arena: c.arena, entries: c.entries, claims: c.claims.flat(), skipped: c.skipped}
	if f.count == 0 && strings.Contains(strings.ToLower(c.rules.filter), slotNames[slotRecipientTypeDetails]) {
		f.notes = []string{noRecipientTypes}
	}
	f.sortClaims()
	slices.SortStableFunc(f.skipped, func(a, b address.Skipped) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.DN, b.DN), cmp.Compare(a.Address, b.Address))
	})
	return f
}

// noRecipientTypes tells why a filter such as the page's presets found nothing.
const noRecipientTypes = "the filter asks for msExchRecipientTypeDetails and found nothing: Exchange 2003 and older " +
	"has no such attribute. Leave the filter empty there, and choose what to import by object type"

// Notes returns sentences about what was found that a person should know.
func (f *Result) Notes() []string { return f.notes }

// Entries returns how many entries were read.
func (f *Result) Entries() int { return f.count }

// Claims begins a walk over the accepted addresses, ordered by key, then primaries before aliases, then by normalised
// DN. A claim is valid until the next one; nil ends them.
func (f *Result) Claims() (next func() *address.Claim) {
	var claim address.Claim
	i := -1
	return func() *address.Claim {
		if i++; i >= len(f.claims) {
			return nil
		}
		f.fill(&claim, &f.claims[i])
		claim.SortDN = ""
		if f.shared(i) {
			claim.SortDN = f.sortDN(&f.claims[i])
		}
		return &claim
	}
}

// shared reports whether another entry claims the same address.
func (f *Result) shared(i int) bool {
	key := f.arena.get(f.claims[i].key)
	return i > 0 && f.arena.get(f.claims[i-1].key) == key ||
		i+1 < len(f.claims) && f.arena.get(f.claims[i+1].key) == key
}

// Skipped begins a walk over the values that are not imported, ordered by key, then by DN.
func (f *Result) Skipped() (next func() *address.Skipped) {
	rest := f.skipped
	return func() *address.Skipped {
		if len(rest) == 0 {
			return nil
		}
		head := &rest[0]
		rest = rest[1:]
		return head
	}
}

func (f *Result) sortDN(c *claimRecord) string {
	return normalDN(f.arena.get(f.entries.at(int(c.entry)).dn))
}

// fill makes a claim of its record, without the SortDN.
func (f *Result) fill(claim *address.Claim, c *claimRecord) {
	e := f.entries.at(int(c.entry))
	claim.Key, claim.Address, claim.Kind = f.arena.get(c.key), f.arena.get(c.address), kindCodes[c.kind]
	claim.PrimaryAddress, claim.PrimaryKey = f.arena.get(e.primary), f.arena.get(e.primaryKey)
	claim.Type = typeCodes[e.typ]
	claim.Inferred, claim.InferredNote = c.inferred, ""
	if c.inferred {
		claim.InferredNote = inferredNote(e.flags)
	}
	claim.SourceID, claim.DN = f.arena.get(e.id), f.arena.get(e.dn)
	claim.Notes = notes(c, e.flags)
}

// inferredNote says why an entry's primary had to be chosen.
func inferredNote(f flags) string {
	if f&flagSeveral != 0 {
		return "primary inferred: the directory marks several with SMTP:"
	}
	return "primary inferred: the directory marks none"
}

// notes says what a person should know about an address.
func notes(c *claimRecord, f flags) []string {
	if f&^flagInferred == 0 && !c.utf8 {
		return nil
	}
	var out []string
	if f&flagSeveral != 0 && f&flagInferred == 0 && c.kind == codePrimary {
		out = append(out, "the directory marks several primaries with SMTP:, and mail names this one")
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
