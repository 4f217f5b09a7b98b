package recording

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/planfile/packed"
	"rollcall/shared/run"
)

// atOnce is how many blocks are on their way at a time. More wait, and the directory with them.
const atOnce = 3

// Recorder writes one recording. It keeps the block at hand and those on their way.
type Recorder struct {
	ctx    context.Context //nolint:containedctx // that of the one read, in whose callbacks the recorder lives
	cancel context.CancelCauseFunc
	put    Putter
	// records are those of the block at hand, and memory what its entries are the difference from.
	records []byte
	memory  memory
	// shapes finds a shape by its key, which is built in key; last is the shape of the entry before.
	shapes map[string]int
	key    []byte
	sealed connector.Sealed
	// before is the hash of the block before, and free the memory for blocks.
	before [sha256.Size]byte
	free   chan []byte
	onWay  sync.WaitGroup
}

// New begins a recording of an order. put's first error ends it.
func New(ctx context.Context, of connector.Order, put Putter) *Recorder {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &Recorder{ctx: ctx, cancel: cancel, put: put, before: of.Seed(), free: make(chan []byte, atOnce),
		// Growing to this would take more time than recording.
		records: make([]byte, 0, blockRecords+64<<10)}
	for range atOnce {
		r.free <- nil
	}
	r.begin()
	return r
}

// begin begins a block.
func (r *Recorder) begin() {
	r.records, r.memory, r.shapes = r.records[:0], newMemory(), make(map[string]int)
}

// Step records a step. Its errors come with the next entry, or the end.
func (r *Recorder) Step(s run.Step) { r.control(stepRecord, s) }

func (r *Recorder) control(kind byte, v any) {
	// The types of control records have none that json cannot marshal.
	text, _ := json.Marshal(v)
	r.records = append(r.records, controlRecord, kind)
	r.records = packed.AppendText(r.records, string(text))
}

// Entry records an entry. An error ends the read.
func (r *Recorder) Entry(e *directory.Entry) error {
	err := r.room(e)
	if err == nil {
		r.entry(e)
	}
	return err
}

// room begins another block where the one at hand cannot take the entry.
func (r *Recorder) room(e *directory.Entry) error {
	if len(r.records) >= blockRecords || r.memory.full(len(e.Attributes)) {
		if err := r.flush(); err != nil {
			return err
		}
	}
	size, values := len(e.DN), 0
	for i := range e.Attributes {
		values += len(e.Attributes[i].Values)
		size += len(e.Attributes[i].Name)
		for _, v := range e.Attributes[i].Values {
			size += len(v)
		}
	}
	if r.memory.full(len(e.Attributes)) || values > maxValues || size > maxEntry {
		return directory.Incomplete("the entry %.200s has %d attributes, %d values and %d bytes, more than a "+
			"connector hands over", e.DN, len(e.Attributes), values, size)
	}
	return nil
}

func (r *Recorder) entry(e *directory.Entry) {
	s := r.shape(e)
	r.records = appendValue(r.records, e.DN, &r.memory.dn)
	column := 0
	for i := range e.Attributes {
		for n, v := range e.Attributes[i].Values {
			if n >= maxColumn {
				r.records = append(binary.AppendUvarint(r.records, uint64(len(v))), v...)
				continue
			}
			r.records = appendValue(r.records, v, s.columns[column])
			column++
		}
	}
}

// shape writes the shape of an entry.
func (r *Recorder) shape(e *directory.Entry) *shape {
	r.key = r.key[:0]
	for i := range e.Attributes {
		r.key = packed.AppendText(r.key, e.Attributes[i].Name)
		r.key = binary.AppendUvarint(r.key, uint64(len(e.Attributes[i].Values)))
	}
	if n, known := r.shapes[string(r.key)]; known {
		r.records = binary.AppendUvarint(r.records, uint64(n)+knownShape)
		return r.memory.shapes[n]
	}
	r.shapes[string(r.key)] = len(r.shapes)
	r.records = append(r.records, newShape)
	r.records = binary.AppendUvarint(r.records, uint64(len(e.Attributes)))
	r.records = append(r.records, r.key...)
	names, counts := make([]string, len(e.Attributes)), make([]int, len(e.Attributes))
	for i := range e.Attributes {
		// The entry's memory is the reader's.
		names[i], counts[i] = string([]byte(e.Attributes[i].Name)), len(e.Attributes[i].Values)
	}
	return r.memory.add(names, counts)
}

// flush hands the block at hand on, once there is room for one more on its way.
func (r *Recorder) flush() error {
	var block []byte
	select {
	case block = <-r.free:
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	number := r.sealed.Blocks
	block = appendBlock(block[:0], number, r.before, r.records)
	r.before = sha256.Sum256(block)
	r.sealed.Blocks++
	r.sealed.Bytes += int64(len(block))
	r.begin()
	r.onWay.Go(func() {
		if err := r.put(r.ctx, number, block); err != nil {
			r.cancel(fmt.Errorf("hand over block %d: %w", number, err))
		}
		r.free <- block
	})
	return nil
}

// Close ends the recording with what a read returned, and waits until its blocks were taken. An error of the read that
// is no *directory.Error is why there is no recording, and is returned.
func (r *Recorder) Close(info directory.Info, readErr error) (connector.Sealed, error) {
	return r.close(end{Info: info}, readErr)
}

// Answer is Close for a question.
func (r *Recorder) Answer(a directory.Answer, readErr error) (connector.Sealed, error) {
	for i := range a.Found {
		f := &a.Found[i]
		if err := r.room(&f.Entry); err != nil && readErr == nil {
			readErr = err
		}
		if readErr == nil {
			r.control(foundRecord, verdict{f.InBase, f.Matches, f.FailedClause})
			r.entry(&f.Entry)
		}
	}
	return r.close(end{Info: a.Info, More: a.More}, readErr)
}

func (r *Recorder) close(e end, readErr error) (connector.Sealed, error) {
	defer r.cancel(nil)
	if readErr != nil && !errors.As(readErr, &e.Error) {
		r.cancel(readErr)
	}
	r.control(endRecord, e)
	err := r.flush()
	r.onWay.Wait()
	if err == nil && r.ctx.Err() != nil {
		err = context.Cause(r.ctx)
	}
	if err != nil {
		return connector.Sealed{}, err
	}
	r.sealed.SHA256 = r.before[:]
	return r.sealed, nil
}
