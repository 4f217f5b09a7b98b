// Package userlist keeps all users of an account in memory while a plan is made.
package userlist

import (
	"encoding/binary"
	"iter"
	"unsafe"

	"rollcall/shared/packed"
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

// All yields the users. Their text is shared with the list and stays valid.
func (l *List) All() iter.Seq[user.User] {
	return func(yield func(user.User) bool) {
		for _, block := range l.blocks {
			// A block's bytes are never written again once they hold a user, so texts may share them.
			r := packed.NewReader(unsafe.String(unsafe.SliceData(block), len(block)))
			for r.Left() > 0 {
				if !yield(l.read(&r)) {
					return
				}
			}
		}
	}
}

// read reads one user. The list wrote it, so that nothing can be wrong with it.
func (l *List) read(r *packed.Reader) user.User {
	u := user.User{Key: r.Text()}
	u.Address = r.Twin(u.Key)
	u.PrimaryAddress = r.Twin(u.Address)
	u.SourceID, u.DN = r.Text(), r.Text()
	var kind, typ, source, report string
	for _, s := range []*string{&kind, &typ, &source, &report, &u.DirectoryID, &u.LastRunID} {
		*s = l.texts[r.Uvarint()]
	}
	u.Kind, u.Type, u.Source, u.HeldSpamReport = user.Kind(kind), user.Type(typ), user.Source(source), user.HeldSpamReport(report)
	u.Protected = r.Bool()
	u.Version = r.Varint()
	u.CreatedAt, u.UpdatedAt = r.Time(), r.Time()
	return u
}

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
