package planfile

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Outcomes are the places of the rows that a sync had to leave.
type Outcomes struct{ places map[Position]struct{} }

// Add notes a row.
func (o *Outcomes) Add(p Position) {
	if o.places == nil {
		o.places = make(map[Position]struct{})
	}
	o.places[p] = struct{}{}
}

// Has reports whether a row was noted.
func (o *Outcomes) Has(p Position) bool {
	_, ok := o.places[p]
	return ok
}

// Len returns the number of rows noted.
func (o *Outcomes) Len() int { return len(o.places) }

// Encode writes the rows noted.
func (o *Outcomes) Encode(w io.Writer) error {
	sorted := make([]Position, 0, len(o.places))
	for p := range o.places {
		sorted = append(sorted, p)
	}
	slices.SortFunc(
		sorted, func(a, b Position) int { return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Row, b.Row)) },
	)
	b := []byte{formatVersion}
	for _, p := range sorted {
		b = binary.AppendUvarint(b, uint64(p.Batch))
		b = binary.AppendUvarint(b, uint64(p.Row))
	}
	_, err := w.Write(b)
	return err
}

// Decode adds the rows that Encode wrote to an object of the given size.
func (o *Outcomes) Decode(object io.ReaderAt, size int64) error {
	data := make([]byte, size)
	if _, err := object.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the outcomes: %w", err)
	}
	d := newDecoder(string(data))
	if v := d.Byte(); d.Err() == nil && v != formatVersion {
		return fmt.Errorf("%w: %d", ErrVersion, v)
	}
	for d.Left() > 0 {
		p := Position{Batch: int(d.Uvarint()), Row: int(d.Uvarint())}
		if d.Err() == nil {
			o.Add(p)
		}
	}
	return d.finish("read the outcomes")
}
