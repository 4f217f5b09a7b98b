package plan

import (
	"iter"

	"rollcall/shared/address"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// The reasons for which an undo leaves a row as it is.
const (
	ReasonChangedSince   address.Reason = "changed since the sync"
	ReasonProtectedSince address.Reason = "protected since the sync"
)

// Invert plans the undoing of applied rows, whose After is the user as it was written: what was created is deleted,
// what was changed gets its former fields back, what was deleted is created again. A row that is no longer as the
// sync left it becomes a skipped row and counts as a conflict. Both lists are ordered by key.
func Invert(applied iter.Seq[Row], stored Walk[user.User], emit func(*Row) error) (run.Result, error) {
	b := &builder{emit: emit}
	b.result.Summary.ByType = make(map[user.Type]int)
	next := stored()
	u := next()
	for row := range applied {
		for ; u != nil && u.Key < row.Key; u = next() {
			b.countStored(u, false)
		}
		var current *user.User
		if u != nil && u.Key == row.Key {
			current = u
		}
		b.row = inverse(&row, current)
		if b.row.Change == Delete && current.Source == user.FromDirectory {
			b.result.Census.RemovalsImported++
		}
		if err := b.send(); err != nil {
			return b.result, err
		}
	}
	for ; u != nil; u = next() {
		b.countStored(u, false)
	}
	b.result.Summary.Conflicts = b.result.Summary.Skipped
	b.result.Census.Removals = b.result.Summary.Delete
	return b.result, nil
}

// inverse is the row that undoes one applied row.
func inverse(row *Row, current *user.User) Row {
	switch {
	case row.After == nil && current != nil, row.After != nil && !sameWrite(row.After, current):
		return conflictOf(row, current)
	case row.Before == nil:
		undo := storedRow(current)
		undo.Change, undo.Reason = Delete, "created by the sync"
		return undo
	case row.After == nil:
		before := *row.Before
		undo := storedRow(&before)
		undo.Before, undo.After, undo.Change, undo.Reason = nil, &before, Create, "removed by the sync"
		return undo
	}
	before := *row.Before
	undo := storedRow(&before)
	undo.Before, undo.After, undo.Change, undo.Reason = current, &before, Update, "changed by the sync"
	return undo
}

// sameWrite reports whether the stored user is still the one that the sync wrote. Only that makes it the sync's to take
// back: a rename may have written it as protected.
func sameWrite(written, current *user.User) bool {
	return current != nil && current.Version == written.Version && current.LastRunID == written.LastRunID
}

func conflictOf(row *Row, current *user.User) Row {
	switch {
	case current == nil:
		return conflictRow(row.After, ReasonChangedSince)
	case current.Protected:
		return conflictRow(current, ReasonProtectedSince)
	}
	return conflictRow(current, ReasonChangedSince)
}

func conflictRow(u *user.User, reason address.Reason) Row {
	row := storedRow(u)
	row.Change, row.Reason = Skipped, reason
	return row
}
