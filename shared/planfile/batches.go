package planfile

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"rollcall/shared/plan"
)

// Batch is a block of rows of one change, to be applied together. Index numbers all batches of a plan file.
type Batch struct {
	Index int
	Rows  []plan.Row
}

// batchOrder numbers the blocks in the order in which they are applied: by change, and those of a change by their
// first key, whatever their kind and type. So a store that keeps its users in key order is written from one end to the
// other.
type batchOrder struct {
	once sync.Once
	// blocks are the blocks in that order, and numbers the place there of each.
	blocks, numbers []int
}

// batches returns the order, which is made when it is first asked for: a preview's pages and its CSV do without.
func (r *Reader) batches() *batchOrder {
	o := r.order
	o.once.Do(func() {
		o.blocks, o.numbers = make([]int, len(r.blocks)), make([]int, len(r.blocks))
		for i := range o.blocks {
			o.blocks[i] = i
		}
		slices.SortFunc(o.blocks, func(a, b int) int {
			x, y := &r.blocks[a], &r.blocks[b]
			return cmp.Or(
				cmp.Compare(x.section.changeRank(), y.section.changeRank()), cmp.Compare(x.first, y.first),
				cmp.Compare(x.section, y.section), cmp.Compare(a, b),
			)
		})
		for number, block := range o.blocks {
			o.numbers[block] = number
		}
	})
	return o
}

// Position returns the place of a row that this reader gave.
func (r *Reader) Position(row *PlacedRow) Position {
	return Position{Batch: r.batches().numbers[row.block], Row: row.row}
}

// Batches yields the batches of the given changes from number from on: creations, then updates, then deletions. Their
// numbers never change, so that a sync can go on where it was.
func (r *Reader) Batches(ctx context.Context, changes []plan.Change, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		order := r.batches().blocks
		for n := max(from, 0); n < len(order); n++ {
			if !wanted(changes, r.blocks[order[n]].section.change()) {
				continue
			}
			if ctx.Err() != nil {
				yield(Batch{}, context.Cause(ctx))
				return
			}
			rows, err := r.block(order[n])
			if !yield(Batch{Index: n, Rows: rows}, err) || err != nil {
				return
			}
		}
	}
}
