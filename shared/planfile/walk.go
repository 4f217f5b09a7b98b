package planfile

import (
	"fmt"
	"sort"
	"strings"

	"rollcall/shared/user"
)

// walker walks one section and reads one row at a time, since a page needs few rows of most blocks.
type walker struct {
	reader  *Reader
	section section
	// blocks are the section's. Where some were chosen, places are theirs in the section.
	blocks, places []int
	chosen         bool
	// prefix is what the keys of the rows begin with; the others are passed over.
	prefix string
	// at is the place, among those, of the block at hand, and rowAt the row's place in the block.
	at, rowAt int
	// memory is where blocks are unpacked, nil where rows outlive their block.
	memory *memory
	// decoder reads the block at hand, once it is open, and has read so many of its rows.
	decoder decoder
	open    bool
	read    int
	// row is the row at hand, once loaded, and users are those that it points to, once they are asked for.
	row    PlacedRow
	users  [2]user.User
	loaded bool
}

// count returns the number of blocks to walk.
func (w *walker) count() int {
	if w.chosen {
		return len(w.places)
	}
	return len(w.blocks)
}

// placeAt returns the place in the section of a block to walk, and place that of the block at hand.
func (w *walker) placeAt(i int) int {
	if w.chosen {
		return w.places[i]
	}
	return i
}

func (w *walker) place() int { return w.placeAt(w.at) }

// infoAt returns what the footer says of a block to walk.
func (w *walker) infoAt(i int) *blockInfo { return &w.reader.blocks[w.blocks[w.placeAt(i)]] }

// before orders walkers by the rows at hand, and those with the same key by section.
func (w *walker) before(other *walker) bool {
	return w.row.Key < other.row.Key || w.row.Key == other.row.Key && w.section < other.section
}

// load makes the row available and reports whether there is one.
func (w *walker) load() (bool, error) {
	for !w.loaded {
		if w.at >= w.count() {
			return false, nil
		}
		info := w.infoAt(w.at)
		if w.rowAt >= int(info.rows) {
			w.at, w.rowAt, w.open = w.at+1, 0, false
			continue
		}
		if err := w.readTo(info); err != nil {
			return false, err
		}
		if !strings.HasPrefix(w.row.Key, w.prefix) {
			if w.row.Key > w.prefix {
				w.at = w.count()
				return false, nil
			}
			w.rowAt++
			continue
		}
		w.loaded = true
	}
	return true, nil
}

// readTo reads the block at hand up to the row.
func (w *walker) readTo(info *blockInfo) error {
	block := w.blocks[w.place()]
	if !w.open {
		text, err := w.reader.unpack(info.offset, info.length, info.checksum, w.memory)
		if err != nil {
			return fmt.Errorf("read block %d of the stored plan: %w", block, err)
		}
		w.decoder, w.open, w.read = newDecoder(text), true, 0
	}
	for ; w.read <= w.rowAt; w.read++ {
		w.decoder.row(w.section, &w.row.Row)
	}
	w.row.block, w.row.row = block, w.rowAt
	return w.check()
}

// loadUsers makes the users of the row at hand available.
func (w *walker) loadUsers() error {
	if w.row.Before == nil && w.row.After == nil {
		w.decoder.memory = w.users[:]
		w.decoder.usersOf(&w.row.Row)
	}
	return w.check()
}

// check returns the error of reading the block at hand.
func (w *walker) check() error {
	if w.decoder.Err() == nil {
		return nil
	}
	return w.decoder.finish(fmt.Sprintf("read block %d of the stored plan", w.blocks[w.place()]))
}

// seekPrefix puts the walker at the first block that can have a row with the prefix.
func (w *walker) seekPrefix() {
	if w.prefix != "" {
		w.at = sort.Search(w.count(), func(i int) bool { return w.infoAt(i).last >= w.prefix })
	}
}

// seek puts the walker behind the row at a place, which has the given key.
func (w *walker) seek(p rowPlace, key string) error {
	if w.section == p.section {
		w.at = sort.Search(w.count(), func(i int) bool { return w.placeAt(i) >= p.block })
		if w.at < w.count() && w.place() == p.block {
			w.rowAt = p.row + 1
		}
		return nil
	}
	// Rows with the same key come in the order of their sections.
	behind := func(k string) bool { return k > key || k == key && w.section > p.section }
	w.at = sort.Search(w.count(), func(i int) bool { return behind(w.infoAt(i).last) })
	for {
		ok, err := w.load()
		if err != nil || !ok || behind(w.row.Key) {
			return err
		}
		w.rowAt, w.loaded = w.rowAt+1, false
	}
}
