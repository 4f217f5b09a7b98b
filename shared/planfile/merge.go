package planfile

import (
	"context"
	"iter"
	"slices"
	"sort"
)

// merger walks several sections at once, in the order of key, section and place.
type merger struct {
	matcher
	walkers []*walker
	// first is the walker whose row comes next, as head has found it, and last the place of the row before.
	first *walker
	last  rowPlace
}

// merge returns a merger of the sections that a filter names.
func (r *Reader) merge(f Filter) (*merger, error) {
	m := &merger{matcher: newMatcher(f)}
	var places map[section][]int
	if f.Primary != "" {
		var err error
		if places, err = r.placesOf(f.Primary); err != nil {
			return nil, err
		}
	}
	for s, blocks := range r.sections {
		w := &walker{reader: r, section: section(s), blocks: blocks, prefix: f.Prefix}
		if len(blocks) == 0 || !f.wants(w.section) {
			continue
		}
		if f.Primary != "" {
			w.chosen, w.places = true, places[w.section]
		}
		w.seekPrefix()
		m.walkers = append(m.walkers, w)
	}
	return m, nil
}

// placesOf returns the places of the blocks that may hold rows of a primary, its own and its aliases', in order.
func (r *Reader) placesOf(primary string) (map[section][]int, error) {
	holding, err := r.holding(primary)
	if err != nil {
		return nil, err
	}
	places := make(map[section][]int)
	for _, b := range holding {
		s := r.blocks[b].section
		if place, found := slices.BinarySearch(r.sections[s], b); found {
			places[s] = append(places[s], place)
		}
	}
	for s, blocks := range r.sections {
		own := sort.Search(len(blocks), func(i int) bool { return r.blocks[blocks[i]].last >= primary })
		for ; own < len(blocks) && r.blocks[blocks[own]].first <= primary; own++ {
			places[section(s)] = append(places[section(s)], own)
		}
	}
	for s := range places {
		slices.Sort(places[s])
		places[s] = slices.Compact(places[s])
	}
	return places, nil
}

// head returns the walker whose row comes next, or nil at the end. It looks at all of them, which are some ten: a heap
// (own or container/heap) is no faster.
func (m *merger) head() (*walker, error) {
	m.first = nil
	for _, w := range m.walkers {
		ok, err := w.load()
		if err != nil {
			return nil, err
		}
		if ok && (m.first == nil || w.before(m.first)) {
			m.first = w
		}
	}
	return m.first, nil
}

// advance steps over the row of the head.
func (m *merger) advance() {
	w := m.first
	m.last = rowPlace{section: w.section, block: w.place(), row: w.rowAt}
	w.rowAt++
	w.loaded = false
}

// take reports whether the filter chooses the row of a walker, and then reads the row's users.
func (m *merger) take(w *walker) (taken bool, err error) {
	if taken = m.matches(&w.row.Row); taken && (m.Keep != nil || !m.WithoutUsers) {
		err = w.loadUsers()
	}
	if taken && err == nil && m.Keep != nil {
		taken = m.Keep(&w.row)
	}
	return taken, err
}

// Rows yields the rows that a filter chooses, ordered by key. A row and what it points to are valid until the next one.
func (r *Reader) Rows(ctx context.Context, f Filter) iter.Seq2[*PlacedRow, error] {
	return func(yield func(*PlacedRow, error) bool) {
		m, err := r.merge(f)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, w := range m.walkers {
			w.memory = new(memory)
		}
		for n := 0; ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			w, err := m.head()
			if err == nil && w == nil {
				return
			}
			taken := false
			if err == nil {
				taken, err = m.take(w)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if taken && !yield(&w.row, nil) {
				return
			}
			m.advance()
		}
	}
}
