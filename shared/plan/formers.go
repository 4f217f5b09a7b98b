package plan

import (
	"encoding/binary"
	"hash/maphash"

	"rollcall/shared/user"
)

// formers keeps, by source id, the stored primaries of entries that have another primary now. In a directory that
// renames everybody there are as many as entries, so they are kept as bytes: a map of structures takes twice as much.
type formers struct {
	// hash may give two ids the same number.
	hash func(sourceID string) uint64
	// heads has the place of the newest record whose source id has a hash.
	heads map[uint64]int
	// blocks hold the records, whose places count through them as if all had formersBlock bytes.
	blocks [][]byte
	// record is where one is made.
	record []byte
}

// formersBlock is the size of a block in bytes. A record is smaller: address and id are bounded when they are read.
const formersBlock = 64 << 10

// formerPrimary is what a new primary inherits.
type formerPrimary struct {
	address   string
	report    user.HeldSpamReport
	protected bool
	written
}

func newFormers() *formers {
	seed := maphash.MakeSeed()
	return &formers{
		hash:  func(sourceID string) uint64 { return maphash.String(seed, sourceID) },
		heads: make(map[uint64]int),
	}
}

// add keeps a stored primary, unless one of the same entry that was written after it is kept. It copies the user's
// text.
func (f *formers) add(u *user.User) {
	if earlier, ok := f.find(u.SourceID); ok && !writtenAt(u).after(earlier.written) {
		return
	}
	hash := f.hash(u.SourceID)
	next := 0
	if head, ok := f.heads[hash]; ok {
		next = head + 1
	}
	record := binary.AppendUvarint(f.record[:0], uint64(next)) //nolint:gosec // not negative
	record = appendText(record, u.SourceID)
	record = appendText(record, u.Address)
	record = appendText(record, string(u.HeldSpamReport))
	w := writtenAt(u)
	record = binary.AppendVarint(binary.AppendVarint(record, w.at), w.version)
	protected := byte(0)
	if u.Protected {
		protected = 1
	}
	f.record = append(record, protected)
	f.heads[hash] = f.store(f.record)
}

// store keeps a record and returns its place.
func (f *formers) store(record []byte) (place int) {
	last := len(f.blocks) - 1
	if last < 0 || len(f.blocks[last])+len(record) > formersBlock {
		f.blocks = append(f.blocks, make([]byte, 0, max(formersBlock, len(record))))
		last++
	}
	place = last*formersBlock + len(f.blocks[last])
	f.blocks[last] = append(f.blocks[last], record...)
	return place
}

// find returns the newest that was kept for a source id.
func (f *formers) find(sourceID string) (found formerPrimary, ok bool) {
	head, ok := f.heads[f.hash(sourceID)]
	for next := head + 1; ok && next > 0; {
		rest := f.blocks[(next-1)/formersBlock][(next-1)%formersBlock:]
		following, n := binary.Uvarint(rest)
		id, rest := cutText(rest[n:])
		if string(id) != sourceID {
			next = int(following) //nolint:gosec // a place plus one
			continue
		}
		address, rest := cutText(rest)
		report, rest := cutText(rest)
		at, n := binary.Varint(rest)
		version, m := binary.Varint(rest[n:])
		return formerPrimary{
			address: string(address), report: user.HeldSpamReport(report), protected: rest[n+m] == 1,
			written: written{at, version},
		}, true
	}
	return found, false
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

func cutText(from []byte) (text, rest []byte) {
	size, n := binary.Uvarint(from)
	from = from[n:]
	return from[:size], from[size:]
}
