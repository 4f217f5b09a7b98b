package s3

import (
	"math/rand/v2"
	"testing"
)

func TestAWindowKeepsLittle(t *testing.T) {
	t.Parallel()
	const size = 200 << 20
	longest, fetched := int64(0), int64(0)
	w := newWindow(size, part{size - tailSize, make([]byte, tailSize)}, func(from, to int64) ([]byte, error) {
		longest, fetched = max(longest, to-from), fetched+to-from
		return make([]byte, to-from), nil
	})
	random := rand.New(rand.NewPCG(1, 2))
	for at, n := int64(0), 0; n < 5000; n++ {
		if at += random.Int64N(100 << 10); random.IntN(100) == 0 || at >= size {
			at = random.Int64N(size)
		}
		if _, err := w.ReadAt(make([]byte, min(random.Int64N(20<<10), size-at)), at); err != nil {
			t.Fatal(err)
		}
		kept := int64(0)
		for _, p := range w.parts {
			kept += int64(len(p.data))
		}
		if kept > keep {
			t.Fatalf("%d bytes are kept after %d reads, want at most %d", kept, n+1, keep)
		}
	}
	if longest > 2*lastFetch || longest < lastFetch {
		t.Errorf("the longest fetch was %d bytes, want %d to twice that", longest, lastFetch)
	}
}

func TestAWindowReadInOrderFetchesLongerAndLonger(t *testing.T) {
	t.Parallel()
	const size = 20 << 20
	var lengths []int64
	w := newWindow(size, part{size - tailSize, make([]byte, tailSize)}, func(from, to int64) ([]byte, error) {
		lengths = append(lengths, to-from)
		return make([]byte, to-from), nil
	})
	for at := int64(0); at < size; at += 10 << 10 {
		if _, err := w.ReadAt(make([]byte, 1), at); err != nil {
			t.Fatal(err)
		}
	}
	total := int64(tailSize)
	for i, n := range lengths {
		if total += n; i > 0 && i < len(lengths)-1 && n < min(2*lengths[i-1], lastFetch) {
			t.Errorf("fetches of %d bytes do not grow", lengths)
		}
	}
	// The end, which came with opening, has made room for what was read since.
	if total != size+tailSize || len(lengths) > 13 {
		t.Errorf("%d bytes were fetched in %d requests, want %d in at most 13", total, len(lengths), size+tailSize)
	}
}
