package extract

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rollcall/shared/user"
)

// all is a walk as a sequence.
func all[T any](begin func() func() *T) iter.Seq[T] {
	return func(yield func(T) bool) {
		next := begin()
		for v := next(); v != nil; v = next() {
			if !yield(*v) {
				return
			}
		}
	}
}

// foundOf makes claims of keys, each of an entry of its own.
func foundOf(keys []string) *Found {
	f := new(Found)
	for i, key := range keys {
		f.entries.add(entryRecord{dn: f.arena.put(fmt.Sprintf("cn=%d", i%7))})
		f.claims = append(f.claims, claimRecord{key: f.arena.put(key), entry: uint32(i), kind: code(i % len(user.Kinds()))})
	}
	return f
}

// TestSortClaims holds the sorting against the comparison of whole keys, for keys that are alike in all ways that matter to it.
func TestSortClaims(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const many = 3 * manyClaims
	shapes := map[string]func(i int) string{
		"numbers":             func(i int) string { return fmt.Sprintf("user%07d@example.com", i) },
		"backwards":           func(i int) string { return fmt.Sprintf("user%07d@example.com", many-i) },
		"all the same":        func(int) string { return "info@example.com" },
		"many of each":        func(i int) string { return fmt.Sprintf("user%d@example.com", i%40) },
		"prefixes":            func(i int) string { return strings.Repeat("a", i%60) + "@b.example" },
		"eight bytes exactly": func(i int) string { return fmt.Sprintf("%08d", i%5000) },
		"beyond ASCII":        func(i int) string { return strings.Repeat("é", i%9) + fmt.Sprint(i%100) },
		"random":              func(int) string { return fmt.Sprintf("%x", random.Uint64()>>uint(random.IntN(60))) },
		"empty":               func(int) string { return "" },
	}
	for name, shape := range shapes {
		for _, n := range []int{0, 1, 2, fewClaims, fewClaims + 1, 1000, many} {
			keys := make([]string, n)
			for i := range keys {
				keys[i] = shape(i)
			}
			f := foundOf(keys)
			f.sortClaims()
			if !slices.IsSortedFunc(f.claims, whole(f)) {
				t.Errorf("%d keys, %s: not in order", n, name)
			}
			seen := make([]bool, n)
			for _, c := range f.claims {
				seen[c.entry] = true
			}
			if len(f.claims) != n || slices.Contains(seen, false) {
				t.Errorf("%d keys, %s: not all are there", n, name)
			}
		}
	}
}

// whole compares without what the sorting keeps beside the claims.
func whole(f *Found) func(a, b claimRecord) int {
	return func(a, b claimRecord) int {
		a.chunk, b.chunk = 0, 0
		return f.compare(a, b)
	}
}

// TestSortingWithoutPatience lets the quicksort give up at once.
func TestSortingWithoutPatience(t *testing.T) {
	t.Parallel()
	f := foundOf([]string{})
	for i := range 1000 {
		f.entries.add(entryRecord{})
		f.claims = append(f.claims, claimRecord{key: f.arena.put(fmt.Sprint(i * 7919 % 1000)), entry: uint32(i)})
	}
	s := &sorter{found: f}
	s.byChunk(f.claims, 0, 0)
	if !slices.IsSortedFunc(f.claims, whole(f)) {
		t.Error("not in order")
	}
}
