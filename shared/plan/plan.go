// Package plan decides what an import does: it compares what a directory has with what the Users List has and
// gives one row for each address. It is pure: no I/O, no clock, the same input gives the same rows in the same
// order, so a preview and the sync of it cannot differ.
package plan

import (
	"iter"

	"rollcall/shared/address"
	"rollcall/shared/user"
)

// Desired is what a directory has: entries searched, and the claims and skipped values ordered by key (package
// address says how). The sequences are walked more than once.
type Desired struct {
	Entries int
	Claims  iter.Seq[address.Claim]
	Skipped iter.Seq[address.Skipped]
}

// Policy is what decides beside the two lists. The zero value excludes nothing.
type Policy struct {
	// DirectoryID names the directory that was read.
	DirectoryID string
	// Exclude matches the addresses that imports leave alone.
	Exclude address.Patterns
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
//	claimed    yes, otherwise              update
//	no         yes, protected              unchanged "protected"
//	no         yes, excluded               unchanged "excluded by the settings"
//	invalid    yes                         unchanged "in the directory, but skipped"
//	no         yes                         delete, with the reason of the value that the settings left out, if any
//
// Besides these, every further claim on an address gives a skipped row "duplicate", and every value that is no
// address, or that the settings leave out, gives a skipped row with its reason.
type builder struct {
	policy Policy
	moves  moves
	emit   func(Row) error
	result Result
}

// Build merges desired with stored, which is ordered by key and walked twice, and calls emit for each row, ordered by
// key. A row and what it points to are only valid until emit returns; the first error of emit ends the plan.
func Build(desired Desired, stored iter.Seq[user.User], policy Policy, emit func(Row) error) (Result, error) {
	b := &builder{policy: policy, emit: emit}
	b.moves = findMoves(desired, stored, policy)
	b.result.Summary.Entries = desired.Entries
	b.result.Summary.ByType = make(map[user.Type]int)
	err := merge(desired, stored, b.address)
	return b.result, err
}

// address plans one address.
func (b *builder) address(a *addressState) error {
	winner := b.moves.winner(a, b.policy.DirectoryID)
	switch {
	case winner >= 0:
		if err := b.claimed(a, b.moves.resolve(a.claims[winner])); err != nil {
			return err
		}
	case a.stored != nil:
		if err := b.unclaimed(a); err != nil {
			return err
		}
	}
	for i := range a.claims {
		if i != winner {
			if err := b.send(duplicateRow(b.moves.resolve(a.claims[i]), a.claims[winner])); err != nil {
				return err
			}
		}
	}
	for i := range a.skipped {
		if err := b.send(skippedRow(&a.skipped[i])); err != nil {
			return err
		}
	}
	return nil
}

// claimed plans an address that the directory has.
func (b *builder) claimed(a *addressState, claim address.Claim) error {
	row := claimRow(claim)
	excluded := b.policy.Exclude.Match(a.key)
	if a.stored != nil {
		row.Before = a.stored
		b.countStored(a.stored, excluded)
	}
	if a.stored == nil && excluded {
		row.Change, row.Reason = Skipped, ReasonExcluded
		return b.send(row)
	}
	b.countAddress(claim)
	switch {
	case a.stored == nil:
		after := b.created(claim, &row)
		row.Change, row.After = Create, &after
	case a.stored.Protected:
		row.Change, row.Reason = Unchanged, ReasonProtected
	case excluded:
		row.Change, row.Reason = Unchanged, ReasonExcluded
	default:
		after := b.updated(claim, &row)
		row.Change = Unchanged
		if after != *a.stored {
			row.Change, row.After = Update, &after
		}
	}
	return b.send(row)
}

// created is the user that a new address becomes. A primary whose entry had another primary before keeps that one's
// report and protection and is not new.
func (b *builder) created(claim address.Claim, row *Row) user.User {
	after := user.User{Key: claim.Key, Source: user.FromDirectory, HeldSpamReport: user.ReportOff}
	describe(&after, claim, b.policy.DirectoryID)
	if claim.Kind == user.Primary {
		row.New = !b.inherit(&after, claim, row)
	}
	return after
}

// updated is what a stored user becomes. Its source stays: an import adopts a user, it does not take it over.
func (b *builder) updated(claim address.Claim, row *Row) user.User {
	before := row.Before
	after := *before
	describe(&after, claim, b.policy.DirectoryID)
	switch {
	case claim.Kind == user.Alias:
		after.HeldSpamReport = user.ReportOff
	case before.Kind == user.Alias || before.SourceID != claim.SourceID:
		b.inherit(&after, claim, row)
	}
	return after
}

// inherit gives a primary the report and protection that its entry's former primary had, and tells whether there
// was one.
func (b *builder) inherit(after *user.User, claim address.Claim, row *Row) bool {
	former, ok := b.moves.former[claim.SourceID]
	if !ok {
		return false
	}
	after.HeldSpamReport, after.Protected = former.report, former.protected
	row.Notes = append(row.Notes, "primary address was "+former.address)
	return true
}

// describe sets what the directory decides about a user.
func describe(u *user.User, claim address.Claim, directoryID string) {
	u.Address, u.Kind, u.PrimaryAddress, u.Type = claim.Address, claim.Kind, claim.PrimaryAddress, claim.Type
	u.DirectoryID, u.SourceID, u.DN = directoryID, claim.SourceID, claim.DN
}

// unclaimed plans a stored user whose address no entry has.
func (b *builder) unclaimed(a *addressState) error {
	stored := a.stored
	row := storedRow(stored)
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
	default:
		row.Change, row.Reason = Delete, reason
		b.result.Census.Removals++
		if stored.Source == user.FromDirectory {
			b.result.Census.RemovalsImported++
		}
	}
	return b.send(row)
}

// presence tells whether a skipped value keeps a stored user, and otherwise the reason for its removal.
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

func (b *builder) countAddress(claim address.Claim) {
	s := &b.result.Summary
	s.Addresses++
	if claim.Kind == user.Primary {
		s.Primary++
	} else {
		s.Aliases++
	}
	s.ByType[claim.Type]++
}

func (b *builder) send(row Row) error {
	s := &b.result.Summary
	switch row.Change {
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
	return b.emit(row)
}
