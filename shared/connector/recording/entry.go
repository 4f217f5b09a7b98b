package recording

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"unsafe"

	"rollcall/shared/directory"
	"rollcall/shared/planfile/packed"
)

// The bounds of what both sides remember within a block.
const (
	// maxShapes and maxNames bound the shapes and their attributes.
	maxShapes = 4096
	maxNames  = 16 << 10
	// maxValues bounds the values of an entry.
	maxValues = 1 << 20
	// maxColumn is how many values of an attribute are compared with those of the entry before.
	maxColumn = 64
)

// shape is which attributes an entry has, and how many values of each. Most entries of a directory share a few.
type shape struct {
	names  []string
	counts []int
	// columns has the memory of each value, nil from the maxColumn-th of an attribute on.
	columns []*column
	values  int
}

// column remembers the value that stood in the same place before.
type column struct{ last []byte }

// set replaces the value.
func (c *column) set(v []byte) { c.last = append(c.last[:0], v...) }

// memory is what a block's entries are written as the difference from. Both sides build it alike, again for each block.
type memory struct {
	shapes  []*shape
	dn      column
	columns map[place][]*column
	names   int
}

// place is an attribute of an entry, for which time it comes.
type place struct {
	name string
	time int
}

func newMemory() memory { return memory{columns: make(map[place][]*column)} }

// full reports whether no shape of so many attributes can be added.
func (m *memory) full(attributes int) bool {
	return len(m.shapes) >= maxShapes || m.names+attributes > maxNames
}

// add makes the next shape.
func (m *memory) add(names []string, counts []int) *shape {
	s := &shape{names: names, counts: counts}
	times := make(map[string]int, len(names))
	for i, name := range names {
		// A server that sends an attribute twice gives each its own columns: both are in memory at once.
		times[name]++
		key := place{name, times[name]}
		columns := m.columns[key]
		for len(columns) < min(counts[i], maxColumn) {
			columns = append(columns, new(column))
		}
		m.columns[key] = columns
		for n := range counts[i] {
			if n < maxColumn {
				s.columns = append(s.columns, columns[n])
			}
		}
		s.values += counts[i]
	}
	m.names += len(names)
	m.shapes = append(m.shapes, s)
	return s
}

// A value in a column begins with one of these, or with the length of the beginning that it shares and likeBefore.
const (
	same = iota
	// uuid is the text form of 16 bytes (RFC 9562, 4), which no compressor makes shorter.
	uuid
	likeBefore
)

const uuidText = 36

// appendValue writes a value by what it has in common with the last one.
func appendValue(b, v []byte, c *column) []byte {
	last := c.last
	begins := shared(v, last)
	if begins == len(v) && begins == len(last) {
		return append(b, same)
	}
	v, last = v[begins:], last[begins:]
	ends := sharedEnd(v, last)
	own := v[:len(v)-ends]
	if len(own) > uuidText/2 && begins+len(v) == uuidText {
		whole := append(append(make([]byte, 0, uuidText), c.last[:begins]...), v...)
		if raw, ok := parseUUID(whole); ok {
			c.set(whole)
			return append(append(b, uuid), raw[:]...)
		}
	}
	b = binary.AppendUvarint(b, uint64(begins)+likeBefore)
	b = binary.AppendUvarint(b, uint64(ends))
	b = binary.AppendUvarint(b, uint64(len(own)))
	b = append(b, own...)
	c.last = append(c.last[:begins], v...)
	return b
}

// shared counts the bytes that two values begin with.
func shared(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// sharedEnd counts the bytes that two values end with.
func sharedEnd(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		x := binary.LittleEndian.Uint64(a[len(a)-i-8:]) ^ binary.LittleEndian.Uint64(b[len(b)-i-8:])
		if x != 0 {
			return i + bits.LeadingZeros64(x)/8
		}
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}

// parseUUID reads a UUID as appendUUID writes it.
func parseUUID(text []byte) (raw [16]byte, ok bool) {
	var digits [32]byte
	n := 0
	for i, c := range text {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return raw, false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			digits[n] = c
			n++
		default:
			return raw, false
		}
	}
	_, err := hex.Decode(raw[:], digits[:n])
	return raw, err == nil
}

func appendUUID(b, raw []byte) []byte {
	for i := range raw {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, raw[i:i+1])
	}
	return b
}

// decoder reads entries back.
type decoder struct {
	packed.Reader
	memory
	// most bounds an entry in bytes.
	most  int
	entry directory.Entry
	// text has the values of the entry at hand, and values the slices of them.
	text   []byte
	values [][]byte
}

// shape reads which attributes the entry has.
func (d *decoder) shape(first uint64) *shape {
	if first >= knownShape {
		if first-knownShape >= uint64(len(d.shapes)) {
			d.Fail()
			return nil
		}
		return d.shapes[first-knownShape]
	}
	count := d.Count()
	if d.full(count) {
		d.Fail()
		return nil
	}
	names, counts := make([]string, count), make([]int, count)
	values := 0
	for i := range count {
		names[i], counts[i] = string([]byte(d.Text())), d.Count()
		// Each value takes a byte at least.
		if values += counts[i]; values > min(d.Left(), maxValues) {
			d.Fail()
		}
	}
	if d.Err() != nil {
		return nil
	}
	return d.add(names, counts)
}

// next reads the rest of an entry's record, of which the first number is read. The entry is valid until the next one.
func (d *decoder) next(first uint64) *directory.Entry {
	s := d.shape(first)
	if s == nil || s.values > min(d.Left(), maxValues) {
		d.Fail()
		return nil
	}
	size := 0
	d.values = d.values[:0]
	d.entry.DN = d.value(&d.dn, &size)
	d.entry.Attributes = d.entry.Attributes[:0]
	column := 0
	for i, name := range s.names {
		from := len(d.values)
		for n := range s.counts[i] {
			if n >= maxColumn {
				text := d.Text()
				// It shares the records' memory, which nobody writes to before the next block.
				d.values = append(d.values, unsafe.Slice(unsafe.StringData(text), len(text)))
				continue
			}
			d.values = append(d.values, d.value(s.columns[column], &size))
			column++
		}
		d.entry.Attributes = append(d.entry.Attributes, directory.Attribute{Name: name,
			Values: d.values[from:len(d.values):len(d.values)]})
	}
	if d.Err() != nil {
		return nil
	}
	return &d.entry
}

// value reads what appendValue wrote. A column's memory is its value's until the next one.
func (d *decoder) value(c *column, size *int) []byte {
	switch first := d.Uvarint(); first {
	case same:
	case uuid:
		c.last = appendUUID(c.last[:0], []byte(d.Take(16)))
	default:
		begins, ends := first-likeBefore, d.Uvarint()
		own := d.Text()
		if begins > uint64(len(c.last)) || ends > uint64(len(c.last))-begins {
			d.Fail()
			return nil
		}
		tail := c.last[uint64(len(c.last))-ends:]
		if len(own) == len(c.last)-int(begins)-int(ends) {
			copy(c.last[begins:], own)
			break
		}
		d.text = append(d.text[:0], tail...)
		c.last = append(append(c.last[:begins], own...), d.text...)
	}
	if *size += len(c.last); *size > d.most {
		d.Fail()
		return nil
	}
	return c.last
}
