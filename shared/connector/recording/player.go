package recording

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"unsafe"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/planfile/packed"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Player plays one recording back. It is the importer's Directory for a run that a connector read for.
type Player struct {
	// Reader gives the bounds that hold for a read of its own.
	Reader *directory.Reader
	// Block returns a block of the recording, of at most MaxBlock bytes, or ErrMissing.
	Block func(ctx context.Context, number int) ([]byte, error)
	// Order is what was recorded, and Sealed what the connector finished it with.
	Order  connector.Order
	Sealed connector.Sealed
}

// Read plays a read. Its errors are those of directory.Reader.Read, and those of Block other than ErrMissing.
func (p *Player) Read(ctx context.Context, _ settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error) (directory.Info, error) {
	e, err := p.play(ctx, q.Memory, onStep, func(_ *verdict, e *directory.Entry) error { return onEntry(e) })
	return e.Info, err
}

// maxFound is how many entries an answer has at most, which is a few more than a Reader finds.
const maxFound = 100

// Find plays the answer to a question.
func (p *Player) Find(ctx context.Context, _ settings.Connection, _ directory.Question, onStep func(run.Step),
) (directory.Answer, error) {
	var found []directory.Found
	e, err := p.play(ctx, nil, onStep, func(v *verdict, e *directory.Entry) error {
		if v == nil || len(found) == maxFound || len(v.FailedClause) > maxClause {
			return directory.Incomplete("the connector's answer is not one to a question")
		}
		found = append(found, directory.Found{Entry: e.Clone(), InBase: v.InBase, Matches: v.Matches,
			FailedClause: v.FailedClause})
		return nil
	})
	return directory.Answer{Info: e.Info, Found: found, More: e.More}, err
}

// maxClause bounds the part of a filter that an entry fails, in bytes.
const maxClause = 64 << 10

// playback is one way through a recording.
type playback struct {
	*Player
	to      *directory.Receiver
	onStep  func(run.Step)
	onEntry func(*verdict, *directory.Entry) error
	before  [sha256.Size]byte
	bytes   int64
	records []byte
	end     *end
}

// play goes through the recording once.
func (p *Player) play(ctx context.Context, memory func() int64, onStep func(run.Step),
	onEntry func(*verdict, *directory.Entry) error) (end, error) {
	ctx, to, release := p.Reader.Receive(ctx, memory)
	defer release()
	b := playback{Player: p, to: to, onStep: onStep, onEntry: onEntry, before: p.Order.Seed()}
	for number := range p.Sealed.Blocks {
		if err := b.block(ctx, number); err != nil {
			return end{}, directory.Cause(ctx, err)
		}
	}
	if b.end == nil || b.bytes != p.Sealed.Bytes || !bytes.Equal(b.before[:], p.Sealed.SHA256) {
		return end{}, notWhole(max(p.Sealed.Blocks-1, 0), errors.New("it is not the last one"))
	}
	info, err := to.Info(b.end.Info)
	if err == nil && b.end.Error != nil {
		err = to.Failed(*b.end.Error)
	}
	b.end.Info = info
	return *b.end, err
}

// notWhole is the error of a recording with something wrong in a block.
func notWhole(number int, err error) error {
	return directory.Incomplete("what the connector handed over is not whole (block %d: %v)", number, err)
}

// block plays one block.
func (b *playback) block(ctx context.Context, number int) error {
	block, err := b.Block(ctx, number)
	switch {
	case errors.Is(err, ErrMissing):
		return notWhole(number, err)
	case err != nil:
		return fmt.Errorf("read block %d of what a connector recorded: %w", number, err)
	case len(block) > MaxBlock:
		return notWhole(number, fmt.Errorf("it is longer than %d bytes", MaxBlock))
	}
	if b.records, err = openBlock(b.records, block, number, b.before); err != nil {
		return notWhole(number, err)
	}
	b.before = sha256.Sum256(block)
	b.bytes += int64(len(block))
	return b.each(ctx, number)
}

// each hands a block's records on.
func (b *playback) each(ctx context.Context, number int) error {
	d := decoder{Reader: packed.NewReader(view(b.records)), memory: newMemory(), most: maxEntry}
	var found *verdict
	for n := 0; d.Left() > 0; n++ {
		if b.end != nil {
			return notWhole(number, errors.New("it goes on after the end"))
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		first := d.Uvarint()
		if first == controlRecord {
			if err := b.control(&d, &found); err != nil {
				return err
			}
			continue
		}
		e := d.next(first)
		if e == nil {
			break
		}
		if err := b.to.Entry(e); err != nil {
			return err
		}
		if err := b.onEntry(found, e); err != nil {
			return err
		}
		found = nil
	}
	if d.Err() != nil || found != nil {
		return notWhole(number, errDamaged)
	}
	return nil
}

// view returns bytes as text that shares them.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// control takes a control record.
func (b *playback) control(d *decoder, found **verdict) error {
	kind, text := d.Byte(), []byte(d.Text())
	var err error
	switch kind {
	case stepRecord:
		var s run.Step
		if err = json.Unmarshal(text, &s); err == nil {
			if s, err = b.to.Step(s); err == nil {
				b.onStep(s)
			}
		}
	case foundRecord:
		*found = new(verdict)
		err = json.Unmarshal(text, *found)
	case endRecord:
		b.end = new(end)
		err = json.Unmarshal(text, b.end)
	default:
		d.Fail()
	}
	var known *directory.Error
	if err != nil && !errors.As(err, &known) {
		d.Fail()
		return nil
	}
	return err
}
