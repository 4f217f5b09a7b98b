package directory

import "sync/atomic"

// The memory that reads may take. A directory decides how much it sends; these bounds keep one that sends without end,
// by mistake or on purpose, from ending the process for everybody.
const (
	// defaultMemory is Config.MaxMemory where it is not set.
	defaultMemory = 1 << 30
	// valueCost is about what one value takes of memory at the receiver besides its bytes, at most: a row that says why
	// it is skipped.
	valueCost = 512
	// chargeStep is how much a read takes before it is added to what all reads take, in bytes.
	chargeStep = 1 << 20
)

// budget is what one read may take of memory.
type budget struct {
	limits *Config
	// all is how many bytes all reads take of memory.
	all *atomic.Int64
	// memory is the Query's, nil where the caller keeps nothing, and charged what this read added to inUse.
	memory  func() int64
	charged int64
}

// afford reports by an error whether there is memory for an entry with so many bytes and values, as the receiver may
// keep them: their text once as it is and once in lower case.
func (p *pager) afford(bytes, values int) error {
	return p.budget.afford(int64(p.heldBytes+len(p.stream.buffer)), bytes, values, p.info.Entries)
}

// afford is the pager's, beside what the reader itself holds. entries is how many there were.
func (b *budget) afford(held int64, bytes, values, entries int) error {
	if b.memory != nil {
		held += b.memory()
	}
	need := held + int64(2*bytes) + int64(valueCost*values)
	if need > b.limits.MaxMemory {
		return incomplete("it needs more memory than one import has here (%d MB, after %d entries); narrow the "+
			"search base or the filter", b.limits.MaxMemory>>20, entries)
	}
	if need-b.charged < chargeStep && b.charged-need < chargeStep {
		return nil
	}
	all := b.all.Add(need - b.charged)
	b.charged = need
	if b.limits.MaxMemoryOfAll > 0 && all > b.limits.MaxMemoryOfAll {
		return incomplete("other imports need the memory at the moment (%d MB, after %d entries); try again later",
			b.limits.MaxMemoryOfAll>>20, entries)
	}
	return nil
}

// release gives back what the read took.
func (b *budget) release() {
	b.all.Add(-b.charged)
	b.charged = 0
}
