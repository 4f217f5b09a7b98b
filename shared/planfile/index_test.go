package planfile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPrimaryListIsSortedByHash(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, hash := range map[string]func(i int) uint64{
		"spread evenly":     func(int) uint64 { return random.Uint64() },
		"all the same":      func(int) uint64 { return 7 },
		"at both ends":      func(i int) uint64 { return -uint64(i % 2) },
		"of real addresses": func(i int) uint64 { return hashKey(fmt.Sprintf("user%d@example.com", i/3)) },
	} {
		for _, n := range []int{0, 1, 15, 16, 17, 1000, 50_000} {
			var list primaryList
			entries := make([]primaryEntry, n)
			for i := range entries {
				entries[i] = primaryEntry{hash: hash(i), block: uint32(random.IntN(100))}
				list.add(entries[i])
			}
			want := slices.SortedFunc(slices.Values(entries), comparePrimary)
			if got := list.sorted(); !slices.Equal(got, want) {
				t.Errorf("%d hashes %s: not in order", n, name)
			}
		}
	}
}
