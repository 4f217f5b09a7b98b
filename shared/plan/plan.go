// Package plan decides what an import does: it compares what a directory has with what the Users List has and
// gives one row for each address. It is pure: no I/O, no clock, the same input gives the same rows in the same
// order, so a preview and the sync of it cannot differ.
package plan

import (
	"slices"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Walk starts at the beginning of a list. The function that it returns gives one value after another, each valid until
// the next, and nil at the end. With a million addresses each step counts, and a step of an iter.Pull costs as much as
// twenty calls.
type Walk[T any] func() (next func() *T)

// Desired is what a directory has: entries searched, and the claims and skipped values ordered by key (package
// address says how). The lists are walked more than once.
type Desired struct {
	Entries int
	Claims  Walk[address.Claim]
	Skipped Walk[address.Skipped]
}

// Policy is what decides beside the two lists. The zero value excludes nothing.
type Policy struct {
	// DirectoryID names the directory that was read.
	DirectoryID string
	// Exclude matches the addresses that imports leave alone.
	Exclude address.Patterns
	// Partial is set where only entries that changed were read, and of the stored users only those at their addresses.
	// Whom the directory does not name then stays, and a claim that takes what others have waits for a full read.
	Partial bool
	// NewSince is when the first import from a part began since the last one of the whole, in Unix milliseconds. What
	// imports created from then on is, for a whole one, as if it were new: it may find others who claim the same. 0:
	// there was none.
	NewSince int64
}

// provisional reports whether a stored user came from a partial read, so that a whole one decides about it again.
func (p Policy) provisional(u *user.User) bool {
	return !p.Partial && p.NewSince > 0 && u.LastRunID != "" && u.Source == user.FromDirectory &&
		u.CreatedAt.UnixMilli() >= p.NewSince
}

// owns reports whether a stored user is the claiming entry's.
func (p Policy) owns(u *user.User, c *address.Claim) bool {
	return u.SourceID == c.SourceID && u.DirectoryID == p.DirectoryID
}

// builder carries one call of Build.
//
// What becomes of an address, by who has it (the first line that fits decides):
//
//	directory  Users List                  row
//	claimed    no                          create; skipped "excluded by the settings" where a pattern says so
//	claimed    yes, protected              unchanged "protected"
//	claimed    yes, excluded               unchanged "excluded by the settings"
//	claimed    yes, as the directory says  unchanged
//	claimed    yes, another entry's alias  create, a new person's, where it is the primary of an entry that had none
//	claimed    yes, otherwise              update
//	no         yes, protected              unchanged "protected"
//	no         yes, excluded               unchanged "excluded by the settings"
//	invalid    yes                         unchanged "in the directory, but skipped"
//	no         yes                         delete, with the reason of the value that the settings left out, if any
//
// Of several claims on an address one gets it, and each other one is a skipped row "duplicate":
//
//	a primary's claim before an alias's, so that entries that swap their primaries both have one;
//	among claims of one kind the stored owner's, so that an address does not go to and fro;
//	else the one of the lower DN.
//
// An entry whose directory does not mark exactly one primary keeps the one that it had, while that is among those that
// may be it. Every value that is no address, or that the settings leave out, gives a skipped row with its reason.
//
// From a partial read there are only creations and updates, and a claim is skipped as "waits for a full sync" where the
// address is another entry's, or nobody's (added by hand), or would change between primary and alias: both are on the
// list already, and only a full read knows all of an entry's former addresses.
type builder struct {
	policy  Policy
	renames renames
	emit    func(*Row) error
	result  run.Result
	// row and after are the row at hand and the user that it makes: one of each for all rows.
	row   Row
	after user.User
}

// Build merges desired with stored, which is ordered by key and walked twice and may lend its text, and calls emit for
// each row, ordered by key. A row and what it points to are only valid until emit returns; the first error of emit ends
// the plan.
func Build(desired Desired, stored Walk[user.User], policy Policy, emit func(*Row) error) (run.Result, error) {
	b := &builder{policy: policy, emit: emit}
	b.renames = findRenames(desired, stored, policy)
	b.result.Summary.Entries = desired.Entries
	b.result.Summary.ByType = make(map[user.Type]int)
	err := merge(desired, stored, b.address)
	return b.result, err
}

// address plans one address.
func (b *builder) address(a *addressState) error {
	winner := b.renames.winner(a, b.policy)
	switch {
	case winner >= 0:
		if err := b.claimed(a, b.renames.resolve(&a.claims[winner])); err != nil {
			return err
		}
	case a.stored != nil && !b.policy.Partial:
		if err := b.unclaimed(a); err != nil {
			return err
		}
	}
	for i := range a.claims {
		if i != winner {
			b.row = duplicateRow(b.renames.resolve(&a.claims[i]), &a.claims[winner])
			if err := b.send(); err != nil {
				return err
			}
		}
	}
	for i := range a.skipped {
		b.row = skippedRow(&a.skipped[i])
		if err := b.send(); err != nil {
			return err
		}
	}
	return nil
}

// claimed plans an address that the directory has.
func (b *builder) claimed(a *addressState, claim *address.Claim) error {
	row := &b.row
	*row = claimRow(claim)
	excluded := b.policy.Exclude.Match(a.key)
	if a.stored != nil {
		row.Before = a.stored
		b.countStored(a.stored, excluded)
	}
	if a.stored == nil && excluded {
		row.Change, row.Reason = Skipped, ReasonExcluded
		return b.send()
	}
	b.countAddress(claim)
	switch {
	case a.stored == nil:
		b.create(claim)
		row.Change, row.After = Create, &b.after
	case a.stored.Protected:
		row.Change, row.Reason = Unchanged, ReasonProtected
	case excluded:
		row.Change, row.Reason = Unchanged, ReasonExcluded
	case b.waits(a.stored, claim):
		row.Change, row.Reason = Skipped, ReasonWaits
	default:
		b.update(a, claim)
		switch {
		case row.New:
			row.Change, row.After = Create, &b.after
		case b.after != *a.stored:
			row.Change, row.After = Update, &b.after
		default:
			row.Change = Unchanged
		}
	}
	return b.send()
}

// create makes the user that a new address becomes. A primary whose entry had another primary before keeps that one's
// report and protection and is not new.
func (b *builder) create(claim *address.Claim) {
	b.after = user.User{Key: claim.Key, Source: user.FromDirectory, HeldSpamReport: user.ReportOff}
	describe(&b.after, claim, b.policy.DirectoryID)
	if claim.Kind == user.Primary {
		b.row.New = !b.inherit(claim)
	}
}

// waits reports whether a claim of a partial read is left to a full one.
func (b *builder) waits(stored *user.User, claim *address.Claim) bool {
	return b.policy.Partial && !(b.policy.owns(stored, claim) && stored.Kind == claim.Kind)
}

// update makes what a stored user becomes. Its source stays: an import adopts a user, it does not take it over.
func (b *builder) update(a *addressState, claim *address.Claim) {
	before := a.stored
	b.after = *before
	describe(&b.after, claim, b.policy.DirectoryID)
	switch {
	case claim.Kind == user.Alias:
		b.after.HeldSpamReport = user.ReportOff
	case b.policy.provisional(before):
		another := before.SourceID != claim.SourceID
		if another {
			b.after.HeldSpamReport = user.ReportOff
		}
		b.row.New = !b.inherit(claim) && (another || before.Kind == user.Alias)
	case before.Kind == user.Alias || before.SourceID != claim.SourceID:
		if !b.inherit(claim) && b.wasAlias(a, claim) {
			b.row.New, b.after.HeldSpamReport = true, user.ReportOff
		}
	}
}

// wasAlias reports whether an address that is an entry's primary now was another entry's alias, or has just become one:
// whoever has it now is somebody else.
func (b *builder) wasAlias(a *addressState, claim *address.Claim) bool {
	owner := a.stored
	switch {
	case b.policy.owns(owner, claim):
		return false
	case owner.Kind == user.Alias:
		return true
	}
	return slices.ContainsFunc(a.claims, func(c address.Claim) bool { return b.policy.owns(owner, &c) })
}

// inherit gives a primary the report and protection that its entry's former primary had, and reports whether there
// was one.
func (b *builder) inherit(claim *address.Claim) bool {
	former, ok := b.renames.former.find(claim.SourceID)
	if !ok {
		return false
	}
	b.after.HeldSpamReport, b.after.Protected = former.report, former.protected
	b.row.Notes = append(b.row.Notes[:len(b.row.Notes):len(b.row.Notes)], "primary address was "+former.address)
	return true
}

// describe sets what the directory decides about a user.
func describe(u *user.User, claim *address.Claim, directoryID string) {
	u.Address, u.Kind, u.PrimaryAddress, u.Type = claim.Address, claim.Kind, claim.PrimaryAddress, claim.Type
	u.DirectoryID, u.SourceID, u.DN = directoryID, claim.SourceID, claim.DN
}

// unclaimed plans a stored user whose address no entry has.
func (b *builder) unclaimed(a *addressState) error {
	stored, row := a.stored, &b.row
	*row = storedRow(stored)
	excluded := b.policy.Exclude.Match(a.key)
	b.countStored(stored, excluded)
	present, reason := presence(a.skipped)
	switch {
	case stored.Protected:
		row.Change, row.Reason = Unchanged, ReasonProtected
	case excluded:
		row.Change, row.Reason = Unchanged, ReasonExcluded
	case present:
		row.Change, row.Reason = Unchanged, ReasonPresent
	case b.policy.Exclude.Match(currentKey(stored)):
		row.Change, row.Reason = Unchanged, ReasonExcluded
	default:
		if reason == ReasonNotFound && currentKey(stored) != stored.Key {
			reason = ReasonFormerKey
		}
		row.Change, row.Reason = Delete, reason
		b.result.Census.Removals++
		if stored.Source == user.FromDirectory {
			b.result.Census.RemovalsImported++
		}
	}
	return b.send()
}

// currentKey returns the key that a stored user's address has today: another one than the stored one where an earlier
// build mistook the address for another (address.FormerKey).
func currentKey(u *user.User) string {
	if !strings.Contains(u.Address, "İ") && !strings.Contains(u.Address, "\u0307") {
		return u.Key
	}
	if a, err := address.Parse(u.Address); err == nil {
		if former, differs := address.FormerKey(a); differs && former == u.Key {
			return a.Key
		}
	}
	return u.Key
}

// presence reports whether a skipped value keeps a stored user, and otherwise the reason for its removal.
func presence(skipped []address.Skipped) (present bool, reason address.Reason) {
	reason = ReasonNotFound
	for i := range skipped {
		if skipped[i].Present {
			return true, ""
		}
		reason = skipped[i].Reason
	}
	return false, reason
}

func (b *builder) countStored(u *user.User, excluded bool) {
	if u.Protected || excluded {
		return
	}
	b.result.Census.Stored++
	if u.Source == user.FromDirectory {
		b.result.Census.StoredImported++
	}
}

func (b *builder) countAddress(claim *address.Claim) {
	s := &b.result.Summary
	s.Addresses++
	if claim.Kind == user.Primary {
		s.Primary++
	} else {
		s.Aliases++
	}
	s.ByType[claim.Type]++
}

// send counts the row at hand and hands it on.
func (b *builder) send() error {
	s := &b.result.Summary
	switch b.row.Change {
	case Create:
		s.Create++
	case Update:
		s.Update++
	case Delete:
		s.Delete++
	case Unchanged:
		s.Unchanged++
	case Skipped:
		s.Skipped++
	}
	return b.emit(&b.row)
}
