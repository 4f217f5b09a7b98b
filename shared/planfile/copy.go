package planfile

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"rollcall/shared/plan"
)

// CopyWithout writes the plan file without the rows of one change. Its blocks are copied as they are, in their order,
// so that the rows of every change before that one keep their positions. The error is ErrDamaged where any block's
// checksum differs, also of one that is left out: the copy of a damaged plan would look whole.
func (r *Reader) CopyWithout(ctx context.Context, to io.Writer, change plan.Change) error {
	w := NewWriter(to)
	numbers := make([]int, len(r.blocks))
	var data []byte
	for n, b := range r.blocks {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var err error
		if data, err = r.read(b.offset, b.length, b.checksum, data); err != nil {
			return fmt.Errorf("read block %d of the stored plan: %w", n, err)
		}
		if b.section.change() == change {
			numbers[n] = leftOut
			continue
		}
		numbers[n], b.offset = len(w.blocks), w.offset
		w.write(data)
		w.blocks = append(w.blocks, b)
	}
	index, err := r.copyIndex(w, numbers)
	if err != nil {
		return err
	}
	meta := r.meta
	meta.Facets = nil
	return w.finish(meta, index)
}

// leftOut is the number of a block that is not copied.
const leftOut = -1

// copyIndex writes the primary index for blocks that have new numbers.
func (r *Reader) copyIndex(w *Writer, numbers []int) ([]indexInfo, error) {
	var index []indexInfo
	for _, info := range r.index {
		text, err := r.unpack(info.offset, info.length, info.checksum, nil)
		if err != nil {
			return nil, fmt.Errorf("read the index of the stored plan: %w", err)
		}
		var kept []byte
		for data := []byte(text); len(data) >= indexEntry; data = data[indexEntry:] {
			n := binary.LittleEndian.Uint32(data[8:])
			if int(n) < len(numbers) && numbers[n] != leftOut {
				kept = append(kept, data[:8]...)
				kept = binary.LittleEndian.AppendUint32(kept, uint32(numbers[n]))
			}
		}
		if len(kept) == 0 {
			continue
		}
		copied := indexInfo{first: binary.LittleEndian.Uint64(kept)}
		copied.offset, copied.length, copied.checksum = w.put(kept)
		index = append(index, copied)
	}
	return index, nil
}
