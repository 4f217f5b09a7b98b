package planfile

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"

	"rollcall/shared/plan"
	"rollcall/shared/planfile/packed"
	"rollcall/shared/run"
	"rollcall/shared/user"
)

// Meta is what a plan file says of its plan as a whole.
type Meta struct {
	Result run.Result `json:"result"`
	// Fingerprint is that of the settings that the directory was read with.
	Fingerprint string    `json:"fingerprint"`
	CreatedAt   time.Time `json:"createdAt"`
	// Facets are counted by the Writer. Plans of version 0.4 have none, nor have copies, which leave rows out.
	Facets *Facets `json:"facets,omitempty"`
}

// errOrder means that rows did not come ordered by key.
var errOrder = errors.New("rows must come ordered by key")

// Writer writes a plan file. It keeps one block a section, the list of blocks, and 16 bytes for each alias.
type Writer struct {
	out      io.Writer
	offset   int64
	sections []openBlock
	blocks   []blockInfo
	primary  primaryList
	facets   facets
	last     []byte
	packed   []byte
	err      error
}

// openBlock is the block of a section that is being filled.
type openBlock struct {
	data        []byte
	rows        uint32
	first, last []byte
	primaries   []uint64
}

// NewWriter returns a writer to w, which gets the file in one pass.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: w, sections: make([]openBlock, sectionCount()), facets: newFacets()}
}

// Add writes one row. Rows come ordered by key; a row may be reused once Add returns.
func (w *Writer) Add(row *plan.Row) error {
	if w.err != nil {
		return w.err
	}
	if row.Key < string(w.last) {
		w.err = fmt.Errorf("%w: %q after %q", errOrder, row.Key, w.last)
		return w.err
	}
	w.last = append(w.last[:0], row.Key...)
	s := sectionOf(row.Change, row.Kind, row.Type)
	b := &w.sections[s]
	if b.rows == 0 {
		b.first = append(b.first[:0], row.Key...)
	}
	b.last = append(b.last[:0], row.Key...)
	b.data = appendRow(b.data, row)
	b.rows++
	w.facets.add(row)
	if row.PrimaryKey != "" && (row.Kind != user.Primary || row.PrimaryKey != row.Key) {
		b.primaries = append(b.primaries, hashKey(row.PrimaryKey))
	}
	if b.rows == blockRows || len(b.data) >= blockBytes {
		w.flush(s)
	}
	return w.err
}

// flush writes a section's block.
func (w *Writer) flush(s section) {
	b := &w.sections[s]
	info := blockInfo{section: s, rows: b.rows, first: string(b.first), last: string(b.last)}
	info.offset, info.length, info.checksum = w.put(b.data)
	for _, hash := range b.primaries {
		w.primary.add(primaryEntry{hash: hash, block: uint32(len(w.blocks))})
	}
	w.blocks = append(w.blocks, info)
	*b = openBlock{data: b.data[:0], first: b.first[:0], last: b.last[:0], primaries: b.primaries[:0]}
}

// put compresses and writes data and returns where.
func (w *Writer) put(data []byte) (offset int64, length, checksum uint32) {
	w.packed = s2.Encode(w.packed[:cap(w.packed)], data)
	offset, length, checksum = w.offset, uint32(len(w.packed)), crc32.ChecksumIEEE(w.packed)
	w.write(w.packed)
	return offset, length, checksum
}

func (w *Writer) write(data []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(data)
		w.offset += int64(len(data))
	}
}

// Close writes what is left, and the footer. It does not close what it writes to.
func (w *Writer) Close(meta Meta) error {
	for s := range w.sections {
		if w.sections[s].rows > 0 {
			w.flush(section(s))
		}
	}
	meta.Facets = w.facets.of(w.blocks)
	return w.finish(meta, w.writeIndex())
}

