// Package userlist keeps all users of an account in memory while a plan is made.
package userlist

import (
	"encoding/binary"
	"unsafe"

	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// List keeps many users in little memory: about the length of their text plus 40 bytes each, in blocks that the
// garbage collector does not look into. It is append-only and yields users in the order of appending.
type List struct {
	blocks [][]byte
	count  int
	// origins are the pairs of directory and run that users have in common, and numbers their places.
	origins []user.User
	numbers map[origin]uint64
}

// origin is what nearly all users share with others.
type origin struct{ directoryID, lastRunID string }

// listedUser is how a user is kept in memory, behind the number of its origin.
var listedUser = packed.Layout{
	Items: []packed.Item{
		{Field: packed.Key},
		{Field: packed.Address, Form: packed.UnlessKey}, {Field: packed.PrimaryAddress, Form: packed.UnlessKey},
		{Field: packed.SourceID}, {Field: packed.DN},
		{Field: packed.DirectoryID, Form: packed.UnlessBase}, {Field: packed.LastRunID, Form: packed.UnlessBase},
		{Field: packed.Kind, Form: packed.FromKnown}, {Field: packed.Type, Form: packed.FromKnown},
		{Field: packed.Source, Form: packed.FromKnown}, {Field: packed.HeldSpamReport, Form: packed.FromKnown},
		{Field: packed.Protected}, {Field: packed.Version}, {Field: packed.CreatedAt}, {Field: packed.UpdatedAt},
	},
	Known: packed.UserTexts(),
}

// listBlock is the size of a block in bytes; one user never spans two.
const listBlock = 1 << 20

// Append adds a user.
func (l *List) Append(u *user.User) {
	need := len(u.Key) + len(u.Address) + len(u.PrimaryAddress) + len(u.SourceID) + len(u.DN) + 128
	last := len(l.blocks) - 1
	if last < 0 || cap(l.blocks[last])-len(l.blocks[last]) < need {
		l.blocks = append(l.blocks, make([]byte, 0, max(listBlock, need)))
		last++
	}
	b := l.blocks[last]
	n := l.origin(u)
	b = listedUser.Append(binary.AppendUvarint(b, n), u, &l.origins[n])
	l.blocks[last] = b
	l.count++
}

// Len returns the number of users.
func (l *List) Len() int { return l.count }

// Walk begins a walk over the users, in the order of appending. A user is valid until the next one, its text as long
// as the list; nil ends them.
func (l *List) Walk() (next func() *user.User) {
	var u user.User
	var r packed.Reader
	blocks := l.blocks
	return func() *user.User {
		for r.Left() == 0 {
			if len(blocks) == 0 {
				return nil
			}
			// A block's bytes are never written again once they hold a user, so texts may share them.
			r = packed.NewReader(unsafe.String(unsafe.SliceData(blocks[0]), len(blocks[0])))
			blocks = blocks[1:]
		}
		l.read(&r, &u)
		return &u
	}
}

// read reads one user. The list wrote it, so that nothing can be wrong with it.
func (l *List) read(r *packed.Reader, u *user.User) {
	listedUser.Read(r, u, &l.origins[r.Uvarint()])
}

// origin returns the number of a user's origin.
func (l *List) origin(u *user.User) uint64 {
	o := origin{u.DirectoryID, u.LastRunID}
	if n, ok := l.numbers[o]; ok {
		return n
	}
	if l.numbers == nil {
		l.numbers = make(map[origin]uint64)
	}
	n := uint64(len(l.origins))
	l.numbers[o] = n
	l.origins = append(l.origins, user.User{DirectoryID: u.DirectoryID, LastRunID: u.LastRunID})
	return n
}
