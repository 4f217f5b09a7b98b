package recording_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"

	"rollcall/shared/connector"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// blockOf makes a block of records as only a hostile connector would: all but the records is right.
func blockOf(records []byte) (*shelf, connector.Sealed) {
	seed := order.Seed()
	block := append([]byte("RCRD\x01"), binary.BigEndian.AppendUint32(nil, 0)...)
	block = append(append(block, seed[:]...), s2.Encode(nil, records)...)
	sum := sha256.Sum256(block)
	s := newShelf()
	s.blocks[0] = block
	return s, connector.Sealed{Blocks: 1, Bytes: int64(len(block)), SHA256: sum[:]}
}

func recordsOf(t testing.TB, entries []directory.Entry) []byte {
	t.Helper()
	s, _ := record(t, entries)
	records, err := s2.Decode(nil, s.blocks[0][41:])
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// FuzzPlayer plays records that nobody checked. What it takes is recorded again and plays alike.
func FuzzPlayer(f *testing.F) {
	f.Add(recordsOf(f, odd()))
	f.Add(recordsOf(f, nil))
	f.Fuzz(func(t *testing.T, records []byte) {
		s, sealed := blockOf(records)
		reader := directory.Config{MaxBytes: 8 << 20, MaxEntries: 10_000}
		first := play(t, player(s, sealed, reader), directory.Query{})
		var e *directory.Error
		if first.err != nil && !errors.As(first.err, &e) {
			t.Fatalf("an error of another kind: %v", first.err)
		}
		if first.err != nil {
			return
		}
		again, resealed := record(t, first.entries)
		second := play(t, player(again, resealed, reader), directory.Query{})
		if diff := cmp.Diff(first.entries, second.entries, sameBytes); diff != "" || second.err != nil {
			t.Fatal(diff, second.err)
		}
	})
}

// FuzzBlock plays blocks that nobody checked, the first of which is the order's.
func FuzzBlock(f *testing.F) {
	s, _ := record(f, odd())
	f.Add(s.blocks[0])
	f.Fuzz(func(t *testing.T, block []byte) {
		sum := sha256.Sum256(block)
		p := player(nil, connector.Sealed{Blocks: 1, Bytes: int64(len(block)), SHA256: sum[:]},
			directory.Config{MaxBytes: 8 << 20, MaxEntries: 10_000})
		p.Block = func(context.Context, int) ([]byte, error) { return bytes.Clone(block), nil }
		got := play(t, p, directory.Query{})
		_, answerErr := p.Find(t.Context(), settings.Connection{}, directory.Question{}, nop)
		for _, err := range []error{got.err, answerErr} {
			var e *directory.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("an error of another kind: %v", err)
			}
		}
	})
}

// What a few bytes can make of memory is bounded.
func TestABlockThatUnfolds(t *testing.T) {
	t.Parallel()
	zeroes := make([]byte, 19<<20)
	for name, records := range map[string][]byte{
		"controls":   zeroes,
		"entries":    bytes.Repeat([]byte{1, 0}, 9<<20),
		"shapes":     bytes.Repeat([]byte{1, 1, 1, 'a', 1, 0, 0}, 2<<20),
		"attributes": append([]byte{1, 0x80, 0x80, 0x80, 8}, zeroes...),
		"values":     append([]byte{1, 1, 1, 'a', 0x80, 0x80, 0x80, 8}, zeroes...),
		"a long value over and over": append(append([]byte{1, 1, 1, 'a', 1, 0, 2, 0, 0x80, 0x80, 0x80, 4},
			zeroes[:8<<20]...), bytes.Repeat([]byte{2, 0, 0}, 3<<20)...),
		"a value that grows": append([]byte{1, 1, 1, 'a', 1, 0, 2, 0, 1, 'x'},
			bytes.Repeat([]byte{2, 0, 2, 1, 1, 'x'}, 1<<20)...),
		"a hollow step": append([]byte{0, 's'}, zeroes...),
	} {
		t.Run(name, func(t *testing.T) {
			s, sealed := blockOf(records)
			p := player(s, sealed, directory.Config{MaxBytes: 1 << 30})
			_, err := p.Read(t.Context(), settings.Connection{}, directory.Query{}, nop, func(*directory.Entry) error {
				return nil
			})
			var e *directory.Error
			if !errors.As(err, &e) || e.Code != directory.CodeIncompleteRead {
				t.Errorf("got %v, want an incomplete read", err)
			}
		})
	}
}
