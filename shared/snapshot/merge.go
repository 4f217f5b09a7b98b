package snapshot

import (
	"context"
	"iter"
	"sort"

	"rollcall/shared/plan"
)

// merger walks several sections at once, in the order of key, section and place.
type merger struct {
	matcher
	walkers     []*walker
	lastSection section
	lastBlock   int
	lastRow     int
	lastKey     string
}

// walker walks one section.
type walker struct {
	reader  *Reader
	section section
	// blocks are the section's blocks that may hold what is asked for, and first the number of the section's first
	// block among all batches.
	blocks []placedBlock
	at     int
	row0   int
	rows   []plan.Row
}

// placedBlock is a block, its place in its section, and its number as a batch.
type placedBlock struct{ block, place, batch int }

// merge returns a merger of the sections that a filter names.
func (r *Reader) merge(f Filter) (*merger, error) {
	m := &merger{matcher: newMatcher(f)}
	var holding map[int]bool
	if f.Primary != "" {
		blocks, err := r.holding(f.Primary)
		if err != nil {
			return nil, err
		}
		holding = make(map[int]bool, len(blocks))
		for _, b := range blocks {
			holding[b] = true
		}
	}
	batch := 0
	for s, blocks := range r.sections {
		w := &walker{reader: r, section: section(s)}
		for place, b := range blocks {
			if info := &r.blocks[b]; holding == nil || holding[b] || info.first <= f.Primary && f.Primary <= info.last {
				w.blocks = append(w.blocks, placedBlock{b, place, batch + place})
			}
		}
		batch += len(blocks)
		if len(w.blocks) > 0 && f.wants(w.section) {
			m.walkers = append(m.walkers, w)
		}
	}
	return m, nil
}

// head returns the walker whose row comes next, or nil at the end.
func (m *merger) head() (*walker, error) {
	var first *walker
	for _, w := range m.walkers {
		ok, err := w.load()
		if err != nil {
			return nil, err
		}
		if ok && (first == nil || w.row().Key < first.row().Key) {
			first = w
		}
	}
	return first, nil
}

// advance steps over a walker's row.
func (m *merger) advance(w *walker) {
	m.lastSection, m.lastBlock, m.lastRow, m.lastKey = w.section, w.blocks[w.at].place, w.row0, w.row().Key
	if w.row0++; w.row0 == len(w.rows) {
		w.at, w.row0, w.rows = w.at+1, 0, nil
	}
}

// load makes the walker's row available and tells whether there is one.
func (w *walker) load() (bool, error) {
	for w.rows == nil {
		if w.at >= len(w.blocks) {
			return false, nil
		}
		rows, err := w.reader.block(w.blocks[w.at].block)
		if err != nil {
			return false, err
		}
		if w.row0 >= len(rows) {
			w.at, w.row0 = w.at+1, 0
			continue
		}
		w.rows = rows
	}
	return true, nil
}

func (w *walker) row() *plan.Row { return &w.rows[w.row0] }

func (w *walker) position() Position { return Position{Batch: w.blocks[w.at].batch, Row: w.row0} }

// seek puts the walker behind the row at a place of a section with a key.
func (w *walker) seek(s section, block, row int, key string) error {
	if w.section == s {
		w.at = sort.Search(len(w.blocks), func(i int) bool { return w.blocks[i].place >= block })
		if w.at < len(w.blocks) && w.blocks[w.at].place == block {
			w.row0 = row + 1
		}
		return nil
	}
	// Rows with the same key come in the order of their sections.
	behind := func(k string) bool { return k > key || k == key && w.section > s }
	w.at = sort.Search(len(w.blocks), func(i int) bool { return behind(w.reader.blocks[w.blocks[i].block].last) })
	ok, err := w.load()
	if err != nil || !ok {
		return err
	}
	w.row0 = sort.Search(len(w.rows), func(i int) bool { return behind(w.rows[i].Key) })
	return nil
}

// Rows yields the rows that a filter chooses, ordered by key. A row may be kept.
func (r *Reader) Rows(ctx context.Context, f Filter) iter.Seq2[*PlacedRow, error] {
	return func(yield func(*PlacedRow, error) bool) {
		m, err := r.merge(f)
		if err != nil {
			yield(nil, err)
			return
		}
		var placed PlacedRow
		for n := 0; ; n++ {
			w, err := m.head()
			if err == nil && n%1024 == 0 && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if w == nil {
				return
			}
			if row := w.row(); m.matches(row) {
				placed = PlacedRow{Row: *row, Position: w.position()}
				if !yield(&placed, nil) {
					return
				}
			}
			m.advance(w)
		}
	}
}

// Batch is a block of rows of one change, to be applied together. Index numbers all batches of a snapshot.
type Batch struct {
	Index int
	Rows  []plan.Row
}

// Batches yields the batches of the given changes from number from on: creations, then updates, then deletions. Their
// numbers never change, so that a sync can go on where it was.
func (r *Reader) Batches(ctx context.Context, changes []plan.Change, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		index := 0
		for s, blocks := range r.sections {
			for _, b := range blocks {
				n := index
				index++
				if n < from || !wanted(changes, section(s).change()) {
					continue
				}
				if ctx.Err() != nil {
					yield(Batch{}, context.Cause(ctx))
					return
				}
				rows, err := r.block(b)
				if !yield(Batch{Index: n, Rows: rows}, err) || err != nil {
					return
				}
			}
		}
	}
}
