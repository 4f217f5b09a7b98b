// Package userlist keeps all users of an account in memory while a plan is made.
package userlist

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// List keeps many users in little memory: half the length of their text or less, since users come ordered by key and
// neighbours have much in common. It is append-only and yields users in the order of appending.
type List struct {
	// blocks are compressed, and the garbage collector does not look into them; open is the block that is being filled.
	blocks [][]byte
	open   []byte
	// packed is where a block is compressed before its length is known.
	packed []byte
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

// blockSize is the length at which a block is compressed, in bytes: larger ones compress no better.
const blockSize = 32 << 10

// Append adds a user. No walk may be under way.
func (l *List) Append(u *user.User) {
	n := l.origin(u)
	l.open = listedUser.Append(binary.AppendUvarint(l.open, n), u, &l.origins[n])
	l.count++
	if len(l.open) >= blockSize {
		l.packed = s2.Encode(l.packed[:cap(l.packed)], l.open)
		l.blocks = append(l.blocks, bytes.Clone(l.packed))
		l.open = l.open[:0]
	}
}

// Len returns the number of users.
func (l *List) Len() int { return l.count }

// Walk begins a walk over the users, in the order of appending. A user and its text are valid until the next one; nil
// ends them. A walk has one block unpacked at a time, always in the same memory.
func (l *List) Walk() (next func() *user.User) {
	var u user.User
	var r packed.Reader
	var memory []byte
	at := 0
	return func() *user.User {
		for r.Left() == 0 {
			if at > len(l.blocks) {
				return nil
			}
			memory = l.unpack(at, memory)
			r = packed.NewReader(unsafe.String(unsafe.SliceData(memory), len(memory)))
			at++
		}
		l.read(&r, &u)
		return &u
	}
}

// unpack returns the text of a block, in the memory given if it fits. The last block is the open one.
func (l *List) unpack(block int, memory []byte) []byte {
	if block == len(l.blocks) {
		return l.open
	}
	text, err := s2.Decode(memory[:cap(memory)], l.blocks[block])
	if err != nil {
		// The list wrote it. If it ended here, the users behind would look as if they were gone.
		panic(fmt.Sprintf("unpack block %d of the users in memory: %v", block, err))
	}
	return text
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
	// The user's text may not last.
	o = origin{strings.Clone(o.directoryID), strings.Clone(o.lastRunID)}
	n := uint64(len(l.origins))
	l.numbers[o] = n
	l.origins = append(l.origins, user.User{DirectoryID: o.directoryID, LastRunID: o.lastRunID})
	return n
}
