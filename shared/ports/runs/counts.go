package runs

import (
	"context"
	"slices"
	"time"
)

// Counters bound what an account asks for.
type Counters interface {
	// Count lets change alter the account's counts, and stores them if nobody stored them meanwhile, trying again if
	// somebody did; so change may be called more than once. What change returns ends it without a write.
	Count(ctx context.Context, change func(*Counts) error) error
}

// Counts is what an account started lately, by kind: of a run, or of another request. The zero value is empty.
type Counts struct {
	// Open are the runs that were started and have not been seen to end. That they are named, and not only counted,
	// keeps the number right whoever dies where: whether one has ended is asked of its record.
	Open map[string][]Opened `json:"open,omitempty"`
	// Starts counts starts by kind, and by slices of time since 1970, of which a window has windowSlices.
	Starts map[string]map[int64]int `json:"starts,omitempty"`
}

// Opened is a run that was started.
type Opened struct {
	RunID string    `json:"runId"`
	At    time.Time `json:"at"`
}

// windowSlices is how many slices a window of time is divided into. What was started in a slice is forgotten all at
// once, as early as the first of it may be.
const windowSlices = 60

// Started counts a start of a kind, unless most were counted within the window before now. Then it returns how long
// it takes until there is room.
func (c *Counts) Started(kind string, most int, window time.Duration, now time.Time) (wait time.Duration) {
	slice := int64(window / windowSlices)
	current := now.UnixNano() / slice
	var kept []int64
	sum := 0
	for at, n := range c.Starts[kind] {
		if at <= current-windowSlices || at > current+windowSlices {
			// It is over, or a clock that was far ahead counted it.
			delete(c.Starts[kind], at)
			continue
		}
		kept = append(kept, at)
		sum += n
	}
	if sum >= most {
		oldest := slices.Min(kept)
		return time.Duration((oldest+windowSlices)*slice - now.UnixNano())
	}
	if c.Starts == nil {
		c.Starts = make(map[string]map[int64]int)
	}
	if c.Starts[kind] == nil {
		c.Starts[kind] = make(map[int64]int)
	}
	c.Starts[kind][current]++
	return 0
}

// Opened notes that a run of a kind was started, once.
func (c *Counts) Opened(kind, runID string, now time.Time) {
	if c.Open == nil {
		c.Open = make(map[string][]Opened)
	}
	if !c.IsOpen(kind, runID) {
		c.Open[kind] = append(c.Open[kind], Opened{runID, now})
	}
}

// IsOpen reports whether a run was noted and has not been seen to end.
func (c *Counts) IsOpen(kind, runID string) bool {
	return slices.ContainsFunc(c.Open[kind], func(o Opened) bool { return o.RunID == runID })
}

// Ended forgets runs of a kind.
func (c *Counts) Ended(kind string, runIDs []string) {
	if len(runIDs) == 0 {
		return
	}
	c.Open[kind] = slices.DeleteFunc(c.Open[kind], func(o Opened) bool { return slices.Contains(runIDs, o.RunID) })
}
