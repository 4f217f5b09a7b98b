package user

import (
	"encoding/binary"
	"iter"
	"time"
	"unsafe"
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
func (l *List) Append(u *User) {
	need := len(u.Key) + len(u.Address) + len(u.PrimaryAddress) + len(u.SourceID) + len(u.DN) + 128
	last := len(l.blocks) - 1
	if last < 0 || cap(l.blocks[last])-len(l.blocks[last]) < need {
		l.blocks = append(l.blocks, make([]byte, 0, max(listBlock, need)))
		last++
	}
	b := l.blocks[last]
	b = appendText(b, u.Key)
	b = appendShared(b, u.Address, u.Key)
	b = appendShared(b, u.PrimaryAddress, u.Address)
	b = appendText(b, u.SourceID)
	b = appendText(b, u.DN)
	for _, s := range []string{string(u.Kind), string(u.Type), string(u.Source), string(u.HeldSpamReport), u.DirectoryID, u.LastRunID} {
		b = binary.AppendUvarint(b, l.intern(s))
	}
	protected := byte(0)
	if u.Protected {
		protected = 1
	}
	b = append(b, protected)
	b = binary.AppendVarint(b, u.Version)
	b = appendTime(b, u.CreatedAt)
	b = appendTime(b, u.UpdatedAt)
	l.blocks[last] = b
	l.count++
}

// Len returns the number of users.
func (l *List) Len() int { return l.count }

// All yields the users. Their text is shared with the list and stays valid.
func (l *List) All() iter.Seq[User] {
	return func(yield func(User) bool) {
		for _, block := range l.blocks {
			for rest := block; len(rest) > 0; {
				var u User
				u, rest = l.decode(rest)
				if !yield(u) {
					return
				}
			}
		}
	}
}

func (l *List) decode(b []byte) (User, []byte) {
	var u User
	u.Key, b = takeText(b)
	u.Address, b = takeShared(b, u.Key)
	u.PrimaryAddress, b = takeShared(b, u.Address)
	u.SourceID, b = takeText(b)
	u.DN, b = takeText(b)
	var kind, typ, source, report string
	for _, s := range []*string{&kind, &typ, &source, &report, &u.DirectoryID, &u.LastRunID} {
		n, w := binary.Uvarint(b)
		*s, b = l.texts[n], b[w:]
	}
	u.Kind, u.Type, u.Source, u.HeldSpamReport = Kind(kind), Type(typ), Source(source), HeldSpamReport(report)
	u.Protected, b = b[0] == 1, b[1:]
	version, w := binary.Varint(b)
	u.Version, b = version, b[w:]
	u.CreatedAt, b = takeTime(b)
	u.UpdatedAt, b = takeTime(b)
	return u, b
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

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func takeText(b []byte) (string, []byte) {
	n, w := binary.Uvarint(b)
	b = b[w:]
	if n == 0 {
		return "", b
	}
	// A block's bytes are never written again once they hold a user, so a string may share them.
	return unsafe.String(&b[0], int(n)), b[n:]
}

// appendShared writes s, or a mark that it equals twin: 0 for equal, else the length plus one.
func appendShared(b []byte, s, twin string) []byte {
	if s == twin {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

func takeShared(b []byte, twin string) (string, []byte) {
	n, w := binary.Uvarint(b)
	b = b[w:]
	switch n {
	case 0:
		return twin, b
	case 1:
		return "", b
	}
	return unsafe.String(&b[0], int(n-1)), b[n-1:]
}

// appendTime writes t as nanoseconds since 1970, and the zero time as 0.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

func takeTime(b []byte) (time.Time, []byte) {
	n, w := binary.Varint(b)
	if n == 0 {
		return time.Time{}, b[w:]
	}
	return time.Unix(0, n).UTC(), b[w:]
}