// finish writes what stands behind the blocks of the index.
func (w *Writer) finish(meta Meta, index []indexInfo) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	footer := packed.AppendText(nil, string(text))
	footer = binary.AppendUvarint(footer, uint64(len(w.blocks)))
	for _, b := range w.blocks {
		footer = append(footer, byte(b.section))
		footer = appendPlace(footer, b.offset, b.length, b.checksum)
		footer = binary.AppendUvarint(footer, uint64(b.rows))
		footer = packed.AppendText(footer, b.first)
		footer = packed.AppendText(footer, b.last)
	}
	footer = binary.AppendUvarint(footer, uint64(len(index)))
	for _, b := range index {
		footer = appendPlace(footer, b.offset, b.length, b.checksum)
		footer = binary.LittleEndian.AppendUint64(footer, b.first)
	}
	offset, length, checksum := w.put(footer)
	trailer := binary.LittleEndian.AppendUint64(nil, uint64(offset))
	trailer = binary.LittleEndian.AppendUint32(trailer, length)
	trailer = binary.LittleEndian.AppendUint32(trailer, checksum)
	trailer = binary.LittleEndian.AppendUint32(trailer, formatVersion)
	w.write(append(trailer, magic[:]...))
	return w.err
}

func appendPlace(b []byte, offset int64, length, checksum uint32) []byte {
	b = binary.AppendUvarint(b, uint64(offset))
	b = binary.AppendUvarint(b, uint64(length))
	return binary.LittleEndian.AppendUint32(b, checksum)
}

// writeIndex writes the blocks that find a primary's aliases.
func (w *Writer) writeIndex() []indexInfo {
	entries := slices.Compact(w.primary.sorted())
	var index []indexInfo
	var data []byte
	for part := range slices.Chunk(entries, indexRows) {
		data = data[:0]
		for _, e := range part {
			data = binary.LittleEndian.AppendUint64(data, e.hash)
			data = binary.LittleEndian.AppendUint32(data, e.block)
		}
		info := indexInfo{first: part[0].hash}
		info.offset, info.length, info.checksum = w.put(data)
		index = append(index, info)
	}
	return index
}

// primaryList keeps entries in blocks, so that to grow costs no copy of what is there.
type primaryList struct {
	blocks [][]primaryEntry
	count  int
}

func (l *primaryList) add(e primaryEntry) {
	if l.count%indexRows == 0 {
		l.blocks = append(l.blocks, make([]primaryEntry, 0, indexRows))
	}
	last := len(l.blocks) - 1
	l.blocks[last] = append(l.blocks[last], e)
	l.count++
}

// sorted returns the entries, of which hashes are spread evenly, ordered by hash and block: it deals them out by their
// first bits and sorts a few at a time, which takes a quarter of the time of sorting all.
func (l *primaryList) sorted() []primaryEntry {
	const few = 16
	width := bits.Len(uint(l.count / few))
	shift := 64 - width
	ends := make([]int32, 1<<width)
	for _, block := range l.blocks {
		for _, e := range block {
			ends[e.hash>>shift]++
		}
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	sorted := make([]primaryEntry, l.count)
	at := slices.Clone(ends)
	for i := len(l.blocks) - 1; i >= 0; i-- {
		for _, e := range slices.Backward(l.blocks[i]) {
			at[e.hash>>shift]--
			sorted[at[e.hash>>shift]] = e
		}
	}
	for i, end := range ends {
		slices.SortFunc(sorted[at[i]:end], comparePrimary)
	}
	return sorted
}

func comparePrimary(a, b primaryEntry) int {
	if a.hash != b.hash {
		return cmp.Compare(a.hash, b.hash)
	}
	return cmp.Compare(a.block, b.block)
}

// hashKey hashes a canonical address (FNV-1a, 64 bit). Rows are compared by the address itself afterwards.
func hashKey(key string) uint64 {
	hash := uint64(14695981039346656037)
	for i := range len(key) {
		hash = (hash ^ uint64(key[i])) * 1099511628211
	}
	return hash
}
