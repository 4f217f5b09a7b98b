// Package userlist keeps all users of an account in memory while a plan is made.
package userlist

import (
	"bytes"
	"encoding/binary"
	"fmt"
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
	// interned numbers the texts that nearly every user shares (run and directory ids).
	interned map[string]uint64
	texts    []string
}

// blockSize is the length at which a block is compressed, in bytes: larger ones compress no better.
const blockSize = 32 << 10

// Append adds a user. No walk may be under way.
func (l *List) Append(u *user.User) {
	b := l.open
	b = packed.AppendText(b, u.Key)
	b = packed.AppendTwin(b, u.Address, u.Key)
	b = packed.AppendTwin(b, u.PrimaryAddress, u.Address)
	b = packed.AppendText(b, u.SourceID)
	b = packed.AppendText(b, u.DN)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport), u.DirectoryID, u.LastRunID} {
		b = binary.AppendUvarint(b, l.intern(s))
	}
	b = packed.AppendBool(b, u.Protected)
	b = binary.AppendVarint(b, u.Version)
	b = packed.AppendTime(b, u.CreatedAt)
	b = packed.AppendTime(b, u.UpdatedAt)
	l.open = b
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
	u.Key = r.Text()
	u.Address = r.Twin(u.Key)
	u.PrimaryAddress = r.Twin(u.Address)
	u.SourceID, u.DN = r.Text(), r.Text()
	u.Kind, u.Type = user.Kind(l.text(r)), user.Type(l.text(r))
	u.Source, u.HeldSpamReport = user.Source(l.text(r)), user.HeldSpamReport(l.text(r))
	u.DirectoryID, u.LastRunID = l.text(r), l.text(r)
	u.Protected = r.Bool()
	u.Version = r.Varint()
	u.CreatedAt, u.UpdatedAt = r.Time(), r.Time()
}

// text reads the number of an interned text.
func (l *List) text(r *packed.Reader) string { return l.texts[r.Uvarint()] }

func (l *List) intern(s string) uint64 {
	if n, ok := l.interned[s]; ok {
		return n
	}
	if l.interned == nil {
		l.interned = make(map[string]uint64)
	}
	n := uint64(len(l.texts))
	l.interned[s] = n
	l.texts = append(l.texts, s)
	return n
}
