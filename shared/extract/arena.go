package extract

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

// listBlock is how many records a block of a list holds.
const listBlock = 1 << 13

// list keeps many records in blocks, which never move: to grow costs no copy of what is there.
type list[T any] struct {
	blocks [][]T
	count  int
}

func (l *list[T]) add(record T) {
	if l.count%listBlock == 0 {
		l.blocks = append(l.blocks, make([]T, 0, listBlock))
	}
	last := len(l.blocks) - 1
	l.blocks[last] = append(l.blocks[last], record)
	l.count++
}

func (l *list[T]) at(i int) *T { return &l.blocks[i/listBlock][i%listBlock] }

// flat returns all records in one slice and empties the list.
func (l *list[T]) flat() []T {
	all := make([]T, 0, l.count)
	for i, block := range l.blocks {
		all = append(all, block...)
		l.blocks[i] = nil
	}
	*l = list[T]{}
	return all
}
