package planfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"rollcall/shared/plan"
)

// maxBlock bounds the length of a block once it is unpacked, in bytes.
const maxBlock = 1 << 30

// Reader reads a plan file. It may be used by several goroutines at once, as far as the object may.
type Reader struct {
	object io.ReaderAt
	meta   Meta
	blocks []blockInfo
	// sections lists each section's blocks, in order, by their place in blocks.
	sections [][]int
	index    []indexInfo
	order    *batchOrder
}

// trailer ends a plan file: where its footer is, how long, its checksum, and the format.
type trailer [trailerSize]byte

// Open reads the footer of a plan file of the given size.
func Open(object io.ReaderAt, size int64) (*Reader, error) {
	end, err := readTrailer(object, size)
	if err != nil {
		return nil, err
	}
	return open(object, size, end)
}

func readTrailer(object io.ReaderAt, size int64) (end trailer, err error) {
	if size < trailerSize {
		return end, fmt.Errorf("read the trailer: %w", ErrDamaged)
	}
	if _, err := object.ReadAt(end[:], size-trailerSize); err != nil {
		return end, fmt.Errorf("read the trailer: %w", err)
	}
	if !bytes.Equal(end[trailerSize-4:], magic[:]) {
		return end, fmt.Errorf("read the trailer: %w", ErrDamaged)
	}
	if v := binary.LittleEndian.Uint32(end[16:]); v != formatVersion {
		return end, fmt.Errorf("%w: it is %d, and this program reads %d", ErrVersion, v, formatVersion)
	}
	return end, nil
}

func open(object io.ReaderAt, size int64, end trailer) (*Reader, error) {
	offset := int64(binary.LittleEndian.Uint64(end[:]))
	length := binary.LittleEndian.Uint32(end[8:])
	if offset < 0 || offset > size || int64(length) > size-offset {
		return nil, fmt.Errorf("read the trailer: %w", ErrDamaged)
	}
	r := &Reader{object: object, sections: make([][]int, sectionCount()), order: new(batchOrder)}
	footer, err := r.unpack(offset, length, binary.LittleEndian.Uint32(end[12:]), nil)
	if err != nil {
		return nil, fmt.Errorf("read the footer: %w", err)
	}
	return r, r.readFooter(footer, size)
}

func (r *Reader) readFooter(footer string, size int64) error {
	d := newDecoder(footer)
	if err := json.Unmarshal([]byte(d.Text()), &r.meta); err != nil {
		return fmt.Errorf("read the footer: %w", ErrDamaged)
	}
	count := d.Count()
	r.blocks = make([]blockInfo, 0, count)
	for range count {
		b := blockInfo{section: section(d.Byte())}
		b.offset, b.length, b.checksum = d.place(size)
		b.rows = uint32(d.Uvarint())
		b.first, b.last = d.Text(), d.Text()
		if int(b.section) >= len(r.sections) || b.rows > blockRows {
			d.Fail()
		}
		if d.Err() != nil {
			break
		}
		r.sections[b.section] = append(r.sections[b.section], len(r.blocks))
		r.blocks = append(r.blocks, b)
	}
	for range d.Count() {
		var b indexInfo
		b.offset, b.length, b.checksum = d.place(size)
		if text := d.Take(8); d.Err() == nil {
			b.first = binary.LittleEndian.Uint64([]byte(text))
		}
		r.index = append(r.index, b)
	}
	return d.finish("read the footer")
}

func (d *decoder) place(size int64) (offset int64, length, checksum uint32) {
	at, n := d.Uvarint(), d.Uvarint()
	if sum := d.Take(4); d.Err() == nil {
		checksum = binary.LittleEndian.Uint32([]byte(sum))
	}
	if at > uint64(size) || n > uint64(size)-at || n > maxBlock {
		d.Fail()
		return 0, 0, 0
	}
	return int64(at), uint32(n), checksum
}

// memory is what unpacking uses again, block after block.
type memory struct{ packed, text []byte }

// unpack reads and unpacks one block, into the given memory, or into memory of its own where that is nil.
func (r *Reader) unpack(offset int64, length, checksum uint32, in *memory) (string, error) {
	if in == nil {
		in = new(memory)
	}
	var err error
	if in.packed, err = r.read(offset, length, checksum, in.packed); err != nil {
		return "", err
	}
	if n, err := s2.DecodedLen(in.packed); err != nil || n > maxBlock {
		return "", ErrDamaged
	}
	data, err := s2.Decode(in.text[:cap(in.text)], in.packed)
	if err != nil {
		return "", ErrDamaged
	}
	in.text = data
	// Nothing writes to data any more until the memory is used again, so that the text may share it.
	return unsafe.String(unsafe.SliceData(data), len(data)), nil
}

// read reads one block as it is stored, in the memory given if it fits.
func (r *Reader) read(offset int64, length, checksum uint32, memory []byte) ([]byte, error) {
	memory = slices.Grow(memory[:0], int(length))[:length]
	if _, err := r.object.ReadAt(memory, offset); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(memory) != checksum {
		return nil, ErrDamaged
	}
	return memory, nil
}

// Meta returns what the file says of its plan as a whole.
func (r *Reader) Meta() Meta { return r.meta }

// block returns the rows of a block.
func (r *Reader) block(n int) ([]plan.Row, error) {
	info := &r.blocks[n]
	text, err := r.unpack(info.offset, info.length, info.checksum, nil)
	if err != nil {
		return nil, fmt.Errorf("read block %d of the stored plan: %w", n, err)
	}
	rows := make([]plan.Row, info.rows)
	d := newDecoder(text)
	for i := range rows {
		d.row(info.section, &rows[i])
		d.usersOf(&rows[i])
	}
	return rows, d.finish(fmt.Sprintf("read block %d of the stored plan", n))
}

// holding returns the blocks that may hold aliases of a primary, in order.
func (r *Reader) holding(primary string) ([]int, error) {
	want := hashKey(primary)
	start, _ := slices.BinarySearchFunc(r.index, want, func(b indexInfo, hash uint64) int {
		switch {
		case b.first < hash:
			return -1
		case b.first > hash:
			return 1
		}
		return 0
	})
	// The entries may begin in the block before the first one that starts with the hash.
	if start > 0 {
		start--
	}
	var blocks []int
	for ; start < len(r.index) && r.index[start].first <= want; start++ {
		text, err := r.unpack(r.index[start].offset, r.index[start].length, r.index[start].checksum, nil)
		if err != nil {
			return nil, fmt.Errorf("read the index of the stored plan: %w", err)
		}
		for data := []byte(text); len(data) >= indexEntry; data = data[indexEntry:] {
			if n := binary.LittleEndian.Uint32(data[8:]); binary.LittleEndian.Uint64(data) == want &&
				int(n) < len(r.blocks) {
				blocks = append(blocks, int(n))
			}
		}
	}
	return blocks, nil
}

// Verify reads every block, those of the index too, and compares its checksum, so that whoever applies the plan knows
// that all of it can be read. The error is ErrDamaged where one differs.
func (r *Reader) Verify(ctx context.Context) error {
	var reused memory
	for n := range r.blocks {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b := &r.blocks[n]
		if _, err := r.unpack(b.offset, b.length, b.checksum, &reused); err != nil {
			return fmt.Errorf("read block %d of the stored plan: %w", n, err)
		}
	}
	for _, b := range r.index {
		if _, err := r.unpack(b.offset, b.length, b.checksum, &reused); err != nil {
			return fmt.Errorf("read the index of the stored plan: %w", err)
		}
	}
	return nil
}
