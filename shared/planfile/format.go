// Package planfile stores a plan so that any page of it can be read at once, whatever is asked for. Rows go into
// sections, one for each change, kind and type, each ordered by key and cut into compressed blocks; a page is a merge
// of the sections that the filter names. A plan file is written in one pass and never changed.
//
//	block… | index block… | footer | trailer
//
// The footer lists every block with its section, place, first and last key and number of rows; the trailer, of fixed
// length, says where the footer is. docs/adr/0001-plan-snapshots.md has the reasons.
package planfile

import (
	"errors"

	"rollcall/shared/plan"
	"rollcall/shared/user"
)

// The errors of a Reader.
var (
	// ErrDamaged means that an object is not a plan file, or not all of one.
	ErrDamaged = errors.New("the stored plan is damaged")
	// ErrVersion means that a plan file was written by a program with another format.
	ErrVersion = errors.New("the stored plan has another format")
	// ErrBadCursor means that a cursor is not one that the same list gave.
	ErrBadCursor = errors.New("the cursor does not belong to this list")
)

const (
	// blockRows is how many rows a block holds: few enough that a page which needs one row of a block costs little,
	// many enough that they compress well.
	blockRows = 256
	// blockBytes is the length at which a block is closed before it has so many rows. A directory's values may be
	// megabytes long, and a reader takes no block that is longer than maxBlock.
	blockBytes = 4 << 20
	// indexRows is how many entries a block of the primary index holds.
	indexRows = 4096
	// indexEntry is the length of one of them in bytes: a hash and the number of a block.
	indexEntry = 8 + 4

	formatVersion = 2
	trailerSize   = 8 + 8 + 4 + 4
)

// magic ends every plan file.
var magic = [4]byte{'R', 'C', 'P', 'L'}

// section numbers a combination of change, kind and type.
type section uint8

// kinds has a place for skipped values that are of no kind.
var (
	changes = plan.Changes()
	kinds   = []user.Kind{user.Primary, user.Alias, ""}
	types   = append(user.Types(), "")
)

// sectionOf returns the section of a row.
func sectionOf(change plan.Change, kind user.Kind, typ user.Type) section {
	c, k, t := indexOf(changes, change), indexOf(kinds, kind), indexOf(types, typ)
	return section((c*len(kinds)+k)*len(types) + t)
}

func sectionCount() int { return len(changes) * len(kinds) * len(types) }

// changeRank is the place of the section's change in their order.
func (s section) changeRank() int { return int(s) / (len(kinds) * len(types)) }

func (s section) change() plan.Change { return changes[s.changeRank()] }
func (s section) kind() user.Kind     { return kinds[int(s)/len(types)%len(kinds)] }
func (s section) typ() user.Type      { return types[int(s)%len(types)] }

// indexOf returns the place of v in list, or the last place if v is not in it.
func indexOf[T comparable](list []T, v T) int {
	for i := range list {
		if list[i] == v {
			return i
		}
	}
	return len(list) - 1
}

// blockInfo is what the footer says of a block.
type blockInfo struct {
	section     section
	offset      int64
	length      uint32
	checksum    uint32
	rows        uint32
	first, last string
}

// indexInfo is what the footer says of a block of the primary index.
type indexInfo struct {
	offset   int64
	length   uint32
	checksum uint32
	first    uint64
}

// primaryEntry says that a block holds rows of a primary, known by the hash of its key.
type primaryEntry struct {
	hash  uint64
	block uint32
}
