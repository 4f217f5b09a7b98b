package directory

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

// afford reports by an error whether there is memory for an entry with so many bytes and values, as the receiver may
// keep them: their text once as it is and once in lower case.
func (p *pager) afford(bytes, values int) error {
	kept := int64(p.heldBytes + len(p.stream.buffer))
	if p.memory != nil {
		kept += p.memory()
	}
	need := kept + int64(2*bytes) + int64(valueCost*values)
	if need > p.c.MaxMemory {
		return incomplete("it needs more memory than one import has here (%d MB, after %d entries); narrow the "+
			"search base "+
			"or the filter", p.c.MaxMemory>>20, p.info.Entries)
	}
	if need-p.charged < chargeStep && p.charged-need < chargeStep {
		return nil
	}
	all := p.inUse.Add(need - p.charged)
	p.charged = need
	if p.c.MaxMemoryOfAll > 0 && all > p.c.MaxMemoryOfAll {
		return incomplete("other imports need the memory at the moment (%d MB, after %d entries); try again later",
			p.c.MaxMemoryOfAll>>20, p.info.Entries)
	}
	return nil
}

// release gives back what the read took.
func (p *pager) release() {
	p.inUse.Add(-p.charged)
	p.charged = 0
}
