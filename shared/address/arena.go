package address

import "unsafe"

// arenaBlock is the size of a block in bytes.
const arenaBlock = 1 << 20

// arena keeps many short texts in a few large blocks, which the garbage collector does not look into.
type arena struct{ blocks [][]byte }

// text is a place in an arena.
type text struct {
	block  uint32
	offset uint32
	length uint32
}

// put copies a text into the arena.
func (a *arena) put(s string) text {
	last := len(a.blocks) - 1
	if last < 0 || cap(a.blocks[last])-len(a.blocks[last]) < len(s) {
		a.blocks = append(a.blocks, make([]byte, 0, max(arenaBlock, len(s))))
		last++
	}
	t := text{block: uint32(last), offset: uint32(len(a.blocks[last])), length: uint32(len(s))}
	a.blocks[last] = append(a.blocks[last], s...)
	return t
}

// get returns a text. It shares the arena's memory, which is never written again.
func (a *arena) get(t text) string {
	if t.length == 0 {
		return ""
	}
	return unsafe.String(&a.blocks[t.block][t.offset], int(t.length))
}
