package directory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// maxRanges bounds how often more of one attribute is asked for: at Active Directory's 1500 values a time, 15 million
// values.
const maxRanges = 10_000

// maxHeld bounds the memory of the entries that wait for the rest of their values, in bytes.
const maxHeld = 64 << 20

// valueRange is a range of values ([MS-ADTS] 3.1.1.3.1.3.3): "proxyAddresses;range=0-1499", or ";range=3000-*" for the
// last.
type valueRange struct {
	name        string
	first, last int
	// final is set where no values follow.
	final bool
}

// hasRange reports whether a description has a range option, even one that cannot be read: its values are not all there
// are.
func hasRange(description string) bool {
	for option := range strings.SplitSeq(description, ";") {
		if _, ok := cutPrefixFold(option, "range="); ok {
			return true
		}
	}
	return false
}

// parseRange reads an attribute description with a range option. Other options stay in the name.
func parseRange(description string) (valueRange, bool) {
	parts := strings.Split(description, ";")
	for i, option := range parts[1:] {
		bounds, ok := cutPrefixFold(option, "range=")
		if !ok {
			continue
		}
		from, to, ok := strings.Cut(bounds, "-")
		first, err := strconv.ParseUint(from, 10, 31)
		if !ok || err != nil {
			return valueRange{}, false
		}
		r := valueRange{name: strings.Join(slices.Delete(slices.Clone(parts), i+1, i+2), ";"), first: int(first),
			final: to == "*"}
		if !r.final {
			last, err := strconv.ParseUint(to, 10, 31)
			if err != nil || last < first {
				return valueRange{}, false
			}
			r.last = int(last)
		}
		return r, true
	}
	return valueRange{}, false
}

func cutPrefixFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// completeRanges asks for the rest of each held entry's values and hands the entries on. Ranges are asked for only
// where a server offered one: others take the option for an unknown attribute.
func (p *pager) completeRanges(ctx context.Context) error {
	held := p.held
	p.held = nil
	for n, e := range held {
		for i := range e.Attributes {
			description := e.Attributes[i].Name
			if !hasRange(description) {
				continue
			}
			r, ok := parseRange(description)
			if !ok || r.first != 0 {
				return incomplete("the server gave %s of %s, which is no range from the first value on",
					printable([]byte(description)), printable(e.DN))
			}
			values, err := p.restOf(ctx, e, r, e.Attributes[i].Values)
			if err != nil {
				return err
			}
			e.Attributes[i] = Attribute{Name: r.name, Values: values}
		}
		// The plain attribute comes beside its range, without values.
		e.Attributes = slices.DeleteFunc(e.Attributes, func(a Attribute) bool { return len(a.Values) == 0 })
		if err := p.afford(e.size(), e.values()); err != nil {
			return err
		}
		if err := p.deliver(e); err != nil {
			return err
		}
		p.heldBytes -= e.size()
		held[n] = nil
	}
	p.heldBytes = 0
	return nil
}

// hold counts memory that is kept until an entry is complete.
func (p *pager) hold(bytes int) error {
	if p.heldBytes += bytes; p.heldBytes > maxHeld {
		return incomplete("the entries of one page that have more values than the server gives at a time take more "+
			"than %d MiB", maxHeld>>20)
	}
	return p.afford(0, 0)
}

// values counts the entry's values.
func (e *Entry) values() int {
	count := 0
	for _, a := range e.Attributes {
		count += len(a.Values)
	}
	return count
}

// size is about what a copy of the entry takes of memory, in bytes.
func (e *Entry) size() int {
	bytes := len(e.DN)
	for _, a := range e.Attributes {
		bytes += attributeSize + valuesSize(a.Values)
	}
	return bytes
}

// What a slice's header, and an attribute's, take of memory in bytes.
const (
	valueSize     = 24
	attributeSize = 40
)

func valuesSize(values [][]byte) int {
	bytes := valueSize * len(values)
	for _, v := range values {
		bytes += len(v)
	}
	return bytes
}

// restOf reads the ranges that follow r.
func (p *pager) restOf(ctx context.Context, e *Entry, r valueRange, values [][]byte) ([][]byte, error) {
	for n := 0; !r.final; n++ {
		if n == maxRanges {
			return nil, incomplete("attribute %s of %s has more values than are read", r.name, printable(e.DN))
		}
		next := r.last + 1
		part, partRange, err := p.readRange(ctx, e, fmt.Sprintf("%s;range=%d-*", r.name, next))
		if err != nil {
			return nil, err
		}
		if partRange.first != next || len(part) == 0 && !partRange.final {
			return nil, incomplete("the server did not give the values from %d on of %s of %s", next, r.name,
				printable(e.DN))
		}
		if err := p.hold(valuesSize(part)); err != nil {
			return nil, err
		}
		values, r = append(values, part...), partRange
	}
	return values, nil
}

// readRange asks for one range of an entry.
func (p *pager) readRange(ctx context.Context, e *Entry, attribute string) (values [][]byte, got valueRange,
	err error) {
	request := searchRequest{base: string(e.DN), scope: ldap.ScopeBaseObject, filter: "(objectClass=*)",
		attributes: []string{attribute}}
	if err := p.stream.send(request); err != nil {
		return nil, got, err
	}
	found := false
	for {
		m, err := p.message(ctx)
		if err != nil {
			return nil, got, err
		}
		switch m.tag {
		case tagEntry:
			part, err := p.parser.parse(m.op)
			if err != nil {
				return nil, got, err
			}
			for _, a := range part.Attributes {
				if r, ok := parseRange(a.Name); ok {
					got, found = r, true
					values = cloneValues(a.Values)
				}
			}
		case tagDone:
			done, _, err := parseResult(m.op)
			switch {
			case err != nil:
				return nil, got, err
			case done.code == ldap.LDAPResultNoSuchObject:
				// The entry, not the search base.
				return nil, got, incomplete("%s was moved or deleted while its values were read; try again",
					printable(e.DN))
			case done.code != ldap.LDAPResultSuccess:
				return nil, got, done
			case !found:
				return nil, got, incomplete("the server did not give %s of %s", attribute, printable(e.DN))
			}
			return values, got, nil
		case tagReference:
		default:
			return nil, got, fmt.Errorf("%w: tag %#x in answer to a search", errMalformed, m.tag)
		}
	}
}

// Clone copies an entry, which outlives the callback that got it.
func (e *Entry) Clone() Entry { return *e.clone() }

// clone copies an entry out of the stream's buffer.
func (e *Entry) clone() *Entry {
	out := &Entry{DN: bytes.Clone(e.DN), Attributes: make([]Attribute, len(e.Attributes))}
	for i, a := range e.Attributes {
		out.Attributes[i] = Attribute{Name: a.Name, Values: cloneValues(a.Values)}
	}
	return out
}

func cloneValues(values [][]byte) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = bytes.Clone(v)
	}
	return out
}
