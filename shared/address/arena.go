package address

import "unsafe"

// The widths of text's parts, in bits.
const (
	blockBits  = 20
	lengthBits = 24

	arenaBlock = 1 << blockBits
	maxText    = 1<<lengthBits - 1
)

// arena keeps many short texts in a few large blocks, which the garbage collector does not look into.
type arena struct{ blocks [][]byte }

// text is a place in an arena: the block's number, the offset in it and the length, in 64 bits. The zero value is the
// empty text.
type text uint64

// put copies a text of at most 16 MiB, which is more than the directory reader lets through in one message; what is
// longer is cut.
func (a *arena) put(s string) text {
	if s == "" {
		return 0
	}
	s = s[:min(len(s), maxText)]
	last := len(a.blocks) - 1
	if last < 0 || cap(a.blocks[last])-len(a.blocks[last]) < len(s) {
		a.blocks = append(a.blocks, make([]byte, 0, max(arenaBlock, len(s))))
		last++
	}
	offset := len(a.blocks[last])
	a.blocks[last] = append(a.blocks[last], s...)
	return text(last)<<(blockBits+lengthBits) | text(offset)<<lengthBits | text(len(s))
}

// get returns a text. It shares the arena's memory, which is never written again.
func (a *arena) get(t text) string {
	length := int(t & maxText)
	if length == 0 {
		return ""
	}
	block := a.blocks[t>>(blockBits+lengthBits)]
	return unsafe.String(&block[t>>lengthBits&(arenaBlock-1)], length)
}

// borrow reads bytes as text without a copy. The text is only good for as long as nobody writes to the bytes: within
// one call of Collector.Add.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
