// Package extract finds the mail addresses of directory entries: which one is primary, which are aliases, what an entry
// is, and what must be left out and why. It knows the attributes of each server type.
package extract

import (
	"bytes"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

// entryRecord is what all addresses of an entry share. It holds no pointer, so that the garbage collector passes over
// it.
type entryRecord struct {
	dn, id, primary, primaryKey text
	typ                         code
	flags                       flags
}

// claimRecord is one address of an entry, without a pointer too.
type claimRecord struct {
	// prefix is how the key begins, for sorting; see order.go.
	prefix       uint64
	key, address text
	entry        uint32
	kind         code
	utf8         bool
	// inferred says that the entry's primary was chosen, and might have been this one.
	inferred bool
}

// code is the place of a kind or a type in one of the lists below.
type code uint8

var (
	kindCodes = user.Kinds()
	typeCodes = user.Types()
)

// The codes of the kinds, which sort primaries before aliases.
const (
	codePrimary code = iota
	codeAlias
)

// typeCode returns the code of a type.
func typeCode(t user.Type) code {
	for i := range typeCodes {
		if typeCodes[i] == t {
			return code(i)
		}
	}
	return code(len(typeCodes) - 1)
}

// flags are an entry's notes.
type flags uint8

const (
	// flagInferred says that nothing in the entry tells which of its addresses is the primary; flagSeveral that it
	// marks several, of which mail tells one where flagInferred is not set.
	flagInferred flags = 1 << iota
	flagSeveral
	flagHidden
	flagDisabled
)

// Collector turns entries into addresses as they arrive. It keeps some 300 bytes of an entry with two addresses and
// frees everything else.
type Collector struct {
	rules   *Rules
	arena   arena
	entries list[entryRecord]
	claims  list[claimRecord]
	skipped []address.Skipped
	count   int
	// seen is how many values that should be addresses the entries had.
	seen int

	// texts is about what the collector keeps besides the records and the arena, in bytes.
	texts int64

	// pending are the entries of class alias (CommuniGate); accounts finds what they point to, and leftOut the
	// accounts that are not imported.
	pending  []aliasEntry
	accounts map[string]uint32
	leftOut  map[string]leftOutAccount

	attributes attributes
	values     []value
	// dn is the DN of the entry at hand as its skipped values show it, once one was shown. They share it.
	dn string
	// Scratch memory for one entry: the keys of its primary and of the alias at hand, and its id.
	primaryKey, aliasKey, id []byte
	// ownKeys has the keys of the entry at hand, of its claims up to ownTo, once it has many.
	ownKeys map[string]struct{}
	ownTo   int
}

// NewCollector returns an empty collector.
func NewCollector(r *Rules) *Collector {
	return &Collector{rules: r, attributes: newAttributes(r), accounts: make(map[string]uint32),
		leftOut: make(map[string]leftOutAccount)}
}

// Addresses returns the number of addresses accepted so far, each as often as entries claim it.
func (c *Collector) Addresses() int { return c.claims.count }

// Values returns how many values that should be addresses the entries had, whatever became of them.
func (c *Collector) Values() int { return c.seen }

// Add takes one entry. The entry may be reused once Add returns.
func (c *Collector) Add(e *directory.Entry) {
	c.count++
	c.dn = ""
	c.attributes.read(e)
	a := &c.attributes
	tooLong := c.tooLong(e)
	if tooLong == "" && c.rules.isAlias(a) {
		c.seen++
		c.addAlias(e)
		return
	}
	var chosen flags
	c.values, chosen = c.rules.values(a, c.values)
	if len(c.values) == 0 && c.rules.server == settings.CommuniGate && len(c.rules.primary) == 0 {
		if made := accountAddress(a.first(slotUID), e.DN); made != "" {
			c.values = append(c.values, value{text: []byte(made), primary: true})
		}
	}
	c.seen += len(c.values)
	typ, system := a.kindOf(c.rules.server, e)
	if reason := c.rules.leftOut(a, typ, system != ""); reason != "" {
		c.skipEntry(e, leftOutAccount{typ: typ, reason: reason}, system)
		return
	}
	if tooLong != "" {
		c.skipEntry(e, leftOutAccount{typ: typ, reason: address.ReasonTooLong, present: true}, tooLong)
		return
	}
	c.addEntry(e, typ, chosen)
}

// leftOut returns the reason for which the settings leave a whole entry out.
func (r *Rules) leftOut(a *attributes, typ user.Type, system bool) address.Reason {
	switch {
	case system:
		return address.ReasonSystemMailbox
	case len(r.include) > 0 && !r.include[typ]:
		return address.ReasonTypeNotIncluded
	case r.disabled && a.disabled():
		return address.ReasonDisabled
	}
	return ""
}

// addEntry takes the addresses of an entry that is not left out.
func (c *Collector) addEntry(e *directory.Entry, typ user.Type, chosen flags) {
	var primary address.Address
	var primaryErr error
	hasPrimary := len(c.values) > 0 && c.values[0].primary
	if hasPrimary {
		primary, primaryErr = parseValue(c.values[0].text, &c.primaryKey)
	}
	if !hasPrimary || primaryErr != nil {
		c.withoutPrimary(e, typ, primaryErr)
		return
	}
	index := c.record(e, primary, typ, chosen)
	// From here on in the arena, where it stays.
	kept := c.entries.at(int(index))
	primary.Key, primary.Display = c.arena.get(kept.primaryKey), c.arena.get(kept.primary)
	c.claim(e, index, c.values[0], primary, primary)
	first := c.claims.count
	c.ownKeys, c.ownTo = nil, first
	for _, v := range c.values[1:] {
		alias, err := parseValue(v.text, &c.aliasKey)
		switch {
		case err != nil:
			c.skip(e, v, primary.Display, typ, address.ReasonInvalid, err.Error(), true)
		case alias.Key == primary.Key, c.claimed(first, alias.Key):
		case v.private:
			c.skip(e, v, primary.Display, typ, address.ReasonPrivate, "", false)
		case c.rules.collapse && address.Local(alias.Key) == address.Local(primary.Key):
			c.skip(e, v, primary.Display, typ, address.ReasonCollapsed, "", false)
		default:
			c.claim(e, index, v, alias, primary)
		}
	}
}

// parseValue is Parse for a value of an entry. What it returns shares the value's memory and scratch's.
func parseValue(v []byte, scratch *[]byte) (address.Address, error) {
	v = bytes.TrimSpace(v)
	if len(v) > maxValue {
		return address.Address{}, address.ErrTooLong
	}
	if !address.IsPlain(view(v)) {
		return address.Parse(string(v))
	}
	*scratch = append((*scratch)[:0], v...)
	for i, c := range *scratch {
		if c >= 'A' && c <= 'Z' {
			(*scratch)[i] = c + ('a' - 'A')
		}
	}
	return address.Address{Key: view(*scratch), Display: view(v)}, nil
}

// record keeps what the addresses of an entry share and returns its index.
func (c *Collector) record(e *directory.Entry, primary address.Address, typ user.Type, chosen flags) uint32 {
	index := uint32(c.entries.count)
	record := entryRecord{dn: c.putShown(e.DN), id: c.putSourceID(e), primaryKey: c.arena.put(primary.Key),
		typ: typeCode(typ), flags: chosen}
	record.primary = record.primaryKey
	if primary.Display != primary.Key {
		record.primary = c.arena.put(primary.Display)
	}
	if c.attributes.hidden() {
		record.flags |= flagHidden
	}
	if c.attributes.disabled() {
		record.flags |= flagDisabled
	}
	c.entries.add(record)
	if c.rules.server == settings.CommuniGate {
		dn := normalDN(shown(e.DN))
		c.accounts[dn] = index
		c.texts += pendingSize + int64(len(dn))
	}
	return index
}

// putShown keeps a value as text that can be shown.
func (c *Collector) putShown(v []byte) text {
	if isPrintable(v) {
		return c.arena.put(view(v))
	}
	return c.arena.put(shown(v))
}

// claimed reports whether one of the claims from first on has the key.
func (c *Collector) claimed(first int, key string) bool {
	if c.claims.count-first > maxLinear {
		if c.ownKeys == nil {
			c.ownKeys = make(map[string]struct{})
		}
		for ; c.ownTo < c.claims.count; c.ownTo++ {
			c.ownKeys[c.arena.get(c.claims.at(c.ownTo).key)] = struct{}{}
		}
		_, found := c.ownKeys[key]
		return found
	}
	for i := first; i < c.claims.count; i++ {
		if c.arena.get(c.claims.at(i).key) == key {
			return true
		}
	}
	return false
}

// claim records an address, unless its domain is not accepted.
func (c *Collector) claim(e *directory.Entry, entry uint32, v value, a, primary address.Address) {
	of := c.entries.at(int(entry))
	if !c.rules.accepted.Empty() && !c.rules.accepted.Match(address.Domain(a.Key)) {
		c.skip(e, v, primary.Display, typeCodes[of.typ], address.ReasonDomainNotAccepted, "", false)
		return
	}
	record := claimRecord{entry: entry, kind: codeAlias, utf8: a.NeedsSMTPUTF8, inferred: v.candidate}
	if v.primary {
		// Its entry has the same texts.
		record.kind, record.key, record.address = codePrimary, of.primaryKey, of.primary
	} else {
		record.key = c.arena.put(a.Key)
		record.address = record.key
		if a.Display != a.Key {
			record.address = c.arena.put(a.Display)
		}
	}
	c.claims.add(record)
}

// sourceID returns the first of the id attributes that the entry has, or nothing.
func (c *Collector) sourceID() []byte {
	for _, s := range c.rules.id {
		if v := c.attributes.first(s); len(v) > 0 {
			return v
		}
	}
	return nil
}

// putSourceID keeps the entry's stable id: the first of the id attributes that it has, else its normalised DN.
func (c *Collector) putSourceID(e *directory.Entry) text {
	if v := c.sourceID(); v != nil {
		c.id = appendGUID(c.id[:0], v)
		return c.arena.put(view(c.id))
	}
	return c.arena.put(normalDN(shown(e.DN)))
}
