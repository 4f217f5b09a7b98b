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
func foundOf(keys []string) *Result {
	f := new(Result)
	for i, key := range keys {
		f.entries.add(entryRecord{dn: f.arena.put(fmt.Sprintf("cn=%d", i%7))})
		kind := code(i % len(user.Kinds()))
		f.claims = append(f.claims, claimRecord{key: f.arena.put(key), entry: uint32(i), kind: kind})
	}
	return f
}

// TestSortClaims holds the order against whole keys: the prefix that the sorting looks at first must not change it.
func TestSortClaims(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const count = 3000
	shapes := map[string]func(i int) string{
		"numbers":             func(i int) string { return fmt.Sprintf("user%07d@example.com", i) },
		"backwards":           func(i int) string { return fmt.Sprintf("user%07d@example.com", count-i) },
		"all the same":        func(int) string { return "info@example.com" },
		"many of each":        func(i int) string { return fmt.Sprintf("user%d@example.com", i%40) },
		"prefixes":            func(i int) string { return strings.Repeat("a", i%60) + "@b.example" },
		"eight bytes exactly": func(i int) string { return fmt.Sprintf("%08d", i%500) },
		"beyond ASCII":        func(i int) string { return strings.Repeat("é", i%9) + fmt.Sprint(i%100) },
		"random":              func(int) string { return fmt.Sprintf("%x", random.Uint64()>>uint(random.IntN(60))) },
		"empty":               func(int) string { return "" },
	}
	for name, shape := range shapes {
		keys := make([]string, count)
		for i := range keys {
			keys[i] = shape(i)
		}
		f := foundOf(keys)
		f.sortClaims()
		if !slices.IsSortedFunc(f.claims, whole(f)) {
			t.Errorf("%s: not in order", name)
		}
		seen := make([]bool, count)
		for _, c := range f.claims {
			seen[c.entry] = true
		}
		if slices.Contains(seen, false) {
			t.Errorf("%s: a claim is missing", name)
		}
	}
}

// whole compares without the prefix.
func whole(f *Result) func(a, b claimRecord) int {
	return func(a, b claimRecord) int {
		a.prefix, b.prefix = 0, 0
		return f.compare(a, b)
	}
}
