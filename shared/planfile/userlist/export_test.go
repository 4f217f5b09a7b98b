package userlist

// Size returns the memory that the users take, in bytes.
func (l *List) Size() int {
	size := cap(l.open) + cap(l.packed)
	for _, block := range l.blocks {
		size += cap(block)
	}
	return size
}
