package plan

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall/shared/user"
)

// TestPropertyFormersAreAMap holds formers to a map, with ids that share two hashes.
func TestPropertyFormersAreAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		f, want := newFormers(), make(map[string]formerPrimary)
		f.hash = func(sourceID string) uint64 { return uint64(len(sourceID) % 2) }
		for range rapid.IntRange(0, 60).Draw(r, "users") {
			u := user.User{
				SourceID: rapid.SampledFrom([]string{"a", "b", "c", "dd", "ee"}).Draw(r, "id"),
				Address: strings.Repeat("x", rapid.SampledFrom([]int{0, 5, 4000, 70_000}).Draw(r, "length")) +
					rapid.StringMatching(`[a-z]{1,4}`).Draw(r, "address"),
				HeldSpamReport: rapid.SampledFrom([]user.HeldSpamReport{"", user.ReportDaily}).Draw(r, "report"),
				Protected:      rapid.Bool().Draw(r, "protected"),
				Version:        rapid.Int64Range(0, 9).Draw(r, "version"),
				CreatedAt:      time.UnixMicro(rapid.Int64Range(-2, 2).Draw(r, "time")),
			}
			f.add(&u)
			if earlier, ok := want[u.SourceID]; !ok || writtenAt(&u).after(earlier.written) {
				want[u.SourceID] = formerPrimary{u.Address, u.HeldSpamReport, u.Protected, writtenAt(&u)}
			}
		}
		for _, id := range []string{"a", "b", "c", "dd", "ee", "never", "neither"} {
			got, ok := f.find(id)
			expected, there := want[id]
			if ok != there || got != expected {
				r.Fatalf("of %q %t %.20s %d is kept, want %t %.20s %d", id, ok, got.address, got.version, there,
					expected.address, expected.version)
			}
		}
	})
}
