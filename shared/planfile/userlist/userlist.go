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
	// interned numbers the texts that nearly every user shares (run and directory ids).
	interned map[string]uint64
	texts    []string
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
	l.blocks[last] = b
	l.count++
}

// Len returns the number of users.
func (l *List) Len() int { return l.count }

// Walk begins a walk over the users, in the order of appending. A user is valid until the next one, its text as long as the list;
// nil ends them.
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
