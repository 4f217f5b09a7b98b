package extract

import (
	"errors"
	"strings"

	"rollcall/shared/address"
	"rollcall/shared/directory"
	"rollcall/shared/user"
)

// skipEntry reports every address of an entry that is left out.
func (c *Collector) skipEntry(e *directory.Entry, out leftOutAccount, detail string) {
	if len(c.values) > 0 && c.values[0].primary {
		out.primary = shownAddress(c.values[0].text)
	}
	c.values = distinct(c.values)
	for _, v := range c.values {
		c.skip(e, v, out.primary, out.typ, out.reason, detail, out.present)
	}
	c.leaveOut(e, out)
}

// maxLinear is how many texts of one entry are compared one by one. Nearly all entries have fewer; a hostile one has
// millions, and comparing each with each would take hours, in which nobody could cancel the run.
const maxLinear = 32

// distinct returns the values that differ from all before them, without regard to case, in the same memory.
func distinct(values []value) []value {
	var seen map[string]struct{}
	if len(values) > maxLinear {
		seen = make(map[string]struct{})
	}
	out := values[:0]
	for _, v := range values {
		if seen == nil && containsValue(out, v.text) {
			continue
		}
		if seen != nil {
			text := address.Lower(string(v.text))
			if _, known := seen[text]; known {
				continue
			}
			seen[text] = struct{}{}
		}
		out = append(out, v)
	}
	return out
}

func containsValue(values []value, text []byte) bool {
	for _, v := range values {
		if equalFold(v.text, text) {
			return true
		}
	}
	return false
}

// equalFold reports whether two texts differ at most by case, as address.Lower sees it.
func equalFold(a, b []byte) bool {
	if isPrintable(a) && isPrintable(b) {
		return len(a) == len(b) && strings.EqualFold(view(a), view(b))
	}
	return address.Lower(string(a)) == address.Lower(string(b))
}

func (c *Collector) skip(e *directory.Entry, v value, primary string, typ user.Type, reason address.Reason,
	detail string, present bool) {
	kind := user.Alias
	if v.primary {
		kind = user.Primary
	}
	addr := shownAddress(v.text)
	key, err := address.Canonical(addr)
	// With ErrInvisible there is a key: a user whom an earlier build stored under it is still there.
	if err != nil && !errors.Is(err, address.ErrInvisible) {
		key = address.Lower(strings.TrimSpace(addr))
	}
	if c.dn == "" {
		c.dn = shortened(e.DN, maxDN)
		c.texts += int64(len(c.dn) + len(primary))
	}
	c.texts += int64(len(key) + len(addr) + len(detail))
	c.skipped = append(c.skipped, address.Skipped{
		Key: key, Address: addr, Kind: kind, PrimaryAddress: primary, Type: typ, DN: c.dn, Reason: reason,
		Detail: detail, Present: present,
	})
}

// withoutPrimary reports an entry that has addresses but no usable primary. They count as present: whoever has them now
// keeps them.
func (c *Collector) withoutPrimary(e *directory.Entry, typ user.Type, primaryErr error) {
	c.leaveOut(e, leftOutAccount{typ: typ, reason: address.ReasonNoPrimary, present: true})
	c.values = distinct(c.values)
	for _, v := range c.values {
		switch {
		case v.primary:
			c.skip(e, v, "", typ, address.ReasonInvalid, primaryErr.Error(), true)
		case v.private:
			c.skip(e, v, "", typ, address.ReasonPrivate, "", false)
		default:
			c.skip(e, v, "", typ, address.ReasonNoPrimary, "", true)
		}
	}
}
