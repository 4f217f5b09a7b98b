package directory

import (
	"encoding/binary"
	"slices"
	"strings"

	"rollcall/shared/run"
)

// trimAt is how many entries are remembered before those that changed longest ago are forgotten.
const trimAt = 32 * overlap

// times remembers which entries changed last, by the server's own clock: for each time the number of entries that have
// it and a digest of their names.
type times struct {
	by     string
	groups map[string]group
	total  int
	// floor is the time before which entries are forgotten.
	floor string
}

type group struct {
	count int
	sum   uint64
}

func newTimes(by string) *times { return &times{by: by, groups: make(map[string]group)} }

// add takes an entry and returns its time, or nothing where it shows none.
func (t *times) add(e *Entry) string {
	for i := range e.Attributes {
		a := &e.Attributes[i]
		if len(a.Name) != len(t.by) || len(a.Values) == 0 || !strings.EqualFold(a.Name, t.by) {
			continue
		}
		at := string(a.Values[0])
		if at < t.floor || !plainTime(at) {
			return at
		}
		g := t.groups[at]
		g.count++
		g.sum += digest(e.DN, a.Values[0])
		t.groups[at] = g
		t.total++
		return at
	}
	return ""
}

// keep forgets all but the entries that changed last once there are more than so many.
func (t *times) keep(most int) {
	if t.total <= most || t.total <= overlap {
		return
	}
	all := t.ordered()
	kept := 0
	for i := len(all) - 1; i >= 0; i-- {
		if kept >= overlap {
			t.total -= t.groups[all[i]].count
			delete(t.groups, all[i])
			continue
		}
		kept += t.groups[all[i]].count
		t.floor = all[i]
	}
}

// ordered returns the times, the earliest first: the forms of both attributes sort as they follow each other.
func (t *times) ordered() []string {
	all := make([]string, 0, len(t.groups))
	for at := range t.groups {
		all = append(all, at)
	}
	slices.Sort(all)
	return all
}

// cursor is what a look needs that asks for all from the first of the times on; nil where there is none.
func (t *times) cursor() *run.Cursor {
	all := t.ordered()
	if len(all) == 0 {
		return nil
	}
	c := &run.Cursor{By: t.by, Since: all[0]}
	for _, at := range all {
		c.Seen = binary.BigEndian.AppendUint64(c.Seen, t.groups[at].sum)
	}
	return c
}

// digests are those that a cursor has.
func digests(c *run.Cursor) map[uint64]bool {
	seen := make(map[uint64]bool)
	for rest := c.Seen; len(rest) >= 8; rest = rest[8:] {
		seen[binary.BigEndian.Uint64(rest)] = true
	}
	return seen
}

// digest is a hash of an entry's name and time (FNV-1a). It is stored, so it may not change.
func digest(dn, at []byte) uint64 {
	sum := uint64(14695981039346656037)
	for _, part := range [][]byte{dn, {0}, at} {
		for _, c := range part {
			sum = (sum ^ uint64(c)) * 1099511628211
		}
	}
	return sum
}

// plainTime reports whether a value can be a time or a change sequence number, and stand in a filter as it is.
func plainTime(at string) bool {
	const shortest, longest = len("20060102150405Z"), 64
	return len(at) >= shortest && len(at) <= longest && strings.Trim(at, "0123456789abcdefABCDEFZ.#+-") == ""
}
