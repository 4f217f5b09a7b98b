package run

import (
	"slices"
	"time"

	"rollcall/shared/settings"
)

// removalWindow is how long a removal counts for the removal guard.
const removalWindow = 24 * time.Hour

// maxRemovals is how many syncs Removals keeps apart. Of more the oldest are counted together, and no undo subtracts
// them.
const maxRemovals = 200

// Removals is what the removal guard remembers of an account's syncs of the last 24 hours, the oldest first. Undos
// and edits by hand are not among them.
type Removals []Removal

// Removal is what one sync removed.
type Removal struct {
	// RunID is empty where several are counted together.
	RunID string `json:"runId,omitempty"`
	// Attempt is that of the worker that noted it, and Undone is set where the sync was undone: a worker that was
	// replaced changes nothing here.
	Attempt int  `json:"attempt,omitempty"`
	Undone  bool `json:"undone,omitempty"`
	// At is when it removed the last user, or when it was judged.
	At      time.Time `json:"at"`
	Removed int       `json:"removed,omitempty"`
	// Stored and StoredImported are the users that it found, for each remove scope: see Census.
	Stored         int `json:"stored"`
	StoredImported int `json:"storedImported"`
}

// Day is what the removal guard holds a plan against besides the plan's own numbers: the users that were removed in
// the last 24 hours, and the most that there were.
type Day struct {
	Removed, Stored int
}

// Day returns the numbers of the 24 hours before now.
func (l Removals) Day(now time.Time, scope settings.RemoveScope) Day {
	var d Day
	for _, r := range l.since(now) {
		stored := r.Stored
		if scope == settings.RemoveImported {
			stored = r.StoredImported
		}
		d.Removed += r.Removed
		d.Stored = max(d.Stored, stored)
	}
	return d
}

// Note returns l with a sync as it is now, in place of what it was before.
func (l Removals) Note(r Removal) Removals {
	if slices.ContainsFunc(l, func(old Removal) bool {
		return r.RunID != "" && old.RunID == r.RunID && (old.Undone || old.Attempt > r.Attempt)
	}) {
		return l
	}
	kept := slices.DeleteFunc(l.since(r.At), func(old Removal) bool {
		// One that removed nobody only tells how many users there were, and the newer one is remembered for longer.
		return old.RunID == r.RunID ||
			old.Removed == 0 && !old.Undone && old.Stored <= r.Stored && old.StoredImported <= r.StoredImported
	})
	kept = append(kept, r)
	if len(kept) > maxRemovals {
		first, second := kept[0], kept[1]
		kept = kept[1:]
		kept[0] = Removal{
			At: second.At, Removed: first.Removed + second.Removed,
			Stored: max(first.Stored, second.Stored), StoredImported: max(first.StoredImported, second.StoredImported),
		}
	}
	return kept
}

// Undone returns l without the removals of a sync.
func (l Removals) Undone(runID string) Removals {
	out := slices.Clone(l)
	for i := range out {
		if out[i].RunID == runID {
			out[i].Removed, out[i].Undone = 0, true
		}
	}
	return out
}

// since returns a copy of what lies within the 24 hours before now. What a clock that was ahead dated later was now.
func (l Removals) since(now time.Time) Removals {
	var kept Removals
	for _, r := range l {
		if r.At.After(now) {
			r.At = now
		}
		if now.Sub(r.At) < removalWindow {
			kept = append(kept, r)
		}
	}
	return kept
}
