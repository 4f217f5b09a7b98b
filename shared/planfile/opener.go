package planfile

import (
	"io"
	"slices"
	"sync"
)

// remembered is how many footers an Opener keeps: half a megabyte each for a million rows.
const remembered = 4

// Opener opens plan files and remembers the footers of the last few, since whoever reads a page mostly reads the next
// one too. The zero value is ready; it may be used by several goroutines at once.
type Opener struct {
	mu   sync.Mutex
	last []opened
}

// opened is a plan file without its object. The trailer holds the footer's checksum, and so shows whether the file is
// still the same.
type opened struct {
	name   string
	size   int64
	end    trailer
	reader Reader
}

// Open is the function Open for an object with a name that no other has.
func (o *Opener) Open(name string, object io.ReaderAt, size int64) (*Reader, error) {
	end, err := readTrailer(object, size)
	if err != nil {
		return nil, err
	}
	if r, ok := o.find(name, size, end); ok {
		r.object = object
		return &r, nil
	}
	r, err := open(object, size, end)
	if err != nil {
		return nil, err
	}
	known := *r
	known.object = nil
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = slices.Insert(o.last, 0, opened{name, size, end, known})
	o.last = o.last[:min(len(o.last), remembered)]
	return r, nil
}

// find looks for a footer, and puts it first.
func (o *Opener) find(name string, size int64, end trailer) (Reader, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.last, func(k opened) bool { return k.name == name && k.size == size && k.end == end })
	if i < 0 {
		return Reader{}, false
	}
	known := o.last[i]
	o.last = slices.Insert(slices.Delete(o.last, i, i+1), 0, known)
	return known.reader, true
}
