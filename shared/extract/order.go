package extract

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"runtime"
	"slices"
	"sync"
)

const (
	// fewClaims are sorted by plain comparison.
	fewClaims = 24
	// manyClaims are worth a goroutine of their own.
	manyClaims = 1 << 14
)

// sorter sorts claims by key with a quicksort that compares eight bytes of the keys at a time, kept beside the claim
// (Bentley and Sedgewick, Fast Algorithms for Sorting and Searching Strings): comparing whole keys would go to the arena for each of
// them, and a directory's keys begin alike.
type sorter struct {
	found   *Found
	helpers sync.WaitGroup
	// most is how many goroutines may help, and free how many more may.
	free chan struct{}
}

// sortClaims orders the claims by key, then primaries before aliases, then by normalised DN.
func (f *Found) sortClaims() {
	s := &sorter{found: f, free: make(chan struct{}, runtime.GOMAXPROCS(0)-1)}
	s.sort(f.claims, 0)
	s.helpers.Wait()
}

// sort sorts claims whose keys have the first depth bytes in common.
func (s *sorter) sort(claims []claimRecord, depth uint32) {
	for i := range claims {
		claims[i].chunk = chunk(s.found.arena.get(claims[i].key), depth)
	}
	s.byChunk(claims, depth, 2*bits.Len(uint(len(claims))))
}

// chunk returns eight bytes of a key as a number that sorts as they do. Behind the key's end it has zeros, which no key holds.
func chunk(key string, depth uint32) uint64 {
	var b [8]byte
	if int(depth) < len(key) {
		copy(b[:], key[depth:])
	}
	return binary.BigEndian.Uint64(b[:])
}

// byChunk sorts by chunk, and what has equal ones by what follows. Once patience has run out, which takes keys that were made for
// it, it compares whole keys.
func (s *sorter) byChunk(claims []claimRecord, depth uint32, patience int) {
	for len(claims) > fewClaims && patience > 0 {
		patience--
		less, equal, greater := partition(claims)
		if len(equal) > fewClaims && equal[0].chunk&0xff != 0 {
			s.help(len(equal), func() { s.sort(equal, depth+8) })
		} else {
			// Few, or of keys that end here and are the same.
			slices.SortFunc(equal, s.found.compare)
		}
		rest := patience
		s.help(len(less), func() { s.byChunk(less, depth, rest) })
		claims = greater
	}
	slices.SortFunc(claims, s.found.compare)
}

// help does a part of the work in a goroutine of its own, where the part is large and a processor is free.
func (s *sorter) help(claims int, do func()) {
	if claims >= manyClaims {
		select {
		case s.free <- struct{}{}:
			s.helpers.Go(func() {
				do()
				<-s.free
			})
			return
		default:
		}
	}
	do()
}

// partition puts the claims into three parts by their chunk: below, equal to and above that of one in the middle.
func partition(claims []claimRecord) (less, equal, greater []claimRecord) {
	n := len(claims)
	pivot := median(
		median(claims[0].chunk, claims[n/8].chunk, claims[n/4].chunk),
		median(claims[3*n/8].chunk, claims[n/2].chunk, claims[5*n/8].chunk),
		median(claims[3*n/4].chunk, claims[7*n/8].chunk, claims[n-1].chunk))
	low, at, high := 0, 0, n
	for at < high {
		switch c := claims[at].chunk; {
		case c < pivot:
			claims[low], claims[at] = claims[at], claims[low]
			low++
			at++
		case c > pivot:
			high--
			claims[high], claims[at] = claims[at], claims[high]
		default:
			at++
		}
	}
	return claims[:low], claims[low:high], claims[high:]
}

func median(a, b, c uint64) uint64 { return max(min(a, b), min(max(a, b), c)) }

// compare orders two claims by all that decides.
func (f *Found) compare(a, b claimRecord) int {
	if a.chunk != b.chunk {
		return cmp.Compare(a.chunk, b.chunk)
	}
	if order := cmp.Compare(f.arena.get(a.key), f.arena.get(b.key)); order != 0 {
		return order
	}
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	return cmp.Or(cmp.Compare(f.sortDN(&a), f.sortDN(&b)), cmp.Compare(a.entry, b.entry))
}
