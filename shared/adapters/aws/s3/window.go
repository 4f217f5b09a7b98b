package s3

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
)

const (
	// tailSize is how much of an object's end comes with opening it: more than the footer of a plan of a million rows.
	tailSize = 512 << 10
	// firstFetch is how much a read at a new place fetches: a few of a plan's blocks. The next one behind it fetches
	// twice as much, up to lastFetch.
	firstFetch = 128 << 10
	lastFetch  = 2 << 20
	// keep is how much is kept in memory, in bytes.
	keep = 8 << 20
)

// errNegative means that a read began before the object's start.
var errNegative = errors.New("a negative offset")

// window is an open object and the parts of it that were read. A plan is read at several places at a time, one in each
// of its sections, of which most lie close together: each place finds what was fetched for the others.
type window struct {
	size  int64
	fetch func(from, to int64) ([]byte, error)

	mu sync.Mutex
	// parts do not overlap. The least recently used one comes first.
	parts  []part
	closed bool
}

// part is some of an object's bytes.
type part struct {
	offset int64
	data   []byte
}

func (p part) end() int64 { return p.offset + int64(len(p.data)) }

func newWindow(size int64, tail part, fetch func(from, to int64) ([]byte, error)) *window {
	return &window{size: size, fetch: fetch, parts: []part{tail}}
}

func (w *window) Size() int64 { return w.size }

// Close forgets what was read.
func (w *window) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts, w.closed = nil, true
	return nil
}

// ReadAt may be called by several goroutines at once, of which one fetches at a time.
func (w *window) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, errNegative
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, fs.ErrClosed
	}
	for n < len(p) {
		at := offset + int64(n)
		if at >= w.size {
			return n, io.EOF
		}
		held, err := w.at(at, int64(len(p)-n))
		if err != nil {
			return n, err
		}
		n += copy(p[n:], held.data[at-held.offset:])
	}
	return n, nil
}

// at returns a part that holds the byte at an offset, from which wanted bytes are to be read.
func (w *window) at(offset, wanted int64) (part, error) {
	for i, p := range w.parts {
		if p.offset <= offset && offset < p.end() {
			w.parts = append(slices.Delete(w.parts, i, i+1), p)
			return p, nil
		}
	}
	from, to := w.plan(offset, wanted)
	w.makeRoom(to - from)
	data, err := w.fetch(from, to)
	if err != nil {
		return part{}, err
	}
	fetched := part{from, data}
	w.parts = append(w.parts, fetched)
	return fetched, nil
}

// plan says what to fetch for a read at an offset that no part holds. Where it is close behind what was read, it is
// read in order: the fetch begins there, so that other places find what lies between, and is twice as long as what was
// read in order.
func (w *window) plan(offset, wanted int64) (from, to int64) {
	var end int64
	limit := w.size
	for _, p := range w.parts {
		if p.end() <= offset {
			end = max(end, p.end())
		}
		if p.offset > offset {
			limit = min(limit, p.offset)
		}
	}
	from, length := offset, int64(firstFetch)
	ahead := min(max(2*w.run(end), firstFetch), lastFetch)
	if gap := offset - end; gap < ahead && end > 0 {
		from, length = end, max(ahead, gap+firstFetch)
	}
	to = max(from+length, offset+min(wanted, lastFetch))
	return from, min(to, limit)
}

// run returns the length of what is held without a gap up to an end.
func (w *window) run(end int64) int64 {
	start := end
	for found := true; found; {
		found = false
		for _, p := range w.parts {
			if p.end() == start && p.offset < start {
				start, found = p.offset, true
			}
		}
	}
	return end - start
}

// makeRoom drops what was not used for longest, so that length more bytes can be kept.
func (w *window) makeRoom(length int64) {
	for _, p := range w.parts {
		length += int64(len(p.data))
	}
	for length > keep {
		length -= int64(len(w.parts[0].data))
		w.parts = slices.Delete(w.parts, 0, 1)
	}
}
